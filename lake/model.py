"""The compiled lake: contracts, pipelines and names as plain data, read one file at a time."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from difflib import get_close_matches
from functools import cached_property
from importlib import resources
from importlib.resources.abc import Traversable
from typing import Any

from lake.catalog import CATALOG
from lake.compiled_parts import CompiledLakeError as CompiledLakeError
from lake.environment import Environment as Environment, environment_from_dict
from lake.parts import (
    Column as Column,
    Dataset as Dataset,
    Gate as Gate,
    Pipeline as Pipeline,
    Reference as Reference,
    RowRule as RowRule,
    dataset_from_dict,
    pipeline_from_dict,
)
from lake.runs import RunId
from lake.views import View, view_from_dict


class UnknownDatasetError(KeyError):
    """A dataset that no contract describes."""

    __str__ = Exception.__str__  # KeyError would show the message in quotes


class UnknownPipelineError(KeyError):
    """A pipeline that no file describes."""

    __str__ = Exception.__str__


class Lake:
    """The lake as deployed: `lake.dataset("saas.users")`, and the names and places that follow from its contract."""

    def __init__(self, read: Callable[[str], str], names: Callable[[str], list[str]]) -> None:
        self._read = read
        self._names = names
        self._datasets: dict[str, Dataset] = {}
        self._pipelines: dict[str, Pipeline] = {}

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Lake:
        """A lake of {"environment": {}, "datasets": [], "pipelines": []}."""
        files = {"environment.json": data["environment"], "views.json": data.get("views", [])}
        files |= {f"datasets/{each['id']}.json": each for each in data.get("datasets", ())}
        files |= {f"pipelines/{each['name']}.json": each for each in data.get("pipelines", ())}
        texts = {path: json.dumps(content) for path, content in files.items()}
        return cls(texts.__getitem__, lambda folder: [path for path in texts if path.startswith(f"{folder}/")])

    @cached_property
    def environment(self) -> Environment:
        return environment_from_dict(self._load("environment.json"))

    def dataset(self, dataset: str) -> Dataset:
        if dataset not in self._datasets:
            try:
                self._datasets[dataset] = dataset_from_dict(self._load(f"datasets/{dataset}.json"))
            except (KeyError, FileNotFoundError) as error:
                raise UnknownDatasetError(_unknown("dataset", dataset, self.dataset_ids())) from error
        return self._datasets[dataset]

    def pipeline(self, pipeline: str) -> Pipeline:
        if pipeline not in self._pipelines:
            try:
                self._pipelines[pipeline] = pipeline_from_dict(self._load(f"pipelines/{pipeline}.json"))
            except (KeyError, FileNotFoundError) as error:
                raise UnknownPipelineError(_unknown("pipeline", pipeline, self.pipeline_names())) from error
        return self._pipelines[pipeline]

    def dataset_ids(self) -> list[str]:
        return self._stems("datasets")

    def pipeline_names(self) -> list[str]:
        return self._stems("pipelines")

    def pipelines(self) -> Iterator[Pipeline]:
        return map(self.pipeline, self.pipeline_names())

    def views(self) -> Iterator[View]:
        return map(view_from_dict, json.loads(self._read("views.json")))

    def table(self, dataset: Dataset) -> str:
        """The table's name in Spark SQL."""
        return f"{CATALOG}.{self.environment.databases[dataset.layer]}.{dataset.table}"

    def quarantine(self, dataset: Dataset) -> str:
        return f"{CATALOG}.{self.environment.databases['silver']}.{dataset.quarantine_table}"

    def deleted(self, dataset: Dataset) -> str:
        """The table of the tombstones: keys of rows that the source no longer has."""
        return f"{CATALOG}.{self.environment.databases['silver']}.{dataset.deleted_table}"

    def location(self, dataset: Dataset) -> str:
        return f"s3://{self.environment.buckets[dataset.layer]}/{dataset.folder}"

    def quarantine_location(self, dataset: Dataset) -> str:
        return f"s3://{self.environment.buckets['silver']}/{dataset.folder.rstrip('/')}__quarantine/"

    def ruleset(self, dataset: Dataset) -> str:
        """The name of the dataset's Glue Data Quality ruleset."""
        return f"{self.environment.rulesets}{dataset.table}"

    def deleted_location(self, dataset: Dataset) -> str:
        return f"s3://{self.environment.buckets['silver']}/{dataset.folder.rstrip('/')}__deleted/"

    def bronze_object(self, key: str) -> str:
        """The path by which jobs read an object of bronze."""
        return f"s3://{self.environment.buckets['bronze']}/{key}"

    def bronze_prefix(self, dataset: Dataset, run: str, attempt: int) -> str:
        """Where one attempt of a run puts what it read; no other attempt writes there."""
        logical = RunId.parse(run).logical_text
        bucket = self.environment.buckets["bronze"]
        return f"s3://{bucket}/{dataset.folder}logical={logical}/run={run}-{attempt}/"

    def keys_prefix(self, dataset: Dataset, run: str, attempt: int) -> str:
        """Where that attempt puts the keys that the source had: beside the rows, whose table must not show them."""
        folder = dataset.folder.rstrip("/")
        return self.bronze_prefix(dataset, run, attempt).replace(f"/{folder}/", f"/{folder}__keys/", 1)

    def _load(self, path: str) -> dict[str, Any]:
        loaded: dict[str, Any] = json.loads(self._read(path))
        return loaded

    def _stems(self, folder: str) -> list[str]:
        names = (path.rpartition("/")[2] for path in self._names(folder))
        return sorted(name.removesuffix(".json") for name in names if name.endswith(".json"))


def load() -> Lake:
    """The lake compiled into package `compiled`, beside this one in every asset: a folder or a zip."""
    try:
        root = resources.files("compiled")
    except ModuleNotFoundError as error:
        raise CompiledLakeError(
            "The package 'compiled': expected beside 'lake' on sys.path. Synthesize the app, which makes it."
        ) from error
    return Lake(_reader(root), lambda folder: [each.name for each in (root / folder).iterdir()])


def _reader(root: Traversable) -> Callable[[str], str]:
    return lambda path: (root / path).read_text(encoding="utf-8")


def _unknown(kind: str, name: str, known: list[str]) -> str:
    near = get_close_matches(name, known, n=1)
    hint = f" Did you mean '{near[0]}'?" if near else ""
    listed = ", ".join(known[:20]) + (", …" if len(known) > 20 else "")
    return f"Unknown {kind} '{name}': expected one of {listed}.{hint}"
