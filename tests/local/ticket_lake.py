"""A whole lake on this machine, as `headwater up` makes it, and what its users can see of it."""

from __future__ import annotations

import functools
import hashlib
import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pyiceberg.catalog import load_catalog

import config
import pipelines
from cli import execution
from cli.target import Target
from config import Environment
from lake.ledger import Outcome
from local import laptop, source
from local.engines.sources import Connection, Server

PIPELINE = "tickit"
OURS = ("_version", "_hash", "_run")


@dataclass(frozen=True)
class TicketLake:
    """The ticket lake, up: `lake.run()`, `lake.rows("silver", "saas_users")`, `lake.source("saas")`."""

    laptop: laptop.Laptop
    target: Target
    pipeline: str = PIPELINE

    @property
    def environment(self) -> Environment:
        return self.target.environment

    @property
    def admin(self) -> Server:
        return self.admin_of("saas")

    def admin_of(self, name: str) -> Server:
        """The administrator's way to the server of a source."""
        return source.server(self.laptop.state, name)

    def client(self, service: str) -> Any:
        return self.target.client(service)

    def run(self) -> execution.Ended:
        return self.wait(self.start())

    def start(self, **asked: Any) -> str:
        return execution.start(self.target, self.pipeline, **asked)

    def wait(self, run: str) -> execution.Ended:
        return execution.follow(self.target, run)

    def redrive(self, run: str) -> execution.Ended:
        self.client("stepfunctions").redrive_execution(executionArn=self.target.execution(run))
        return self.wait(run)

    def outcomes(self, run: str, step: str, attempt: int | None = None) -> dict[str, Outcome]:
        """The latest outcome of a step for each dataset, or those of one attempt."""
        every = self.target.ledger().outcomes(run)
        return {each.dataset: each for each in every if each.step == step and attempt in (None, each.attempt)}

    def snapshots(self) -> dict[str, int | None]:
        """The current snapshot of every Iceberg table, quarantine among them."""
        catalog = self.catalog()
        tables = [
            name for layer in ("silver", "gold") for name in catalog.list_tables(self.environment.database(layer))
        ]
        return {
            ".".join(name): getattr(catalog.load_table(name).current_snapshot(), "snapshot_id", None) for name in tables
        }

    def rows(self, layer: str, table: str) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = (
            self.catalog().load_table((self.environment.database(layer), table)).scan().to_arrow().to_pylist()
        )
        return found

    def fingerprints(self, *, without: tuple[str, ...] = ()) -> dict[str, str]:
        """For each published table one hash of all its rows, in whatever order they lie."""
        described = pipelines.load(self.pipeline, self.target.root)
        places = [("silver", each.replace(".", "_")) for each in described.datasets]
        places += [("gold", each.removeprefix("gold.")) for each in described.models]
        return {f"{layer}.{table}": _fingerprint(self.rows(layer, table), without) for layer, table in places}

    def catalog(self) -> Any:
        return _catalog(self.laptop.url, self.laptop.region)

    @contextmanager
    def source(self, name: str) -> Iterator[Connection]:
        """An administrator's connection to a source database; commits at the end of the block."""
        admin = self.admin if name == "saas" else self.admin_of(name)
        with admin.connect(self.environment.sources[name].database) as connection:
            yield connection


@contextmanager
def ticket_lake(state: Path, *, scale: float = 1.0, cold: bool = False) -> Iterator[TicketLake]:
    running = laptop.up(state, scale=scale, cold=cold)
    try:
        yield TicketLake(running, Target(config.load("local", running.source_ports), running.url))
    finally:
        laptop.down(state)


@functools.cache
def _catalog(url: str, region: str) -> Any:
    """One for each endpoint: to make it takes longer than most of what is asked of it."""
    user = laptop.USER
    return load_catalog(
        "lake",
        **{
            "type": "glue",
            "glue.endpoint": url,
            "glue.region": region,
            "glue.access-key-id": user.access_key,
            "glue.secret-access-key": user.secret_key,
            "s3.endpoint": url,
            "s3.region": region,
            "s3.access-key-id": user.access_key,
            "s3.secret-access-key": user.secret_key,
            "s3.force-virtual-addressing": "false",
        },
    )


def _fingerprint(rows: list[dict[str, Any]], without: tuple[str, ...]) -> str:
    lines = sorted(
        json.dumps({name: value for name, value in row.items() if name not in without}, sort_keys=True, default=str)
        for row in rows
    )
    return hashlib.sha256("\n".join(lines).encode()).hexdigest()
