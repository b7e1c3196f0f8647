"""A stream's bronze as Athena sees it: JSON lines under projected days, visible as soon as the object is there."""

from __future__ import annotations

import gzip
import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from tests.local.conftest import RunningEndpoint
from tests.local.test_athena import ended, execute, start

LAKE, RESULTS, DATABASE = "projected-lake", "projected-results", "projected"
TODAY = datetime.now(UTC)
SERDE = "org.openx.data.jsonserde.JsonSerDe"
COLUMNS = {"event_id": "string", "dose_number": "int", "patient": "string", "late": "boolean", "_shard": "string"}
Rows = list[list[str | None]]


@pytest.fixture(scope="module")
def lake(endpoint: RunningEndpoint) -> RunningEndpoint:
    for bucket in (LAKE, RESULTS):
        endpoint.client("s3").create_bucket(Bucket=bucket)
    endpoint.client("glue").create_database(DatabaseInput={"Name": DATABASE})
    make(endpoint, "events")
    for days, number in ((0, 4), (1, 3), (2, 2), (400, 1)):
        put(endpoint, "events", TODAY - timedelta(days=days), [{"event_id": f"e{number}", "dose_number": number}])
    return endpoint


def make(endpoint: RunningEndpoint, name: str, told: dict[str, str] | None = None, serde: str = SERDE) -> None:
    """A table as the apply step makes one of a stream."""
    projection = {
        "projection.enabled": "true",
        "projection.day.type": "date",
        "projection.day.format": "yyyy/MM/dd",
        "projection.day.range": "NOW-30DAYS,NOW",
        "storage.location.template": f"s3://{LAKE}/{name}/${{day}}/",
    }
    storage = {
        "Columns": [{"Name": column, "Type": type_} for column, type_ in COLUMNS.items()],
        "Location": f"s3://{LAKE}/{name}/",
        "SerdeInfo": {"SerializationLibrary": serde, "Parameters": told or {}},
    }
    keys = [{"Name": "day", "Type": "string"}]
    table = {"Name": name, "StorageDescriptor": storage, "PartitionKeys": keys, "Parameters": projection}
    endpoint.client("glue").create_table(DatabaseName=DATABASE, TableInput=table)


def put(endpoint: RunningEndpoint, table: str, day: datetime, rows: list[Any], name: str = "a.json.gz") -> int:
    """Put lines below a day; the object's size."""
    text = "".join(f"{row if isinstance(row, str) else json.dumps(row)}\n" for row in rows).encode()
    body = gzip.compress(text, mtime=0) if name.endswith(".gz") else text
    endpoint.client("s3").put_object(Bucket=LAKE, Key=f"{table}/{day:%Y/%m/%d}/{name}", Body=body)
    return len(body)


def asked(lake: RunningEndpoint, sql: str) -> tuple[int, Rows]:
    options = {
        "QueryExecutionContext": {"Database": DATABASE},
        "ResultConfiguration": {"OutputLocation": f"s3://{RESULTS}/"},
    }
    execution, rows = execute(lake, sql, **options)
    return execution["Statistics"]["DataScannedInBytes"], rows[1:]


def refused(lake: RunningEndpoint, sql: str) -> str:
    options = {
        "QueryExecutionContext": {"Database": DATABASE},
        "ResultConfiguration": {"OutputLocation": f"s3://{RESULTS}/"},
    }
    status = ended(lake, start(lake, sql, **options))["Status"]
    assert status["State"] == "FAILED"
    return str(status["StateChangeReason"])


def test_an_object_is_visible_as_soon_as_it_is_there_and_outside_the_range_never(lake: RunningEndpoint) -> None:
    _, rows = asked(lake, "SELECT event_id, day FROM events ORDER BY 1")
    days = [f"{TODAY - timedelta(days=back):%Y/%m/%d}" for back in (2, 1, 0)]
    assert rows == [[f"e{number}", day] for number, day in enumerate(days, 2)]
    put(lake, "events", TODAY - timedelta(days=5), [{"event_id": "new"}], "b.json.gz")
    assert asked(lake, "SELECT count(*) FROM events WHERE event_id = 'new'")[1] == [["1"]]


def test_only_the_days_asked_for_are_read_and_each_byte_of_theirs_counts(lake: RunningEndpoint) -> None:
    large = put(lake, "events", TODAY - timedelta(days=9), [{"event_id": f"one of many {i}"} for i in range(5000)])
    day = f"SELECT count(*), max(event_id) FROM events WHERE day = '{TODAY - timedelta(days=9):%Y/%m/%d}'"
    assert asked(lake, day) == (large, [["5000", "one of many 999"]])
    every, _ = asked(lake, "SELECT max(event_id) FROM events")
    one, rows = asked(lake, f"SELECT event_id FROM events WHERE day = '{TODAY - timedelta(days=1):%Y/%m/%d}'")
    assert rows == [["e3"]]
    assert one < 100 < large < every


def test_values_are_read_as_the_serde_reads_them(lake: RunningEndpoint) -> None:
    make(lake, "shapes")
    documents = [
        '{"EVENT_ID": "é\\u00e9", "dose_number": 2, "patient": {"b": [1, 2], "a": null}, "late": true, "extra": 1}',
        '{"event_id": 7, "dose_number": null, "patient": true, "_shard": ""}',
        '{"event_id": null}',
    ]
    put(lake, "shapes", TODAY, documents, "plain.json")
    _, rows = asked(lake, "SELECT event_id, dose_number, patient, late, _shard FROM shapes ORDER BY 1")
    assert rows == [
        ["7", None, "true", None, ""],
        ["éé", "2", '{"b":[1,2],"a":null}', "true", None],
        [None, None, None, None, None],
    ]


@pytest.mark.parametrize(
    ("document", "said"),
    [
        ('{"event_id": "a", "dose_number": "two"}', "HIVE_BAD_DATA: Error parsing field value for field dose_number"),
        ('{"event_id": "a", "Event_Id": "b"}', "HIVE_CURSOR_ERROR: Row is not a valid JSON Object"),
        ('{"event_id": "a"', "HIVE_CURSOR_ERROR"),
        ("[1]", "HIVE_CURSOR_ERROR"),
    ],
)
def test_a_line_that_does_not_fit_fails_the_query(lake: RunningEndpoint, document: str, said: str) -> None:
    name = f"broken_{abs(hash(document))}"
    make(lake, name)
    put(lake, name, TODAY, ['{"event_id": "before"}', document])
    assert said in refused(lake, f"SELECT * FROM {name}")


def test_keys_of_the_exact_case_alone_may_be_asked_for(lake: RunningEndpoint) -> None:
    make(lake, "exact", {"case.insensitive": "FALSE"})
    put(lake, "exact", TODAY, ['{"event_id": "a", "Event_Id": "b"}', '{"Event_Id": "c"}'])
    assert asked(lake, "SELECT event_id FROM exact ORDER BY 1")[1] == [["a"], [None]]


def test_what_is_not_done_is_refused_by_name(lake: RunningEndpoint) -> None:
    make(lake, "hive", serde="org.apache.hive.hcatalog.data.JsonSerDe")
    assert "A table of SerDe 'org.apache.hive.hcatalog.data.JsonSerDe'" in refused(lake, "SELECT * FROM hive")
    make(lake, "mapped", {"mapping.event_id": "id"})
    assert "The SerDe property 'mapping.event_id'" in refused(lake, "SELECT * FROM mapped")
