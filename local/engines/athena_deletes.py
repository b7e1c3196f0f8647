"""Iceberg's delete files: positions, as Spark's merge-on-read writes them, are applied; anything newer is refused."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from local.engines.athena_errors import RefusedError

if TYPE_CHECKING:
    from pyiceberg.table import Table

LARGEST_FORMAT = 2
BY_VALUES = "total-equality-deletes"


def check(metadata: Mapping[str, Any], table: str, snapshot: int | None = None) -> None:
    """Refuse a table, or the snapshot asked for, whose rows nothing proves to be read as Athena reads them."""
    version = metadata.get("format-version", 1)
    if version > LARGEST_FORMAT:
        advice = f"it is of version {LARGEST_FORMAT} that they are read and written. Run this query on AWS."
        raise RefusedError(f"The table '{table}' of Iceberg's version {version}", advice)
    number = metadata.get("current-snapshot-id") if snapshot is None else snapshot
    kept = {each["snapshot-id"]: each.get("summary") or {} for each in metadata.get("snapshots") or ()}
    if int(kept.get(number, {}).get(BY_VALUES, 0)):
        advice = "let its writer compact it (in Spark: rewrite_data_files), or run this query on AWS."
        raise RefusedError(f"The table '{table}' with equality deletes", advice)


def pending(table: Table) -> bool:
    """Whether some of the table's rows are deleted in files beside them."""
    return any(task.delete_files for task in table.scan().plan_files())
