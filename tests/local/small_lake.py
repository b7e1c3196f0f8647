"""A lake that runs in seconds: orders that change, and two gold tables of them; made anew for each module of tests."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import config
import contracts
from cli.target import Target
from lake.runs import RunId
from local import deploy, synthesis
from local.engines import postgres
from local.laptop import Laptop
from tests.local.conftest import start_endpoint
from tests.local.ticket_lake import TicketLake

PIPELINE = "tickit"  # the one that the environment knows
SILVER, GOLD = "saas_orders", ("totals", "largest")
DATASET = "saas.orders"

HEAD = """
apiVersion: v3.1.0
kind: DataContract
id: urn:headwater:{source}:{name}
name: {name}
version: 1.0.0
status: active
description: {{ purpose: Of the small lake. }}
team: {{ name: tests, description: Tests. }}
slaProperties: [{{ property: freshness, value: 26, unit: h }}, {{ property: retention, value: 5, unit: y }}]
customProperties: [{custom}]
schema:
  - name: {name}
    physicalType: table
    properties:
"""
COLUMN = "      - {{ id: {name}, name: {name}, physicalType: {kind}, classification: internal{more} }}\n"
KEY = ", required: true, primaryKey: true"
ORDERS = {"order_id": ("int", KEY), "customer": ("string", ", required: true"), "amount": ('"decimal(8,2)"', "")}
PIPELINE_FILE = """
datasets: [saas.orders]
models: [gold.totals, gold.largest]
interval_hours: 24
sla_minutes: 60
owner: tests
"""
MODELS = {
    "totals": "SELECT customer, sum(amount) AS amount FROM saas_orders GROUP BY customer",
    "largest": "SELECT customer, max(amount) AS amount FROM saas_orders GROUP BY customer",
}
GATE = "    quality:\n      - { name: not_too_many, metric: rowCount, mustBeLessThan: 1000 }\n"
TABLE = "CREATE TABLE orders (order_id int, customer text, amount numeric(8,2), changed_at timestamp)"


@dataclass(frozen=True)
class SmallLake(TicketLake):
    """The small lake, up; `lake.sql(...)` changes its source."""

    server: postgres.Server | None = None

    @property
    def admin(self) -> postgres.Server:
        assert self.server is not None
        return self.server

    def sql(self, *statements: str) -> None:
        with self.source("saas") as connection:
            for statement in statements:
                connection.execute(statement)

    def orders(self, first: int, last: int, amount: str, at: str) -> None:
        """Orders of these numbers, now with this amount (SQL over `n`) and changed at this time (SQL over `n`)."""
        numbers = f"generate_series({first}, {last}) AS n"
        self.sql(
            f"DELETE FROM orders WHERE order_id BETWEEN {first} AND {last}",
            f"INSERT INTO orders SELECT n, 'customer ' || n % 3, {amount}, {at} FROM {numbers}",
        )

    def settled(self) -> dict[str, Any]:
        """What must be the same after an undisturbed run and a disturbed one: rows, leases, branches, intents."""
        catalog, ledger = self.catalog(), self.target.ledger()
        places = [(self.environment.database("silver"), SILVER)]
        places += [(self.environment.database("gold"), each) for each in GOLD]
        tables = {f"{database}.{name}": catalog.load_table((database, name)) for database, name in places}
        heads = ledger.heads([DATASET, *(f"gold.{each}" for each in GOLD)])
        published = {dataset: head.snapshot for dataset, head in heads.items()}
        current = {name: table.current_snapshot().snapshot_id for name, table in tables.items()}
        # what a failed gate refused stays to be looked at, until its run is redriven or a week has passed
        kept = tuple(RunId.parse(run.run).branches for run in ledger.runs(PIPELINE, 100) if run.status == "failed")
        branches = [ref for table in tables.values() for ref in table.metadata.refs if ref != "main"]
        return {
            "leases": ledger.holders(f"lake.{each}" for each in tables),
            "branches": [each for each in branches if not each.startswith(kept)],
            "intents": ledger.intents(),
            "heads are what readers see": set(published.values()) == set(current.values()),
        }


SETTLED = {"leases": {}, "branches": [], "intents": [], "heads are what readers see": True}


@contextmanager
def small_lake(
    state: Path, *, cold: bool = False, contract: Callable[[str], str] = lambda text: text
) -> Iterator[SmallLake]:
    """`contract` changes that of the orders."""
    root = _write(state / "root", contract)
    server = postgres.start(state)
    endpoint = start_endpoint(state, *(["--cold"] if cold else ["--lazy"]))
    try:
        ports = dict.fromkeys(config.load("local").sources, server.port)
        given = ",".join(f"{source}:{port}" for source, port in ports.items())
        environment = config.load("local", ports)
        synthesis.synth(state / "cdk.out", validate=False, env="local", source_ports=given, lake_root=str(root))
        deploy.deploy(state / "cdk.out", endpoint.url)
        up = Laptop(endpoint.process.pid, endpoint.port, ports, endpoint.region, state)
        lake = SmallLake(up, Target(environment, endpoint.url, root), PIPELINE, server)
        _fill(lake)
        yield lake
    finally:
        endpoint.process.terminate()
        endpoint.process.wait(30)
        server.stop()


def _fill(lake: SmallLake) -> None:
    source = lake.environment.sources["saas"]
    secret = json.loads(
        lake.client("secretsmanager").get_secret_value(SecretId=lake.environment.secret("saas"))["SecretString"]
    )
    lake.admin.create_database(source.database)
    lake.sql(TABLE)
    lake.admin.let_read(source.database, secret["username"], secret["password"])


def _write(root: Path, contract: Callable[[str], str]) -> Path:
    named = {PIPELINE, *config.load("local").schedules}  # an environment's schedules are of pipelines that there are
    files = {f"pipelines/{each}.yaml": PIPELINE_FILE for each in named}
    for each in config.load("local").streams:  # nor are its streams of datasets that there are not
        name = f"contracts/{each.replace('.', '/')}.odcs.yaml"
        files[name] = (contracts.ROOT / name).read_text()
    files["contracts/saas/orders.odcs.yaml"] = contract(_orders())
    for name, sql in MODELS.items():
        files[f"models/{name}.sql"] = sql
        files[f"contracts/gold/{name}.odcs.yaml"] = _gold(name)
    for name, text in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return root


def _orders() -> str:
    custom = "{ property: loadMode, value: incremental }, { property: cursor, value: changed_at }"
    columns = {**ORDERS, "changed_at": ("timestamp", ", required: true")}
    return _contract("saas", "orders", custom, columns)


def _gold(name: str) -> str:
    columns = {"customer": ("string", KEY), "amount": ('"decimal(18,2)"', "")}
    return _contract("gold", name, "{ property: loadMode, value: full }", columns)


def _contract(source: str, name: str, custom: str, columns: dict[str, tuple[str, str]]) -> str:
    text = HEAD.format(source=source, name=name, custom=custom)
    for column, (kind, more) in columns.items():
        origin = f", transformSourceObjects: [{name}.{column}]" if source != "gold" else ""
        text += COLUMN.format(name=column, kind=kind, more=f"{more}{origin}, description: Of the small lake.")
    return text + (GATE if name == "orders" else "")
