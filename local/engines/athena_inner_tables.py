"""The tables inside a table, `"t$snapshots"` and its like: what an Iceberg table's metadata says, as rows."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from local.engines.athena_errors import RefusedError
from local.engines.athena_scope import TableColumn
from local.engines.athena_types import BIGINT, BOOLEAN, INTEGER, MILLIS, VARCHAR, Type, map_of

Rows = list[tuple[Any, ...]]
MOMENT = Type("timestamp with time zone", MILLIS)
COUNTS, BOUNDS = map_of(INTEGER, BIGINT), map_of(INTEGER, VARCHAR)  # by the ids of columns
BY_PARTITION = Type("row(…)")  # by its name alone: a column that the laptop does not compute with
COLUMNS = {
    "snapshots": (("committed_at", MOMENT), ("snapshot_id", BIGINT), ("parent_id", BIGINT), ("operation", VARCHAR),
                  ("manifest_list", VARCHAR), ("summary", map_of(VARCHAR, VARCHAR))),
    "history": (("made_current_at", MOMENT), ("snapshot_id", BIGINT), ("parent_id", BIGINT),
                ("is_current_ancestor", BOOLEAN)),
    "refs": (("name", VARCHAR), ("type", VARCHAR), ("snapshot_id", BIGINT), ("max_reference_age_in_ms", BIGINT),
             ("min_snapshots_to_keep", INTEGER), ("max_snapshot_age_in_ms", BIGINT)),
    "files": (("content", INTEGER), ("file_path", VARCHAR), ("file_format", VARCHAR), ("record_count", BIGINT),
              ("file_size_in_bytes", BIGINT), ("column_sizes", COUNTS), ("value_counts", COUNTS),
              ("null_value_counts", COUNTS), ("nan_value_counts", COUNTS), ("lower_bounds", BOUNDS),
              ("upper_bounds", BOUNDS)),
    "manifests": (("path", VARCHAR), ("length", BIGINT), ("partition_spec_id", INTEGER),
                  ("added_snapshot_id", BIGINT), ("added_data_files_count", INTEGER),
                  ("existing_data_files_count", INTEGER), ("deleted_data_files_count", INTEGER)),
    "partitions": (("partition", BY_PARTITION), ("record_count", BIGINT), ("file_count", BIGINT),
                   ("total_size", BIGINT), ("data", BY_PARTITION)),
}  # fmt: skip
INSPECTED = {"total_size": "total_data_file_size_in_bytes"}  # what PyIceberg calls it


def columns(kind: str) -> tuple[TableColumn, ...]:
    if kind not in COLUMNS:
        raise RefusedError(f"The table '…${kind}'", f"Of Iceberg's own tables the laptop has {', '.join(COLUMNS)}.")
    return tuple(TableColumn(name, type_) for name, type_ in COLUMNS[kind])


def rows(kind: str, metadata: Mapping[str, Any], inspect: Callable[[], Any]) -> Rows:
    """The rows of one; `inspect` opens the table where its manifests have to be read."""
    told: dict[str, Callable[[Mapping[str, Any]], Rows]] = {"snapshots": snapshots, "history": history, "refs": refs}
    if kind in told:
        return told[kind](metadata)
    if metadata.get("current-snapshot-id") in (None, -1):
        return []
    inspected = inspect()
    types = {field.field_id: field.field_type for field in inspected.tbl.schema().fields}

    def value(row: Mapping[str, Any], name: str, type_: Type) -> Any:
        told = row.get(INSPECTED.get(name, name)) if type_.runs else None
        if type_.key is None or told is None:
            return told
        return {each: bound(types[each], of) if type_ == BOUNDS else of for each, of in told if each in types}

    found = getattr(inspected, kind)().to_pylist()
    return [tuple(value(each, name, type_) for name, type_ in COLUMNS[kind]) for each in found]


def bound(type_: Any, value: bytes) -> str:
    """A bound of a column as Iceberg writes it for people."""
    from pyiceberg.conversions import from_bytes
    from pyiceberg.transforms import IdentityTransform

    plain: Any = IdentityTransform()
    return str(plain.to_human_string(type_, from_bytes(type_, value)))


def snapshots(metadata: Mapping[str, Any]) -> Rows:
    return [
        (each["timestamp-ms"], each["snapshot-id"], each.get("parent-snapshot-id"),
         (each.get("summary") or {}).get("operation"), each.get("manifest-list"), summary(each))
        for each in metadata.get("snapshots") or ()
    ]  # fmt: skip


def summary(snapshot: Mapping[str, Any]) -> dict[str, str]:
    return {name: value for name, value in (snapshot.get("summary") or {}).items() if name != "operation"}


def history(metadata: Mapping[str, Any]) -> Rows:
    kept = {each["snapshot-id"]: each for each in metadata.get("snapshots") or ()}
    ancestors, current = set(), metadata.get("current-snapshot-id")
    while current in kept:
        ancestors.add(current)
        current = kept[current].get("parent-snapshot-id")
    return [
        (each["timestamp-ms"], each["snapshot-id"], kept.get(each["snapshot-id"], {}).get("parent-snapshot-id"),
         each["snapshot-id"] in ancestors)
        for each in metadata.get("snapshot-log") or ()
    ]  # fmt: skip


def refs(metadata: Mapping[str, Any]) -> Rows:
    return [
        (name, each["type"].upper(), each["snapshot-id"], each.get("max-ref-age-ms"), each.get("min-snapshots-to-keep"),
         each.get("max-snapshot-age-ms"))
        for name, each in (metadata.get("refs") or {}).items()
    ]  # fmt: skip
