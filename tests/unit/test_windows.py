"""Which rows a run asks its source for, in the SQL of each database, and how far the dataset then is."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import sqlglot
from pyspark.sql.types import DataType, DateType, StringType, StructField, StructType, TimestampNTZType, TimestampType
from sqlglot import exp

from glue_jobs.failures import CursorTypeError, SourceColumnMissingError
from glue_jobs.watermarks import advanced, late, version_of
from glue_jobs.windows import Window, cursor_column, window
from lake.model import Column, Dataset
from lake.records import Head, Load, Mode

DIALECTS = {"postgresql": "postgres", "mysql": "mysql", "sqlserver": "tsql", "h2": "postgres"}
KINDS: dict[str, DataType] = {"instant": TimestampType(), "zone-less": TimestampNTZType(), "date": DateType()}
DAY3 = datetime(2026, 1, 3, tzinfo=UTC)


def dataset(**fields: Any) -> Dataset:
    columns = (Column("id", "bigint", "id", True), Column("changed_at", "timestamp", "changed", True))
    made = {"load_mode": "incremental", "cursor": "changed_at", "columns": columns, "key": ("id",), **fields}
    return Dataset("shop.orders", "shop", "orders", "silver", "1.0.0", "", source_object="orders", **made)


def head(watermark: str = "2026-01-03T12:30:15.250000+00:00", **fields: str) -> Head:
    return Head(1, "r", watermark, DAY3, **{"cursor": "changed_at", **fields})


def asked(mode: Mode, of: Dataset | None = None, at: Head | None = None) -> Window | None:
    return window(of or dataset(), mode, at, DAY3, 24)


@pytest.mark.parametrize("engine", DIALECTS)
@pytest.mark.parametrize("kind", KINDS)
def test_a_window_is_a_condition_that_the_database_can_read(engine: str, kind: str) -> None:
    at = Window(DAY3 + timedelta(hours=7, microseconds=5), DAY3 + timedelta(hours=12))
    for part in (at, Window(at.low)):
        condition = part.condition("changed", KINDS[kind], f"jdbc:{engine}://host/db")
        parsed = sqlglot.parse_one(f"SELECT * FROM t WHERE {condition}", read=DIALECTS[engine])
        assert isinstance(parsed, exp.Select)
        compared = [type(each) for each in parsed.find_all(exp.GTE, exp.LT, exp.Is)]
        assert sorted(each.__name__ for each in compared) == (["GTE", "LT"] if part.high else ["GTE", "Is"])
        texts = [each.this for each in parsed.find_all(exp.Literal) if each.is_string]
        day = kind == "date"
        assert [text[:10] for text in texts] == ["2026-01-03", "2026-01-04" if day else "2026-01-03"][: len(texts)]
        assert all(("07:00:00" in text or "12:00:00" in text) != day for text in texts)
        assert all(text.endswith("+00:00") for text in texts) == (kind == "instant" and engine != "mysql")


def test_a_run_reads_from_the_watermark_less_the_look_back_and_a_replay_reads_all() -> None:
    back = dataset(lookback_hours=48.0)
    assert asked("run", back, head()) == Window(datetime(2026, 1, 1, 12, 30, 15, 250000, UTC))
    assert asked("replay", back, head()) is None
    assert asked("run", back, None) is None
    assert asked("run", dataset(load_mode="full"), head()) is None


def test_a_watermark_of_another_cursor_is_none() -> None:
    assert asked("run", dataset(), head(cursor="created_at")) is None


def test_a_backfill_reads_its_interval_only() -> None:
    assert asked("backfill", dataset(), head()) == Window(DAY3, DAY3 + timedelta(days=1))


@pytest.mark.parametrize(
    ("schema", "error", "says"),
    [
        (
            StructType([]),
            SourceColumnMissingError,
            'column "changed" of table "orders", does not exist in source "shop"',
        ),
        (StructType([StructField("changed", StringType())]), CursorTypeError, "is string in source"),
    ],
)
def test_a_cursor_that_cannot_be_one_is_a_sentence(schema: StructType, error: type[Exception], says: str) -> None:
    with pytest.raises(error, match=says):
        cursor_column(dataset(), schema)


def micros(at: datetime) -> int:
    return int(at.timestamp()) * 1_000_000


def reached(
    newest: datetime | int | None, mode: Mode = "run", held: Head | None = None, began: str = "", **fields: Any
) -> str:
    number = micros(newest) if isinstance(newest, datetime) else newest
    return advanced(dataset(**fields), mode, DAY3, Load("r", 0, (), 1, began=began), held, number)


def test_a_watermark_goes_only_forward() -> None:
    assert reached(DAY3) == "2026-01-03T00:00:00+00:00"
    assert reached(DAY3, held=head()) == head().watermark
    assert reached(None, held=head()) == head().watermark
    assert reached(None) == ""


def test_what_was_written_while_the_source_was_read_is_read_again() -> None:
    assert reached(DAY3 + timedelta(days=9), began="2026-01-03T01:00:00+00:00") == "2026-01-03T01:00:00+00:00"
    assert reached(2**63 - 1, began="2026-01-03T01:00:00+00:00") == "2026-01-03T01:00:00+00:00"
    assert reached(-(2**63)).startswith("1001-")


def test_a_backfill_skips_no_gap() -> None:
    later = DAY3 + timedelta(hours=20)
    assert reached(later, "backfill") == ""
    assert reached(later, "backfill", head("2026-01-02T00:00:00+00:00")) == "2026-01-02T00:00:00+00:00"
    assert reached(later, "backfill", head()) == "2026-01-03T20:00:00+00:00"


def test_a_replay_says_anew_how_far_the_source_is_unless_it_comes_late() -> None:
    assert reached(DAY3, "replay", head(began="2026-01-01"), began="2026-01-05") == "2026-01-03T00:00:00+00:00"
    assert reached(DAY3, "replay", head(began="2026-01-06"), began="2026-01-05") == head().watermark


def test_without_a_cursor_what_is_read_later_is_newer() -> None:
    held = head("2026-01-09T00:00:00+00:00", cursor="")
    assert version_of(DAY3, held) == datetime(2026, 1, 9, tzinfo=UTC)
    assert reached(DAY3, held=held, cursor=None, load_mode="full") == "2026-01-09T00:00:00+00:00"
    assert late(Load("r", 0, (), 1, began="2026-01-01"), head(began="2026-01-02"))
    assert not late(Load("r", 0, (), 1, began="2026-01-02"), head(began="2026-01-02"))
