"""Partition projection: which partitions a table's properties come to, and where they lie."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from local.engines import athena_projection
from local.engines.athena_errors import QueryError

AT = datetime(2026, 3, 2, 23, 30, tzinfo=UTC)
DAYS = {"type": "date", "format": "yyyy/MM/dd", "range": "2026/02/27,NOW"}


def table(columns: dict[str, dict[str, str]], template: str | None = None) -> dict[str, Any]:
    parameters = {f"projection.{name}.{what}": value for name, told in columns.items() for what, value in told.items()}
    parameters["projection.enabled"] = "true"
    if template:
        parameters["storage.location.template"] = template
    return {"Name": "events", "StorageDescriptor": {"Location": "s3://lake/events/"}, "Parameters": parameters}


def projected(told: dict[str, str], column: str = "day") -> list[str]:
    return [value for (value,) in athena_projection.values(table({column: told}), [column], AT)]


@pytest.mark.parametrize(
    ("told", "values"),
    [
        (DAYS, ["2026/02/27", "2026/02/28", "2026/03/01", "2026/03/02"]),
        ({**DAYS, "range": " NOW-1DAYS , NOW+1DAY "}, ["2026/03/01", "2026/03/02", "2026/03/03"]),
        ({**DAYS, "range": "2026/03/03,NOW"}, []),
        ({**DAYS, "interval": "2"}, ["2026/02/27", "2026/03/01"]),
        ({"type": "DATE", "format": "yyyy-MM", "range": "2025-12,NOW"}, ["2025-12", "2026-01", "2026-02", "2026-03"]),
        (
            {
                "type": "date",
                "format": "yyyy-MM-dd'T'HH",
                "range": "NOW-2HOURS,NOW",
                "interval": "1",
                "interval.unit": "HOURS",
            },
            ["2026-03-02T21", "2026-03-02T22", "2026-03-02T23"],
        ),
        ({"type": "integer", "range": "8,12", "interval": "2", "digits": "3"}, ["008", "010", "012"]),
        ({"type": "integer", "range": "-1,1"}, ["-1", "0", "1"]),
        ({"type": "enum", "values": "north,south"}, ["north", "south"]),
    ],
)
def test_a_column_has_the_values_of_its_range(told: dict[str, str], values: list[str]) -> None:
    assert projected(told) == values


@pytest.mark.parametrize(
    ("told", "said"),
    [
        ({"type": "date", "format": "yyyy/MM/dd"}, "projection.day.range"),
        ({**DAYS, "range": "yesterday,NOW"}, "'yesterday' is neither NOW"),
        ({**DAYS, "interval.unit": "FORTNIGHTS"}, "expected one of MONTHS"),
        ({**DAYS, "format": "yyyy/MM/dd/HH", "range": "2026/01/01/00,NOW"}, "projection.day.interval.unit"),
        ({**DAYS, "format": "yy/M/d"}, "the laptop knows yyyy"),
        ({**DAYS, "interval": "0"}, "a whole number above zero"),
        ({"type": "integer", "range": "0,9223372036854775807"}, "lists at most"),
        ({"type": "injected"}, "The projection type injected"),
        ({"type": "float"}, "none of enum"),
    ],
)
def test_what_is_not_done_or_wrong_is_named(told: dict[str, str], said: str) -> None:
    with pytest.raises(QueryError, match=r"INVALID_TABLE_PROPERTY|NOT_SUPPORTED") as caught:
        projected(told)
    assert said in str(caught.value)


def test_a_partition_lies_where_the_template_says_or_as_hive_has_it() -> None:
    both = {"day": DAYS, "site": {"type": "enum", "values": "a"}}
    place = athena_projection.locations(table(both, "s3://lake/e/${day}/of/${site}/"), ["day", "site"])
    assert place(["2026/03/01", "a"]) == "s3://lake/e/2026/03/01/of/a/"
    place = athena_projection.locations(table(both), ["day", "site"])
    assert place(["2026/03/01", "a"]) == "s3://lake/events/day=2026/03/01/site=a"
    with pytest.raises(QueryError, match=r"expected \$\{NAME\} of each of day, site"):
        athena_projection.locations(table(both, "s3://lake/${day}/"), ["day", "site"])
