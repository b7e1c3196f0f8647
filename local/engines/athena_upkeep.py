"""OPTIMIZE and VACUUM of an Iceberg table: small files made one, and snapshots that are old enough let go."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, ClassVar

from local.engines import athena_deletes, athena_iceberg
from local.engines.athena_errors import QueryError, RefusedError
from local.engines.athena_metadata import is_iceberg
from local.engines.athena_session import Done, Session
from local.engines.athena_targets import ALIAS, TARGET, target_at
from local.engines.athena_words import Words

AGE, KEPT = "vacuum_max_snapshot_age_seconds", "vacuum_min_snapshots_to_keep"
DEFAULT_AGE, DEFAULT_KEPT = 432_000, 1  # five days, as Athena has it


@dataclass(frozen=True)
class Optimize:
    """OPTIMIZE table REWRITE DATA USING BIN_PACK, read."""

    verb: ClassVar[str] = "optimize"
    path: tuple[str | None, str]

    def run(self, session: Session) -> Done:
        entry = iceberg_entry(session, self.path, "OPTIMIZE")
        target = target_at(session, entry)
        files = session.connection.execute(f"SELECT count(DISTINCT file) FROM {TARGET}").fetchone()[0]
        if files > 1 or athena_deletes.pending(target.table):
            target.change(f"SELECT n, file, true AS stays, {target.row({})} FROM {TARGET} {ALIAS}")
        return Done()


@dataclass(frozen=True)
class Vacuum:
    """VACUUM table, read."""

    verb: ClassVar[str] = "vacuum"
    path: tuple[str | None, str]

    def run(self, session: Session) -> Done:
        entry = iceberg_entry(session, self.path, "VACUUM")
        table = athena_iceberg.catalog(session).load_table((entry.table.database, entry.table.name))
        oldest = datetime.now(UTC) - timedelta(seconds=int(table.properties.get(AGE, DEFAULT_AGE)))
        kept = int(table.properties.get(KEPT, DEFAULT_KEPT))
        newest = sorted(table.snapshots(), key=lambda each: each.timestamp_ms, reverse=True)
        named = {ref.snapshot_id for ref in table.refs().values()}
        gone = [
            each.snapshot_id
            for each in newest[kept:]
            if each.timestamp_ms < oldest.timestamp() * 1000 and each.snapshot_id not in named
        ]
        if gone:
            before = files_of(table)
            table.maintenance.expire_snapshots().by_ids(gone).commit()
            delete(session, before - files_of(table.refresh()))
        return Done()


def iceberg_entry(session: Session, path: tuple[str | None, str], what: str) -> Any:
    entry = session.entry(path)
    entry.need("ALTER", "DELETE")
    if not is_iceberg(entry.glue):
        raise QueryError("NOT_SUPPORTED", f"{what} is supported for Iceberg tables alone")
    return entry


def files_of(table: Any) -> set[str]:
    """Every file that some snapshot of the table needs."""
    found: set[str] = set()
    for snapshot in table.snapshots():
        found.add(snapshot.manifest_list)
        for manifest in snapshot.manifests(table.io):
            found.add(manifest.manifest_path)
            found.update(each.data_file.file_path for each in manifest.fetch_manifest_entry(table.io))
    return found


def delete(session: Session, files: set[str]) -> None:
    for file in sorted(files):
        bucket, _, key = file.removeprefix("s3://").partition("/")
        session.catalog.s3.delete_object(Bucket=bucket, Key=key)


def read_optimize(words: Words) -> Optimize:
    path = words.path()
    words.expect("REWRITE", "DATA", "USING", "BIN_PACK")
    if words.peek("WHERE"):
        raise RefusedError("OPTIMIZE with WHERE", "Leave WHERE out: the whole table is rewritten.")
    words.end()
    return Optimize(path)


def read_vacuum(words: Words) -> Vacuum:
    path = words.path()
    words.end()
    return Vacuum(path)
