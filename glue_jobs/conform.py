"""Conform rows to their contract: its columns in its types, and beside each row the rules that it breaks."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from functools import reduce
from operator import or_

from pyspark.sql import Column, DataFrame, functions as F

from glue_jobs.failures import SourceColumnMissingError
from lake.arrivals import ARRIVED_AT, OWN_FIELDS, SEQUENCE
from lake.evolution import identity
from lake.model import Dataset, Reference

INGESTED = ("_ingested_at", "_run", *OWN_FIELDS)  # what bronze adds to the source's columns
RULES = "_rules"
LANE = "_lane"
ARRIVAL = "_arrival"  # of an event: by which of two it is told which came first
LONGEST_SEQUENCE = 128  # digits of Kinesis' sequence numbers, which are compared as texts
SOURCE = "_source_"  # before the name of a source column that is kept as it came
WHOLE = ("tinyint", "smallint", "int", "bigint")

Broken = tuple[str, Column]


def conform(bronze: DataFrame, dataset: Dataset, logical: datetime, parents: Mapping[str, DataFrame]) -> DataFrame:
    """The contract's columns, `_version`, `_hash`, the broken `_rules`, and what else `raw` needs.

    `_lane` is 0 for a clean row; a broken one shares its lane with its exact copies only. `parents` holds, for each
    reference by name, the distinct keys of its parent as ingested.
    """
    kinds = dict(bronze.dtypes)
    rows = typed(bronze, dataset)
    for reference in dataset.references:
        rows = rows.join(*_look_up(parents[reference.name], reference), how="left")
    rules = [
        *_type_rules(dataset, kinds),
        *_required_rules(dataset, rows.columns),
        *_row_rules(dataset),
        *_references(dataset),
    ]
    judged = rows.select(
        *(quoted(name) for name in rows.columns if name.startswith(SOURCE)),
        *_names(dataset),
        _version(dataset, logical).alias("_version"),
        _hash(dataset).alias("_hash"),
        *((ARRIVAL,) if dataset.is_stream else ()),
        broken(rules).alias(RULES),
    )
    copies = F.xxhash64(own(judged.columns, dataset)).bitwiseOR(F.lit(1))
    return judged.withColumn(LANE, F.when(F.size(RULES) == 0, F.lit(0).cast("bigint")).otherwise(copies))


def typed(bronze: DataFrame, dataset: Dataset) -> DataFrame:
    """Each column cast to its type, null where it cannot be; source columns that this could change are kept beside."""
    found = [name for name in bronze.columns if name not in INGESTED]
    missing = [column.source for column in dataset.columns if column.source not in found]
    if missing:
        raise SourceColumnMissingError(
            f'Column "{missing[0]}" of table "{dataset.source_object}" does not exist in source "{dataset.source}".',
            "Bring the column back, or correct the contract, then redrive the execution.",
        )
    kinds = dict(bronze.dtypes)
    same = {each.source for each in dataset.columns if _exact(kinds[each.source], each.type)}
    kept = (F.col(quoted(name)).alias(f"{SOURCE}{name}") for name in found if name not in same)
    casts = (F.expr(f"try_cast({quoted(each.source)} AS {each.type})").alias(each.name) for each in dataset.columns)
    return bronze.select(*kept, *casts, *(_arrival() if dataset.is_stream else ()))


def _arrival() -> Iterator[Column]:
    """When an event arrived, which rules compare its times with, and its place among those of its time."""
    at = F.expr(f"try_cast({ARRIVED_AT} AS timestamp)")
    yield at.alias(ARRIVED_AT)
    yield F.struct(at, F.lpad(F.col(SEQUENCE), LONGEST_SEQUENCE, "0")).alias(ARRIVAL)


def raw(columns: Sequence[str], dataset: Dataset) -> Column:
    """The row as it came: its source columns in order of name, from those kept and those that no cast has changed."""
    came = {name.removeprefix(SOURCE): F.col(quoted(name)) for name in columns if name.startswith(SOURCE)}
    for each in dataset.columns:
        came.setdefault(each.source, F.col(quoted(each.name)))
    return F.struct(*(came[name].alias(name) for name in sorted(came)))


def own(columns: Sequence[str], dataset: Dataset) -> Column:
    """Of the row as it came, what the contract names: it stays the same row when the source adds a column."""
    known = {each.source for each in dataset.columns}
    return raw([name for name in columns if name.removeprefix(SOURCE) in known], dataset)


def parent_keys(bronze: DataFrame, parent: Dataset, reference: Reference, small: bool) -> DataFrame:
    """The distinct keys of a parent as ingested: its quarantined rows do not orphan their children."""
    columns = {column.name: column for column in parent.columns}
    wanted = [columns[name] for name in reference.parent_columns]
    keys = bronze.select(*(F.expr(f"try_cast({quoted(each.source)} AS {each.type})") for each in wanted))
    named = keys.toDF(*(_key(reference, number) for number in range(len(wanted)))).distinct()
    return F.broadcast(named) if small else named


def broken(rules: list[Broken]) -> Column:
    """The names of the broken rules; a clean row costs one comparison of each and no array."""
    nothing = F.array().cast("array<string>")
    if not rules:
        return nothing
    names = F.array_compact(F.array(*(F.when(condition, F.lit(name)) for name, condition in rules)))
    return F.when(reduce(or_, (condition for _, condition in rules)), names).otherwise(nothing)


def _look_up(keys: DataFrame, reference: Reference) -> tuple[DataFrame, Column]:
    pairs = [F.col(name) == F.col(_key(reference, number)) for number, name in enumerate(reference.columns)]
    return keys, reduce(lambda left, right: left & right, pairs)


def _type_rules(dataset: Dataset, kinds: Mapping[str, str]) -> Iterator[Broken]:
    for column in dataset.columns:
        if _exact(kinds[column.source], column.type) or column.type == "string":
            continue
        given, lost = F.col(quoted(f"{SOURCE}{column.source}")), F.col(column.name).isNull()
        if _may_round(kinds[column.source], column.type):
            exact = f"try_cast({quoted(f'{SOURCE}{column.source}')} AS decimal(38,18))"
            lost |= F.coalesce(F.expr(f"{exact} <> {quoted(column.name)}"), F.lit(False))
        yield f"type_{column.name}", given.isNotNull() & lost


def _exact(source: str, target: str) -> bool:
    """Whether every value is the same after the cast, so that the row as it came can be told from it."""
    wider = source in WHOLE and target in WHOLE and WHOLE.index(source) <= WHOLE.index(target)
    return source == target or wider


def _may_round(source: str, target: str) -> bool:
    """Whether a cast could drop digits without a word; a double's own digits are not exact to begin with."""
    exact = source == "string" or source.startswith("decimal")
    scale = re.fullmatch(r"decimal\(\d+,(\d+)\)", target)
    if scale:
        held = re.fullmatch(r"decimal\(\d+,(\d+)\)", source)
        return exact and not (held and int(held[1]) <= int(scale[1]))
    return target in ("int", "bigint") and (source in ("float", "double") or source.startswith("decimal"))


def _required_rules(dataset: Dataset, columns: Sequence[str]) -> Iterator[Broken]:
    for column in dataset.columns:
        if column.required:
            kept = f"{SOURCE}{column.source}"
            yield f"required_{column.name}", F.col(quoted(kept if kept in columns else column.name)).isNull()


def _row_rules(dataset: Dataset) -> Iterator[Broken]:
    for rule in dataset.rules:
        yield rule.name, F.coalesce(~F.expr(rule.expression), F.lit(False))


def _references(dataset: Dataset) -> Iterator[Broken]:
    for reference in dataset.references:
        given = reduce(lambda left, right: left & right, (F.col(name).isNotNull() for name in reference.columns))
        yield reference.name, given & F.col(_key(reference, 0)).isNull()


def _version(dataset: Dataset, logical: datetime) -> Column:
    at = F.lit(int(logical.timestamp())).cast("timestamp")
    return at if dataset.cursor is None else F.coalesce(F.col(dataset.cursor).cast("timestamp"), at)


def _hash(dataset: Dataset) -> Column:
    """Of the values that are there, by their columns' ids: a new nullable column leaves it, and so does a new name.

    128 bits, as two hashes of 64 that begin differently: it is compared within one key only, and SHA-256 of the row as
    JSON took a quarter of refine's time.
    """
    ids = sorted((identity(column), column.name, column.type) for column in dataset.columns)
    there = [part for each in ids for part in _told(*each)]
    return F.concat_ws("-", *(F.hex(F.xxhash64(F.lit(half), *there)) for half in (1, 2)))


def _told(id_: str, name: str, type_: str) -> tuple[Column, Column]:
    """The hash passes over nulls, so each value that is there says whose it is; a wider whole number is the same."""
    value = F.col(name)
    return F.when(value.isNotNull(), F.lit(id_)), value.cast("bigint") if type_ in WHOLE else value


def _names(dataset: Dataset) -> list[str]:
    return [column.name for column in dataset.columns]


def _key(reference: Reference, number: int) -> str:
    return f"_{reference.name}_{number}"


def quoted(name: str) -> str:
    return f"`{name.replace('`', '``')}`"
