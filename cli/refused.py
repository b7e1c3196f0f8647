"""What the quarantine tables of a lake hold, read through Athena: on the laptop and on AWS by who may query them."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

from cli.query import fetch
from cli.target import Target

if TYPE_CHECKING:
    from lake.model import Dataset

DATASETS_PER_QUERY = 50
MASK = "***"
SHOWN = ("public", "internal")


def counts(at: Target, datasets: Iterable[Dataset], *, run: str = "", state: str = "") -> list[tuple[Any, ...]]:
    """Dataset, rule, state, rows, the first and the last run that refused one."""
    there = _tables(at)
    asked = [each for each in datasets if each.quarantine_table in there]
    where = _where(run=run, state=state)
    found: list[tuple[Any, ...]] = []
    for start in range(0, len(asked), DATASETS_PER_QUERY):
        selects = (
            f'SELECT \'{each.id}\', rule, "_state", count(*), min("_first_run"), max("_last_run")'
            f' FROM {_table(at, each)} CROSS JOIN UNNEST("_rules") AS broken (rule)'
            f' WHERE {where} GROUP BY rule, "_state"'
            for each in asked[start : start + DATASETS_PER_QUERY]
        )
        _, rows, _ = fetch(at, " UNION ALL ".join(selects))
        found += [(*row[:3], int(row[3] or 0), *row[4:]) for row in rows]
    return sorted(found)


def refused(at: Target, dataset: Dataset, *, rule: str, run: str, limit: int) -> list[dict[str, Any]]:
    """Rows as they came, the last refused first: those that are open, or all that a run refused."""
    if dataset.quarantine_table not in _tables(at):
        return []
    where = _where(rule=rule, run=run, state="" if run else "open")
    _, rows, _ = fetch(
        at,
        'SELECT "_raw", array_join("_rules", \',\'), "_state", "_first_run", "_last_run"'
        f' FROM {_table(at, dataset)} WHERE {where} ORDER BY "_last_run" DESC, "_row_hash" LIMIT {int(limit)}',
    )
    return [
        {
            "row": _whole(json.loads(raw or "{}", parse_float=str), dataset),
            "rules": (rules or "").split(","),
            "state": state,
            "first_run": first,
            "last_run": last,
        }
        for raw, rules, state, first, last in rows
    ]


def states(at: Target, dataset: Dataset, run: str) -> dict[str, int]:
    """The rows that are open, and those that this run closed."""
    where = f'"_state" = \'open\' OR "_last_run" = {_text(run)}'
    _, rows, _ = fetch(at, f'SELECT "_state", count(*) FROM {_table(at, dataset)} WHERE {where} GROUP BY "_state"')
    return {str(state): int(rows or 0) for state, rows in rows}


def masked(row: Mapping[str, Any], dataset: Dataset) -> dict[str, Any]:
    """The row without the values of columns that are personal, or that the contract does not class."""
    shown = {each.source for each in dataset.columns if each.classification in SHOWN}
    return {name: value if value is None or name in shown else MASK for name, value in row.items()}


def _whole(came: Mapping[str, Any], dataset: Dataset) -> dict[str, Any]:
    """With the contract's columns that had no value, which the row as kept does not name."""
    return dict(sorted({**{each.source: None for each in dataset.columns}, **came}.items()))


def _where(*, rule: str = "", run: str = "", state: str = "") -> str:
    asked = [f'contains("_rules", {_text(rule)})'] if rule else []
    asked += [f'("_first_run" = {_text(run)} OR "_last_run" = {_text(run)})'] if run else []
    asked += [f'"_state" = {_text(state)}'] if state else []
    return " AND ".join(asked) or "1 = 1"


def _tables(at: Target) -> set[str]:
    pages = at.client("glue").get_paginator("get_tables")
    asked = {"DatabaseName": at.environment.database("silver"), "Expression": ".*__quarantine"}
    return {each["Name"] for page in pages.paginate(**asked) for each in page["TableList"]}


def _table(at: Target, dataset: Dataset) -> str:
    return f"{at.environment.database('silver')}.{dataset.quarantine_table}"


def _text(value: str) -> str:
    return "'" + value.replace("'", "''") + "'"
