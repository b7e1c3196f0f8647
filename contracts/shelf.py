"""The contracts of one root, each read once and only when it is needed, checked together and made into datasets."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Iterator
from dataclasses import replace
from functools import cache
from pathlib import Path

from config.positions import Problem
from contracts import columns, declassified, loading, masks, models, quality, references, row_filters
from contracts.contract import (
    GOLD,
    SUFFIX,
    ContractError,
    Source,
    custom_problems,
    identity_problems,
    open_file,
    sla,
)
from lake.model import Dataset

# Neither tables nor jobs depend on them; who sees a table is applied by itself.
NOT_HASHED = ("hash", "version", "owner", "freshness_hours", "row_filters", "roles", "governed")


_JUDGED: dict[tuple[object, ...], Dataset] = {}  # by all that a dataset follows from, for files that stay as they are


class Shelf:
    """The contracts of `root`, whose ids are `known`."""

    def __init__(self, root: Path, known: list[str]) -> None:
        self._root = root
        self._known = known
        self._ids = frozenset(known)
        self._tables = {_table(dataset): dataset for dataset in known}
        self._source = cache(self._open)

    def datasets(self, wanted: Iterable[str]) -> dict[str, Dataset]:
        """The datasets wanted; raises ContractError with all that is wrong in any of them."""
        problems = list(_clashes(self._known))
        made = {}
        for dataset in wanted:
            try:
                made[dataset] = self._dataset(dataset)
            except ContractError as error:
                problems += error.problems
        problems += models.circles({each.id: each.inputs for each in made.values() if each.sql})
        if problems:
            raise ContractError(dict.fromkeys(problems))
        return made

    def _open(self, dataset: str) -> Source:
        business, _, name = dataset.partition(".")
        return open_file(self._root / "contracts" / business / f"{name}{SUFFIX}", dataset)

    def _around(self, named: Iterable[str]) -> tuple[dict[str, Source], list[Problem]]:
        """The contracts that one names, and what is wrong with those that cannot be read."""
        read: dict[str, Source] = {}
        problems: list[Problem] = []
        for each in named:
            try:
                read[each] = self._source(each)
            except ContractError as error:
                problems += error.problems
        return read, problems

    def _dataset(self, dataset: str) -> Dataset:
        source = self._source(dataset)
        model = models.open_model(self._root, source.name) if source.is_gold else None
        named = (
            references.parents(source, self._tables)
            | masks.named(source, self._tables)
            | set(models.inputs(model, self._tables) if model else ())
        )
        around, broken = self._around(named)
        texts = [each.document.text for _, each in sorted(around.items())]
        follows = (dataset, self._ids, source.document.text, model.sql if model else None, *texts)
        if broken or follows not in _JUDGED:
            _JUDGED[follows] = self._judged(source, model, around, broken)
        return _JUDGED[follows]

    def _judged(
        self, source: Source, model: models.Model | None, around: dict[str, Source], broken: list[Problem]
    ) -> Dataset:
        rules = quality.quality(source)
        problems = [*broken, *_problems(source), *rules.problems, *references.problems(source, self._tables, around)]
        problems += masks.problems(source, self._tables, around)
        problems += models.problems(model, source, self._tables, around) if model and not broken else []
        if problems:
            raise ContractError(sorted(problems, key=lambda problem: (problem.file, problem.line)))
        described = _described(source)
        made = replace(
            described,
            rules=tuple(rules.rules),
            gates=(*rules.gates, *declassified.gates(source)),
            references=references.references(source, self._tables),
            sql=model.sql if model else None,
            inputs=models.inputs(model, self._tables) if model else (),
        )
        return replace(made, hash=_hash(made))


def _problems(source: Source) -> list[Problem]:
    levels = [sla(source, name)[1] for name in ("freshness", "retention")]
    return [
        *identity_problems(source),
        *custom_problems(source),
        *columns.problems(source),
        *loading.problems(source),
        *row_filters.problems(source),
        *(each for each in levels if each),
    ]


def _described(source: Source) -> Dataset:
    """The dataset as its contract alone says it, without its rules."""
    data, retention = source.document.data, sla(source, "retention")[0]
    return Dataset(
        id=source.id,
        source=source.business,
        name=source.name,
        layer=GOLD if source.is_gold else "silver",
        version=data["version"],
        hash="",
        columns=columns.columns(source),
        key=columns.key(source),
        description=" ".join(data["description"]["purpose"].split()),
        owner=data["team"]["name"],
        source_object=columns.source_object(source),
        cursor=loading.version(source),
        load_mode=loading.mode(source),
        lookback_hours=loading.lookback_hours(source),
        deletes=loading.deletes(source),
        partition_by=tuple(source.custom("partitionBy")[1] or ()),
        sort_by=tuple(source.custom("sortBy")[1] or ()),
        freshness_hours=sla(source, "freshness")[0],
        subject=source.custom("subjectId")[1],
        masked_gates=masks.gates(source),
        row_filters=row_filters.row_filters(source),
        roles=tuple(each["role"] for each in data.get("roles", ())),
        retention_days=None if retention is None else round(retention / 24),
    )


def _table(dataset: str) -> str:
    return dataset.replace(".", "_", 1)


def _clashes(known: Iterable[str]) -> Iterator[Problem]:
    """`a.b_c` and `a_b.c` would be one table."""
    seen: dict[str, str] = {}
    for dataset in known:
        other = seen.setdefault(_table(dataset), dataset)
        if other != dataset:
            expected = f"expected a dataset whose table is not that of '{other}', '{_table(dataset)}'"
            file = f"contracts/{dataset.replace('.', '/')}{SUFFIX}"
            yield Problem(file, 1, "", dataset, expected, "Rename one of the two.")


def _hash(dataset: Dataset) -> str:
    """What the dataset's tables and jobs depend on."""
    kept = {name: value for name, value in vars(dataset).items() if name not in NOT_HASHED}
    return hashlib.sha256(json.dumps(kept, sort_keys=True, default=vars).encode()).hexdigest()
