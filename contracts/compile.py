"""Contracts, pipelines and an environment, compiled to the plain JSON that jobs and functions read."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import config
import contracts
import pipelines
from config import ConfigError, Environment
from config.positions import Problem, suggestion
from contracts import governance, queries, versions
from contracts.contract import GOLD
from contracts.queries import Queries
from lake import model
from lake.governance import plan, readable_whole
from lake.masking import MASKING_KEY, SUFFIX, with_masked
from lake.model import Dataset, Pipeline
from lake.rights import Plan
from lake.subjects import ERASURE_KEY

PACKAGE = "compiled"
RESOURCES = (
    "apply",
    "ingest",
    "refine",
    "mask",
    "model",
    "maintain",
    "forget",
    "start",
    "plan",
    "conclude",
    "alert",
    "freshness",
    "alerts",
)
RUNBOOK = "docs/runbook.md"


@dataclass(frozen=True)
class Compiled:
    """The lake of one environment: the files that jobs read, by their path, and what stacks deploy of it."""

    files: Mapping[str, Any]
    queries: Queries
    plan: Plan
    readable: Mapping[str, tuple[str, ...]]  # by role: the layers that IAM alone may open to it

    def write(self, folder: Path) -> None:
        """The package `compiled` in a folder, the same bytes for the same lake."""
        package = folder / PACKAGE
        for part in ("datasets", "pipelines"):
            (package / part).mkdir(parents=True, exist_ok=True)
        (package / "__init__.py").write_text('"""The lake of one environment, compiled from its contracts."""\n')
        for name, content in self.files.items():
            text = json.dumps(content, ensure_ascii=False, separators=(",", ":"), default=vars)
            (package / name).write_text(text, encoding="utf-8")


def write(folder: Path, environment: Environment, root: Path = contracts.ROOT) -> None:
    """The package `compiled` of an environment in a folder."""
    read(environment, root).write(folder)


def read(environment: Environment, root: Path = contracts.ROOT) -> Compiled:
    """The lake as its files say it; raises what is wrong in any of them."""
    versions.check(root)
    datasets, runs = contracts.load_all(root), pipelines.load_all(root)
    _check(environment, datasets, runs, root)
    pipelines.check_order(runs.values(), datasets, root)
    described = describe(environment, runs)
    datasets = with_masked(datasets)
    found = queries.load_all(root, datasets, described.databases)
    files: dict[str, Any] = {"environment.json": described, "views.json": found.views}
    rights = plan(described, datasets.values(), found.views)
    files |= {f"datasets/{each.id}.json": _governed(each, rights) for each in datasets.values()}
    for each in runs.values():
        masks = [beside for name in each.datasets if (beside := f"{name}{SUFFIX}") in datasets]
        files[f"pipelines/{each.name}.json"] = replace(
            each, schedule=pipelines.schedule(each, environment), models=(*masks, *each.models)
        )
    readable = {each.name: readable_whole(each, datasets.values()) for each in described.roles}
    return Compiled(files, found, rights, readable)


def _governed(dataset: Dataset, rights: Plan) -> Dataset:
    return dataset if rights.mode == "iam" else replace(dataset, governed=rights.of(dataset.id).hash)


def describe(environment: Environment, runs: Iterable[str] = ()) -> model.Environment:
    """What jobs and functions know of their environment."""
    return model.Environment(
        name=environment.name,
        account=environment.account,
        region=environment.region,
        buckets={layer: environment.bucket(layer) for layer in config.LAYERS},
        databases={layer: environment.database(layer) for layer in config.DATABASES},
        ledger=environment.resource("ledger"),
        topic_arn=environment.topic_arn,
        connections={source: environment.resource(source) for source in environment.sources},
        resources={noun: environment.resource(noun) for noun in (*RESOURCES, *runs)}
        | {each: environment.secret(each) for each in (MASKING_KEY, ERASURE_KEY)},
        rows_per_partition=environment.sizes.rows_per_partition,
        lease_wait=60 * min(environment.sizes.timeouts.values()) / 2,
        rulesets=environment.resource(""),
        maintenance=environment.maintenance,
        runbook=RUNBOOK,
        retention=environment.retention,
        governance=environment.governance,
        roles=tuple(environment.roles.values()),
        record_hours={dataset: each.max_record_age_hours for dataset, each in environment.streams.items()},
        stream_hours={dataset: each.retention_hours for dataset, each in environment.streams.items()},
    )


def _check(environment: Environment, datasets: Mapping[str, Dataset], runs: Mapping[str, Pipeline], root: Path) -> None:
    """What holds only between an environment, its contracts and its pipelines."""
    problems = [*_of_streams(environment, datasets), *governance.problems(environment, datasets, root)]
    loaded = {each.source for each in datasets.values() if not each.is_stream}
    for source in sorted(loaded - {GOLD, *environment.sources}):
        expected = f"expected among sources, since contracts/{source} has contracts"
        remedy = "Add its engine, host, port and database."
        problems.append(config.problem(environment, ("sources",), source, expected, remedy))
    for name in sorted(set(environment.schedules) - set(runs)):
        remedy = suggestion(name, runs)
        problems.append(config.problem(environment, ("schedules", name), name, "expected a pipeline", remedy))
    if problems:
        raise ConfigError(problems)


def _of_streams(environment: Environment, datasets: Mapping[str, Dataset]) -> Iterator[Problem]:
    """Each dataset of events has a stream, and each stream such a dataset."""
    streamed = [each.id for each in datasets.values() if each.is_stream]
    for dataset in streamed:
        if dataset not in environment.streams:
            expected = "expected among streams, since its contract says loadMode stream"
            remedy = f"Add `{dataset}: {{ capacity: on_demand, … }}` to `streams:`."
            yield config.problem(environment, ("streams",), dataset, expected, remedy)
    for dataset in environment.streams:
        if dataset not in streamed:
            expected = "expected a dataset whose contract says loadMode stream"
            remedy = suggestion(dataset, streamed)
            yield config.problem(environment, ("streams", dataset), dataset, expected, remedy)
