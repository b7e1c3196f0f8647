"""Pipelines: one YAML file for each, naming its datasets, its models, when it runs and who owns it."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from functools import cache
from pathlib import Path
from typing import Any

import contracts
from config import Environment
from config.checks import Schema
from config.positions import Document, Field, FileError, Problem, read, suggestion
from contracts.contract import GOLD
from lake.model import Dataset, Pipeline
from lake.runs import ERASURE, MAINTENANCE

OFF = "off"
NAME = re.compile(r"[a-z][a-z0-9_]{0,39}")


class PipelineError(FileError):
    """A pipeline is unknown, or its file names what is not there."""


def names(root: Path = contracts.ROOT) -> list[str]:
    """The name of every pipeline: root/pipelines/NAME.yaml."""
    return sorted(path.stem for path in (root / "pipelines").glob("*.yaml"))


def load(name: str, root: Path = contracts.ROOT) -> Pipeline:
    """One pipeline by name."""
    known = names(root)
    if name not in known:
        remedy = f"{suggestion(name, known)} Correct it, or add pipelines/{name}.yaml."
        raise PipelineError([Problem(f"pipelines/{name}.yaml", 1, "", name, "expected a pipeline", remedy)])
    return _pipeline(name, root, contracts.ids(root))


def load_all(root: Path = contracts.ROOT) -> dict[str, Pipeline]:
    """Every pipeline by name; raises PipelineError with all that is wrong in any of their files."""
    known, made = contracts.ids(root), {}
    problems: list[Problem] = []
    for name in names(root):
        try:
            made[name] = _pipeline(name, root, known)
        except PipelineError as error:
            problems += error.problems
    if problems:
        raise PipelineError(problems)
    return made


def schedule(pipeline: Pipeline, environment: Environment) -> str:
    """When a pipeline starts in an environment: cron(...) in UTC, or nothing where it is started by hand."""
    said = environment.schedules.get(pipeline.name, pipeline.schedule)
    return "" if said == OFF else said


def check_order(pipelines: Iterable[Pipeline], datasets: Mapping[str, Dataset], root: Path = contracts.ROOT) -> None:
    """Raises where a model comes before another of its pipeline that it reads."""
    problems = []
    for pipeline in pipelines:
        for place, model in enumerate(pipeline.models):
            later = [each for each in datasets[model].inputs if each in pipeline.models[place:]]
            if later:
                expected = f"expected after '{later[0]}', which it reads"
                document = _read(pipeline.name, root)
                problems.append(document.problem(("models", place), model, expected, "Move it behind."))
    if problems:
        raise PipelineError(problems)


def _read(name: str, root: Path) -> Document:
    return read(root / "pipelines" / f"{name}.yaml", f"pipelines/{name}.yaml", PipelineError)


def _pipeline(name: str, root: Path, known: list[str]) -> Pipeline:
    document = _read(name, root)
    problems = _schema().problems(document) or _beyond_schema(name, document, known)
    if problems:
        raise PipelineError(problems)
    data: dict[str, Any] = document.data
    said = data.get("schedule", OFF)
    return Pipeline(
        name=name,
        schedule="" if said == OFF else said,
        interval_hours=data["interval_hours"],
        datasets=tuple(data["datasets"]),
        models=tuple(data.get("models", ())),
        sla_minutes=data["sla_minutes"],
        owner=data["owner"],
    )


@cache
def _schema() -> Schema:
    return Schema(Path(__file__).parent / "pipeline.schema.json")


def _beyond_schema(name: str, document: Document, known: list[str]) -> list[Problem]:
    problems = []
    if not NAME.fullmatch(name):
        expected = "expected a name of at most 40 lower-case letters, digits and _, a letter first"
        problems.append(document.problem((), name, expected, "Rename the file."))
    if name in (MAINTENANCE, ERASURE):
        what = {MAINTENANCE: "the maintenance of tables", ERASURE: "the erasure of people's rows"}[name]
        expected = f"expected another name: that of {what}"
        problems.append(document.problem((), name, expected, "Rename the file."))
    gold = [each for each in known if each.startswith(f"{GOLD}.")]
    loaded = [each for each in known if each not in gold]
    for key, fitting, kind in (("datasets", loaded, "a dataset"), ("models", gold, "a gold dataset")):
        listed = document.data.get(key, [])
        for number, each in enumerate(listed):
            field: Field = (key, number)
            if each not in fitting:
                expected = f"expected {kind} that has a contract"
                problems.append(document.problem(field, each, expected, suggestion(each, fitting)))
            elif each in listed[:number]:
                problems.append(document.problem(field, each, "expected each once", "Remove one of the two."))
    return problems
