"""`query --as-of`, by the command's own code against the endpoint: what readers saw then, and what is refused."""

from __future__ import annotations

import time
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any

import pyarrow as pa
import pytest
from pyiceberg.catalog.glue import GlueCatalog

import config
from cli.as_of import as_of
from cli.errors import CommandError
from cli.query import fetch
from cli.target import Target
from lake.ledger import Ledger, Outcome
from tests.local.conftest import RunningEndpoint

RUN = "tickit-20261121T0000-01"
USERS, DATES = "saas_users", "sales_by_date"
SCHEMA = pa.schema([pa.field("id", pa.int64())])


@dataclass(frozen=True)
class Past:
    """Two tables with two snapshots each, and the moments between them."""

    lake: Target
    snapshots: dict[str, list[int]] = field(default_factory=dict)
    before: datetime = field(default_factory=lambda: datetime.now(UTC))

    def ids(self, sql: str, moment: str) -> list[str]:
        return sorted(row[0] or "" for row in fetch(self.lake, as_of(self.lake, sql, moment))[1])


@pytest.fixture(scope="module")
def past(endpoint: RunningEndpoint) -> Past:
    environment = replace(config.load("local"), name="travel")
    lake = Target(environment, endpoint.url)
    for layer in ("silver", "gold", "results"):
        lake.client("s3").create_bucket(Bucket=environment.bucket(layer))
    location = {"OutputLocation": f"s3://{environment.bucket('results')}/athena/"}
    lake.client("athena").create_work_group(
        Name=environment.resource("analysts"), Configuration={"ResultConfiguration": location}
    )
    _ledger(lake)
    glue = lake.client("glue")
    for layer in ("silver", "gold"):
        glue.create_database(DatabaseInput={"Name": environment.database(layer)})
    described = {"Columns": [{"Name": "id", "Type": "bigint"}], "Location": f"s3://{environment.bucket('silver')}/x/"}
    glue.create_table(
        DatabaseName=environment.database("silver"), TableInput={"Name": "files", "StorageDescriptor": described}
    )
    made = Past(lake)
    time.sleep(0.01)
    _first_and_second(made)
    return made


def _ledger(lake: Target) -> None:
    names = ("pk", "sk", "gsi_pk", "gsi_sk")
    keys = [[{"AttributeName": a, "KeyType": "HASH"}, {"AttributeName": b, "KeyType": "RANGE"}] for a, b in
            (names[:2], names[2:])]  # fmt: skip
    lake.client("dynamodb").create_table(
        TableName=lake.environment.resource("ledger"),
        KeySchema=keys[0],
        AttributeDefinitions=[{"AttributeName": name, "AttributeType": "S"} for name in names],
        GlobalSecondaryIndexes=[
            {"IndexName": "by_pipeline", "KeySchema": keys[1], "Projection": {"ProjectionType": "ALL"}}
        ],
        BillingMode="PAY_PER_REQUEST",
    )


def _first_and_second(past: Past) -> None:
    """The first rows of both tables and a run's end, then more rows; the second ones under another column's name."""
    lake, url = past.lake, str(past.lake.endpoint_url)
    settings = {"endpoint": url, "region": "us-east-1", "access-key-id": "headwater", "secret-access-key": "headwater"}
    catalog = GlueCatalog(
        "g", **{f"{each}.{name}": value for each in ("glue", "s3") for name, value in settings.items()}
    )
    tables: dict[str, Any] = {}
    for layer, name in (("silver", USERS), ("gold", DATES)):
        place = f"s3://{lake.environment.bucket(layer)}/{name}"
        tables[name] = catalog.create_table((lake.environment.database(layer), name), SCHEMA, location=place)
        tables[name].append(pa.table({"id": [1]}, SCHEMA))
    ledger: Ledger = lake.ledger()
    ledger.start(RUN, "tickit")
    published = tables[USERS].current_snapshot().snapshot_id
    ledger.record(Outcome(RUN, 0, "refine", "saas.users", "succeeded", snapshot_to=published))
    ledger.finish(RUN, "succeeded")
    time.sleep(0.01)
    for name, table in tables.items():
        table.append(pa.table({"id": [2]}, SCHEMA))
        past.snapshots[name] = [entry.snapshot_id for entry in table.history()]
        with table.update_schema() as change:
            change.rename_column("id", "number")


USERS_SQL = "SELECT id FROM {silver}.saas_users"


def sql(past: Past, text: str) -> str:
    return text.format(silver=past.lake.environment.database("silver"))


def test_a_table_is_read_as_it_was_at_a_time(past: Past) -> None:
    ended = past.lake.ledger().run(RUN).finished_at  # type: ignore[union-attr]
    assert past.ids(sql(past, USERS_SQL + " AS u WHERE u.id > 0"), f"{ended:%Y-%m-%d %H:%M:%S.%f}") == ["1"]
    assert past.ids(sql(past, USERS_SQL), "2999-01-01T00:00+01:00") == ["1", "2"]


def test_a_table_is_read_as_of_a_snapshot_with_the_columns_it_had_then(past: Past) -> None:
    first, second = past.snapshots[USERS]
    assert past.ids(sql(past, USERS_SQL), str(first)) == ["1"]
    assert past.ids(sql(past, USERS_SQL), str(second)) == ["1", "2"]


def test_a_run_names_the_snapshots_that_it_published_and_of_other_tables_those_at_its_end(past: Past) -> None:
    query = (
        "WITH mine AS (SELECT id FROM {silver}.saas_users) SELECT d.id FROM mine JOIN sales_by_date d ON d.id = mine.id"
    )
    told = as_of(past.lake, sql(past, query), RUN)
    assert f"FOR VERSION AS OF {past.snapshots[USERS][0]}" in told
    assert "sales_by_date FOR TIMESTAMP AS OF" in told
    assert past.ids(sql(past, query), RUN) == ["1"]


def test_before_the_first_snapshot_there_is_no_history(past: Past) -> None:
    with pytest.raises(
        CommandError, match=r"INVALID_ARGUMENTS: .*No version history table .*saas_users.* at or before"
    ):
        past.ids(sql(past, USERS_SQL), f"{past.before:%Y-%m-%d %H:%M:%S.%f}")
    with pytest.raises(CommandError, match="Iceberg snapshot ID does not exists: 7"):
        past.ids(sql(past, USERS_SQL), "7")


@pytest.mark.parametrize(
    ("query", "moment", "told"),
    [
        ("SELECT id FROM {silver}.files", "2026-11-20", r"files': expected an Iceberg table"),
        ("SELECT id FROM {silver}.nowhere", "2026-11-20", r"nowhere' is not there"),
        ("SELECT a.id FROM {silver}.saas_users a, sales_by_date b", "12", "expected a query of one table"),
        ("SHOW TABLES", "2026-11-20", "expected a SELECT"),
        (USERS_SQL, "yesterday", "The time 'yesterday' of --as-of: expected"),
        (USERS_SQL, "tickit-20261121T0000-07", "it is not in the ledger"),
        (USERS_SQL + " FOR VERSION AS OF 1", "2026-11-20", "Leave --as-of out"),
    ],
)
def test_what_has_no_past_is_refused_by_name(past: Past, query: str, moment: str, told: str) -> None:
    with pytest.raises(CommandError, match=told):
        as_of(past.lake, sql(past, query), moment)


def test_the_endpoint_refuses_a_past_that_a_table_cannot_have(past: Past) -> None:
    with pytest.raises(CommandError, match="does not support versioned tables"):
        fetch(past.lake, sql(past, "SELECT id FROM {silver}.files FOR VERSION AS OF 1"))
    with pytest.raises(CommandError, match="NOT_SUPPORTED"):
        fetch(past.lake, sql(past, USERS_SQL + " FOR TIMESTAMP AS OF current_timestamp"))
