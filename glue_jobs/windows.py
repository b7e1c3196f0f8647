"""Which part of a source's table a run reads, and how that is said in the SQL of each database."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from pyspark.sql.types import DataType, DateType, StructType, TimestampNTZType, TimestampType

from glue_jobs.failures import CursorBackwardsError, CursorTypeError, SourceColumnMissingError
from lake.model import Dataset
from lake.records import Head, Mode

DAY = timedelta(days=1)


@dataclass(frozen=True)
class Window:
    """Rows from `low` on by their cursor, and before `high` where there is one."""

    low: datetime
    high: datetime | None = None

    def condition(self, column: str, kind: DataType, url: str) -> str:
        """The rows of the window in the database's SQL, `column` being quoted; a row without a cursor is always new."""
        rows = f"{column} >= {literal(self._start(kind), kind, url)}"
        if self.high is None:
            return f"({rows} OR {column} IS NULL)"
        return f"({rows} AND {column} < {literal(self._end(kind, self.high), kind, url)})"

    def _start(self, kind: DataType) -> datetime:
        # databases keep times finer or coarser than ours, so whole seconds: a few rows more are no harm
        return midnight(self.low) if isinstance(kind, DateType) else self.low.replace(microsecond=0)

    def _end(self, kind: DataType, high: datetime) -> datetime:
        return midnight(high - timedelta(microseconds=1)) + DAY if isinstance(kind, DateType) else high


def window(dataset: Dataset, mode: Mode, head: Head | None, logical: datetime, interval_hours: int) -> Window | None:
    """What a run in this mode reads; None is the whole table."""
    if dataset.load_mode == "full" or mode == "replay":
        return None
    if mode == "backfill":
        return Window(logical, logical + timedelta(hours=interval_hours))
    if head is None or not head.watermark or head.cursor != dataset.cursor:
        return None
    return Window(instant(head.watermark) - timedelta(hours=dataset.lookback_hours))


def backwards(dataset: Dataset, how: str) -> CursorBackwardsError:
    """That the source's cursor went backwards, `how` it shows, and what cures it."""
    return CursorBackwardsError(
        f'The cursor, column "{dataset.cursor_field}" of table "{dataset.source_object}", went backwards in source'
        f' "{dataset.source}": {how}.',
        "If the source was put back to an earlier state, load the dataset whole: start its pipeline with"
        f' {{"mode": "replay", "datasets": ["{dataset.id}"]}}. Else correct the cursor there.',
    )


def cursor_column(dataset: Dataset, schema: StructType) -> tuple[str, DataType]:
    """The cursor's name in the source and its type there, which must be a time."""
    name = dataset.cursor_field
    if name not in schema.names:
        raise SourceColumnMissingError(
            f'The cursor, column "{name}" of table "{dataset.source_object}", does not exist in source'
            f' "{dataset.source}".',
            "Bring the column back, or name another cursor in the contract, then redrive the execution.",
        )
    kind = schema[name].dataType
    if not isinstance(kind, DateType | TimestampType | TimestampNTZType):
        raise CursorTypeError(
            f'The cursor, column "{name}" of table "{dataset.source_object}", is {kind.simpleString()} in source'
            f' "{dataset.source}": expected a date or a timestamp.',
            "Name a column that says when a row last changed, or write loadMode full in the contract.",
        )
    return name, kind


def literal(at: datetime, kind: DataType, url: str) -> str:
    """An instant as the database writes it; a column without a zone holds UTC."""
    engine = url.split(":")[1]
    day, time = at.strftime("%Y-%m-%d"), at.astimezone(UTC).strftime("%H:%M:%S")
    if isinstance(kind, DateType):
        return f"CAST('{day}' AS date)" if engine == "sqlserver" else f"DATE '{day}'"
    zoned = isinstance(kind, TimestampType)
    if engine == "sqlserver":
        return f"CAST('{day}T{time}+00:00' AS datetimeoffset)" if zoned else f"CAST('{day}T{time}' AS datetime2)"
    if engine == "mysql" or not zoned:  # MySQL compares in its session's zone, which is UTC
        return f"TIMESTAMP '{day} {time}'"
    return f"TIMESTAMP WITH TIME ZONE '{day} {time}+00:00'"


def instant(text: str) -> datetime:
    """A time of the ledger; one without a zone is UTC."""
    at = datetime.fromisoformat(text)
    return at if at.tzinfo else at.replace(tzinfo=UTC)


def midnight(at: datetime) -> datetime:
    return at.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
