"""SQLAlchemy over PyAthena's three dialects: what it reflects, what its Core asks and writes, and the URL of `bi`."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import pandas as pd
import pytest
import sqlalchemy as sa
from sqlalchemy import exc, func, types
from typer.testing import CliRunner

import cli.target
import config
from cli.__main__ import app
from cli.target import Target
from tests.local.athena_statements import Analyst
from tests.local.conftest import RunningEndpoint

NAME, BUCKET, MANAGED = "client_sqlalchemy", "client-sqlalchemy", "client-sqlalchemy-managed"
EVENTS = f"""
CREATE EXTERNAL TABLE events (
  id int COMMENT 'Which event', name string, price decimal(8,2) COMMENT 'In dollars', at timestamp, tags array<string>,
  props map<string,int>, pair struct<n:int,s:string>, final boolean, big bigint, small smallint, tiny tinyint, r float,
  d double, raw binary, code varchar(7)
) COMMENT 'What happens' PARTITIONED BY (day date COMMENT 'Its day') STORED AS PARQUET LOCATION 's3://{BUCKET}/events/'
"""
ROWS = "(1, 'one', 1.5, DATE '2026-01-01'), (2, 'two', 2.5, DATE '2026-01-02'), (3, 'one', 4.0, DATE '2026-01-02')"
PEOPLE = f"""
CREATE TABLE people WITH (table_type = 'ICEBERG', is_external = false, location = 's3://{BUCKET}/people/') AS
SELECT * FROM (VALUES (1, CAST('Ann' AS varchar)), (2, 'Bo'), (4, 'Cy')) t(id, name)
"""
NEW_YEAR = dt.date(2026, 1, 1)


@pytest.fixture(scope="module")
def ann(endpoint: RunningEndpoint) -> Analyst:
    analyst = Analyst(endpoint, NAME, BUCKET).prepare()
    analyst.run(EVENTS)
    analyst.run(f"INSERT INTO events (id, name, price, day) VALUES {ROWS}")
    analyst.run(PEOPLE)
    analyst.run("CREATE VIEW per_day AS SELECT day, count(*) AS n FROM events GROUP BY day")
    configuration = {"ManagedQueryResultsConfiguration": {"Enabled": True}}
    endpoint.client("athena").create_work_group(Name=MANAGED, Configuration=configuration)
    return analyst


def engine(ann: Analyst, dialect: str, **options: str) -> sa.Engine:
    told = {"endpoint_url": ann.endpoint.url, "poll_interval": "0.02", **options}
    place = f"headwater:laptop@athena.{ann.endpoint.region}.amazonaws.com:443/{NAME}"
    return sa.create_engine(f"awsathena+{dialect}://{place}?{urlencode(told)}")


@pytest.fixture(scope="module")
def rest(ann: Analyst) -> Iterator[sa.Engine]:
    made = engine(ann, "rest", s3_staging_dir=f"s3://{BUCKET}/results/")
    yield made
    made.dispose()


@pytest.fixture(scope="module")
def tables(rest: sa.Engine) -> dict[str, sa.Table]:
    metadata = sa.MetaData()
    metadata.reflect(rest, only=["events", "people", "per_day"], views=True)
    return dict(metadata.tables)


def fetched(engine: sa.Engine, statement: sa.Executable) -> list[tuple[Any, ...]]:
    with engine.connect() as connection:
        return [tuple(row) for row in connection.execute(statement)]


def test_schemas_tables_and_views_are_reflected(rest: sa.Engine) -> None:
    found = sa.inspect(rest)
    assert NAME in found.get_schema_names()
    assert set(found.get_table_names()) >= {"events", "people"}
    assert found.get_view_names() == ["per_day"]
    assert (found.has_table("events"), found.has_table("nope")) == (True, False)
    assert "SELECT day, count(*) AS n FROM events GROUP BY day" in found.get_view_definition("per_day")
    with pytest.raises(exc.NoSuchTableError):
        found.get_columns("nope")


def test_columns_have_types_comments_and_their_place_among_partitions(rest: sa.Engine) -> None:
    found = sa.inspect(rest)
    columns = {each["name"]: each for each in found.get_columns("events")}
    assert {name: str(each["type"].compile(rest.dialect)) for name, each in columns.items()} == {
        "id": "INTEGER",
        "name": "STRING",
        "price": "DECIMAL(8, 2)",
        "at": "TIMESTAMP",
        "tags": "ARRAY<STRING>",
        "props": "MAP<STRING, INTEGER>",
        "pair": "ROW(n INTEGER, s STRING)",
        "final": "BOOLEAN",
        "big": "BIGINT",
        "small": "SMALLINT",
        "tiny": "TINYINT",
        "r": "FLOAT",
        "d": "DOUBLE",
        "raw": "BINARY",
        "code": "VARCHAR(7)",
        "day": "DATE",
    }
    assert (columns["id"]["comment"], columns["price"]["comment"], columns["name"]["comment"]) == (
        "Which event",
        "In dollars",
        None,
    )
    assert [name for name, each in columns.items() if each["dialect_options"]["awsathena_partition"]] == ["day"]
    assert columns["day"]["comment"] == "Its day"
    assert found.get_table_comment("events") == {"text": "What happens"}
    assert found.get_table_options("events")["awsathena_location"] == f"s3://{BUCKET}/events/"
    assert {each["name"]: str(each["type"]) for each in found.get_columns("per_day")} == {"day": "DATE", "n": "BIGINT"}


def totals(tables: dict[str, sa.Table]) -> sa.Select[Any]:
    """A join, an outer join, a group and its order, of the kind that a report asks."""
    events, people = tables["events"], tables["people"]
    return (
        sa.select(people.c.name, func.count(events.c.id).label("n"), func.sum(events.c.price).label("total"))
        .select_from(people.outerjoin(events, events.c.id == people.c.id))
        .where(people.c.name != "it's 100%")
        .group_by(people.c.name)
        .having(func.count() > 0)
        .order_by(people.c.name.desc())
        .limit(2)
    )


TOTALS = [("Cy", 0, None), ("Bo", 1, Decimal("2.50"))]


@pytest.mark.parametrize("dialect", ["rest", "pandas", "arrow"])
def test_each_dialect_answers_a_core_query(ann: Analyst, tables: dict[str, sa.Table], dialect: str) -> None:
    # Arrow's own client of S3 asks AWS whatever the endpoint is: its dialect needs results that lie in no bucket
    options = {"work_group": MANAGED} if dialect == "arrow" else {"s3_staging_dir": f"s3://{BUCKET}/results/"}
    found = fetched(engine(ann, dialect, **options), totals(tables))
    assert [(name, int(n), None if pd.isna(total) else total) for name, n, total in found] == TOTALS


def test_the_pandas_dialect_unloads(ann: Analyst, tables: dict[str, sa.Table]) -> None:
    events = tables["events"]
    unloading = engine(ann, "pandas", s3_staging_dir=f"s3://{BUCKET}/results/", unload="true")
    found = fetched(unloading, sa.select(events.c.id, events.c.price, events.c.day).order_by(events.c.id))
    assert found[0] == (1, Decimal("1.50"), NEW_YEAR)


def test_core_pages_with_offset_and_limit(rest: sa.Engine, tables: dict[str, sa.Table]) -> None:
    ids = sa.select(tables["events"].c.id).order_by(tables["events"].c.id)
    assert fetched(rest, ids.offset(1).limit(1)) == [(2,)]
    assert fetched(rest, ids.offset(2)) == [(3,)]


def test_core_asks_windows_sets_cases_and_lists(rest: sa.Engine, tables: dict[str, sa.Table]) -> None:
    events, people = tables["events"], tables["people"]
    number = func.row_number().over(partition_by=events.c.day, order_by=events.c.id)
    ranked = sa.select(events.c.day, number.label("rank"), events.c.id).subquery()
    assert fetched(rest, sa.select(ranked.c.id).where(ranked.c.rank == 1).order_by(ranked.c.id)) == [(1,), (2,)]
    both = sa.union(sa.select(events.c.id), sa.select(people.c.id)).order_by("id")
    assert fetched(rest, both) == [(1,), (2,), (3,), (4,)]
    kind = sa.case((events.c.name.like("o%"), "odd"), else_="even")
    listed = events.c.day.in_([NEW_YEAR, dt.date(2026, 1, 2)]) & events.c.at.is_(None)
    year = sa.extract("year", events.c.day)
    assert fetched(rest, sa.select(kind, year, sa.cast(events.c.price, types.String)).where(listed).order_by("id")) == [
        ("odd", 2026, "1.50"),
        ("even", 2026, "2.50"),
        ("odd", 2026, "4.00"),
    ]


def test_a_frame_is_read_by_an_engine(rest: sa.Engine) -> None:
    frame = pd.read_sql(sa.text("SELECT id, name FROM events WHERE id < :limit ORDER BY id"), rest, params={"limit": 3})
    assert frame.to_dict("list") == {"id": [1, 2], "name": ["one", "two"]}


def test_tables_are_made_filled_and_dropped_by_their_metadata(rest: sa.Engine) -> None:
    metadata = sa.MetaData()
    plain = sa.Table(
        "plain",
        metadata,
        sa.Column("id", types.Integer, comment="Which"),
        sa.Column("word", types.String(10)),
        sa.Column("amount", types.DECIMAL(8, 2)),
        sa.Column("day", types.Date, awsathena_partition=True),
        comment="Made by its metadata",
        awsathena_location=f"s3://{BUCKET}/plain/",
        awsathena_file_format="PARQUET",
        awsathena_compression="SNAPPY",
    )
    metadata.create_all(rest)
    found = sa.inspect(rest)
    assert found.get_table_comment("plain") == {"text": "Made by its metadata"}
    assert [(each["name"], each["comment"]) for each in found.get_columns("plain")][:2] == [
        ("id", "Which"),
        ("word", None),
    ]
    row = {"id": 1, "word": "it's 5%", "amount": Decimal("1.50"), "day": NEW_YEAR}
    with rest.connect() as connection:
        connection.execute(sa.insert(plain), [row])
    assert fetched(rest, sa.select(plain)) == [tuple(row.values())]
    metadata.drop_all(rest)
    assert not sa.inspect(rest).has_table("plain")


def test_rows_of_an_iceberg_table_are_inserted_changed_and_deleted(rest: sa.Engine) -> None:
    made = sa.Table(
        "made",
        sa.MetaData(),
        sa.Column("id", types.Integer),
        sa.Column("word", types.String),
        sa.Column("at", types.TIMESTAMP, awsathena_partition=True, awsathena_partition_transform="day"),
        awsathena_location=f"s3://{BUCKET}/made/",
        awsathena_tblproperties={"table_type": "ICEBERG"},
    )
    made.create(rest)
    at = dt.datetime(2026, 1, 1, 1, 2, 3)
    with rest.connect() as connection:
        connection.execute(sa.insert(made).values([{"id": n, "word": f"w{n}", "at": at} for n in (1, 2, 3)]))
        assert connection.execute(sa.update(made).where(made.c.id == 1).values(word="changed")).rowcount == 1
        assert connection.execute(sa.delete(made).where(made.c.id > 1)).rowcount == 2
    assert fetched(rest, sa.select(made)) == [(1, "changed", at)]
    made.drop(rest)


def test_a_statement_that_fails_keeps_athenas_words(rest: sa.Engine) -> None:
    with pytest.raises(exc.OperationalError, match="COLUMN_NOT_FOUND: line 1:8: Column 'nope' cannot be resolved"):
        fetched(rest, sa.text("SELECT nope FROM events"))
    with pytest.raises(exc.DatabaseError, match="line 1:1: mismatched input 'SELEC'"):
        fetched(rest, sa.text("SELEC 1"))


def test_the_url_of_bi_works_as_it_is(
    endpoint: RunningEndpoint, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    lake = Target(config.load("local"), endpoint.url)
    environment = lake.environment
    gold = Analyst(endpoint, environment.database("gold"), environment.bucket("results")).prepare()
    gold.run("CREATE TABLE sales AS SELECT 1 AS sale_id, DECIMAL '9.50' AS price")
    workgroup = environment.workgroup(next(iter(environment.teams)))
    endpoint.client("athena").create_work_group(Name=workgroup, Configuration={"EnforceWorkGroupConfiguration": False})
    monkeypatch.setattr(cli.target, "target", lambda env: lake)
    told = CliRunner().invoke(app, ["bi", "sqlalchemy", "--user", "ann.lee", "--output", str(tmp_path)])
    assert told.exit_code == 0, told.output
    url = (tmp_path / f"{environment.resource('gold')}.url").read_text().strip()
    opened = sa.create_engine(url)
    assert sa.inspect(opened).get_table_names() == ["sales"]
    assert fetched(opened, sa.text("SELECT * FROM sales")) == [(1, Decimal("9.50"))]
    assert gold.keys("athena/ann.lee/")
