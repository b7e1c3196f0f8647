"""ALTER TABLE of partitions: ADD, DROP, RENAME TO and SET LOCATION; and which ones a table has."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from local.engines.athena_catalog import Entry
from local.engines.athena_errors import HIVE_FAILED, QueryError, RefusedError
from local.engines.athena_metadata import is_iceberg
from local.engines.athena_session import Session
from local.engines.athena_storage import add_partitions, partition_folder
from local.engines.athena_words import Words

Action = Callable[[Session, Entry], None]
Spec = dict[str, str]


def add_partition(words: Words) -> Action:
    if_absent = words.accept("IF", "NOT", "EXISTS")
    asked: list[tuple[Spec, str | None]] = []
    while words.accept("PARTITION"):
        asked.append((spec(words), words.string() if words.accept("LOCATION") else None))
    if not asked:
        raise words.unexpected("'PARTITION'")

    def act(session: Session, entry: Entry) -> None:
        found = partitions(session, entry)
        new = []
        for told, place in asked:
            values = values_of(entry, told)
            if values in found and not if_absent:
                raise QueryError("FAILED", f"{HIVE_FAILED} AlreadyExistsException(message:Partition already exists.)")
            if values not in found:
                new.append((values, place or default_place(entry, values)))
        table = {**entry.glue, "DatabaseName": entry.table.database, "Name": entry.table.name}
        add_partitions(session.catalog.glue, table, new)

    return act


def drop_partition(words: Words) -> Action:
    if_there = words.accept("IF", "EXISTS")
    words.expect("PARTITION")
    asked = [spec(words)]
    while words.accept(","):
        words.expect("PARTITION")
        asked.append(spec(words))

    def act(session: Session, entry: Entry) -> None:
        found = partitions(session, entry)
        for told in asked:
            values = values_of(entry, told)
            if values in found:
                session.catalog.glue.delete_partition(
                    DatabaseName=entry.table.database, TableName=entry.table.name, PartitionValues=list(values)
                )
            elif not if_there:
                raise QueryError("FAILED", f"SemanticException [Error 10006]: Partition not found ({shown(told)})")

    return act


def one_partition(words: Words) -> Action:
    """PARTITION (…) SET LOCATION or RENAME TO PARTITION."""
    told = spec(words)
    renamed = words.accept("RENAME", "TO", "PARTITION")
    if not renamed:
        words.expect("SET", "LOCATION")
    new = spec(words) if renamed else {}
    place = "" if renamed else words.string()

    def act(session: Session, entry: Entry) -> None:
        values, found = values_of(entry, told), partitions(session, entry)
        if values not in found:
            raise QueryError("FAILED", f"SemanticException [Error 10006]: Partition not found ({shown(told)})")
        storage = {**found[values]["StorageDescriptor"]}
        if place:
            storage["Location"] = place
        session.catalog.glue.update_partition(
            DatabaseName=entry.table.database,
            TableName=entry.table.name,
            PartitionValueList=list(values),
            PartitionInput={
                "Values": list(values_of(entry, new) if new else values), "StorageDescriptor": storage,
                "Parameters": found[values].get("Parameters") or {},
            },
        )  # fmt: skip

    return act


def spec(words: Words) -> Spec:
    """`(day = '2026-11-21', region = 'eu')`"""

    def pair(inner: Words) -> tuple[str, str]:
        name = inner.name()
        inner.expect("=")
        bare = inner.peek(inner.tokens[inner.at].upper) if not inner.ended else False
        return name, inner.until() if bare and inner.tokens[inner.at].kind != "string" else inner.string()

    return dict(words.group().listed(pair))


def values_of(entry: Entry, told: Spec) -> tuple[str, ...]:
    keys = entry.table.partitioned_by
    if is_iceberg(entry.glue) or not keys:
        raise RefusedError(f"A partition of table '{entry.table.name}', which has no partition columns,")
    if set(told) != set(keys):
        text = f"SemanticException partition spec ({shown(told)}) doesn't contain all"
        raise QueryError("FAILED", f"{text} ({', '.join(keys)}) partition columns")
    return tuple(told[key] for key in keys)


def shown(told: Spec) -> str:
    return ", ".join(f"{name}={value}" for name, value in told.items())


def partitions(session: Session, entry: Entry) -> dict[tuple[str, ...], dict[str, Any]]:
    pages = session.catalog.glue.get_paginator("get_partitions").paginate(
        DatabaseName=entry.table.database, TableName=entry.table.name
    )
    return {tuple(each["Values"]): each for page in pages for each in page["Partitions"]}


def default_place(entry: Entry, values: tuple[str, ...]) -> str:
    base = str(entry.glue["StorageDescriptor"]["Location"]).rstrip("/")
    return f"{base}/{partition_folder(entry.table.partitioned_by, values)}/"
