"""Each engine's tables arrive whole, and what a source refuses is said in a sentence, by real servers."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import boto3
import pytest
from pyspark.sql import SparkSession

import config
from config.source import Engine, Source
from contracts import compile
from glue_jobs import apply, aws, connection, ingest, refine
from glue_jobs.causes import explain
from glue_jobs.connection import find_source
from glue_jobs.reading import Reading
from glue_jobs.windows import Window
from glue_jobs.work import Job, work
from lake.ledger import Ledger, Outcome
from lake.runs import RunId
from local.engines import h2, mariadb, postgres
from local.engines.listening import free_port
from local.engines.sources import Server
from tests.spark.hard_tables import HARD, NOT_STRICT, SIBLING, TABLE, Statements, wanted
from tests.spark.shop import FolderLake

START: dict[Engine, Callable[[Path], Any]] = {"postgresql": postgres.start, "mysql": mariadb.start, "h2": h2.start}
ENGINES: tuple[Engine, ...] = ("postgresql", "mysql", "h2")
READER, LIMITED = "reader", "limited"
DATABASE = "shop"
LIMIT: dict[Engine, tuple[str, ...]] = {
    "postgresql": (
        "CREATE ROLE limited LOGIN PASSWORD 'right'",
        'GRANT CONNECT ON DATABASE "shop" TO limited',
        "GRANT USAGE ON SCHEMA public TO limited",
        'GRANT SELECT ON "Sibling" TO limited',
    ),
    "mysql": (
        "CREATE USER limited@'127.0.0.1' IDENTIFIED BY 'right'",
        "GRANT SELECT ON \"Sibling\" TO limited@'127.0.0.1'",
    ),
    "h2": ("CREATE USER LIMITED PASSWORD 'right'", 'GRANT SELECT ON "Sibling" TO LIMITED'),
}  # fmt: skip


@pytest.fixture(scope="module")
def servers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[Engine, Server]]:
    """One of each engine, with its hard table, one beside it, a reader of both and one of the other only."""
    started: dict[Engine, Any] = {}
    try:
        with ThreadPoolExecutor() as pool:
            begun = {each: pool.submit(START[each], tmp_path_factory.mktemp(each)) for each in ENGINES}
        for each, future in begun.items():
            started[each] = future.result()
        for each, server in started.items():
            server.create_database(DATABASE)
            with server.connect(DATABASE) as connection:
                for statement, values in Statements(HARD[each], NOT_STRICT.get(each, ())).all():
                    connection.execute(statement, values)
                for statement in LIMIT[each]:
                    connection.execute(statement)
            server.let_read(DATABASE, READER, "right")
        yield started
    finally:
        for server in started.values():
            server.stop()


@dataclass
class Sources:
    """A lake of two datasets from each engine: the hard table `order`, and `sibling`."""

    spark: SparkSession
    ledger: Ledger
    lake: FolderLake
    servers: dict[Engine, Server]

    def __post_init__(self) -> None:
        self.hour = 0
        aws.client.cache_clear()
        self.glue, self.secrets = boto3.client("glue"), boto3.client("secretsmanager")
        self.glue.create_database(DatabaseInput={"Name": self.lake.environment.databases["bronze"]})
        for engine in ENGINES:
            self.secrets.create_secret(Name=engine, SecretString="{}")
            self.connect(engine)

    def connect(
        self, engine: Engine, user: str = READER, password: str = "right", port: int = 0, database: str = DATABASE
    ) -> None:
        """How jobs come to an engine from now on: by another connection, since moto changes and deletes none."""
        text = json.dumps({"username": user, "password": password})
        self.secrets.put_secret_value(SecretId=engine, SecretString=text)
        url = Source(engine, "127.0.0.1", port or self.servers[engine].port, database).jdbc_url
        properties = {"JDBC_CONNECTION_URL": url, "SECRET_ID": engine}
        name = f"{engine}-{len(self.glue.get_connections()['ConnectionList'])}"
        made = {"Name": name, "ConnectionType": "JDBC", "ConnectionProperties": properties}
        self.glue.create_connection(ConnectionInput=made)
        self.lake.environment.connections[engine] = name  # type: ignore[index]

    def job(self) -> Job:
        self.hour += 1
        run = RunId.parse(f"hard-20260101T{self.hour:02}00-01")
        self.ledger.plan(str(run), 0, [f"{each}.order" for each in ENGINES], [])
        return Job(self.spark, self.lake, self.ledger, run, 0)

    def ingest(self, *datasets: str) -> dict[str, Outcome]:
        return {each.dataset: each for each in work(self.job(), "ingest", datasets, ingest.ingest)}


@pytest.fixture
def sources(
    in_utc: SparkSession, ledger: Ledger, warehouse: Path, tmp_path: Path, servers: dict[Engine, Server]
) -> Sources:
    return Sources(in_utc, ledger, _lake(tmp_path, warehouse), servers)


def test_each_engines_hard_types_arrive_whole(sources: Sources) -> None:
    job = sources.job()
    names = [f"{engine}.order" for engine in ENGINES]
    for layer in ("silver", "gold"):
        sources.spark.sql(f"CREATE NAMESPACE IF NOT EXISTS lake.{sources.lake.environment.databases[layer]}")
    outcomes = [*work(job, "apply", names, apply.apply), *work(job, "ingest", names, ingest.ingest)]
    outcomes += work(job, "refine", refine.pending(job), refine.refine)
    assert [(each.dataset, each.step, each.cause) for each in outcomes if each.status == "failed"] == []
    for engine in ENGINES:
        found = sources.spark.table(sources.lake.table(sources.lake.dataset(f"{engine}.order"))).orderBy("key")
        columns = [f"CAST({_lake_name(each.name)} AS string) AS `{each.name}`" for each in HARD[engine]]
        rows = [row.asDict() for row in found.selectExpr(*columns).collect()]
        for number, (came, should) in enumerate(zip(rows, wanted(engine), strict=True), 1):
            different = {name: (came[name], should[name]) for name in should if came[name] != should[name]}
            assert not different, (engine, number)


@pytest.mark.parametrize("engine", ENGINES)
def test_a_window_of_each_kind_of_time_is_read_by_each_engine(sources: Sources, engine: Engine) -> None:
    url = Source(engine, "127.0.0.1", sources.servers[engine].port, DATABASE).jdbc_url
    table = sources.lake.dataset(f"{engine}.order")
    times = [each.name for each in HARD[engine] if each.name in ("WallClock", "At", "bornOn")]
    cursors = {each.source: each.name for each in table.columns if each.source in times}
    for source, name in cursors.items():
        low = datetime(1899, 12, 31, 5, tzinfo=UTC) if source == "bornOn" else datetime(2024, 3, 10, 2, 30, tzinfo=UTC)
        for window, keys in ((Window(low), [1, 3]), (Window(low, low + timedelta(days=30)), [1])):
            part = Reading(sources.spark, connection.Source(url, READER, "right"), replace(table, cursor=name), window)
            assert sorted(row["Key"] for row in part.rows(100, ["Key"]).collect()) == keys, (source, window)


@pytest.mark.parametrize(
    ("wrong", "cause"),
    [
        ({"password": "not-this-one"}, 'Source "{0}" refused the user name or password.'),
        ({"user": "nobody"}, 'Source "{0}" refused the user name or password.'),
        ({"port": 0}, 'Source "{0}" does not answer.'),
    ],
)
def test_a_source_that_lets_nobody_in_is_named_with_the_reason(
    sources: Sources, wrong: dict[str, Any], cause: str
) -> None:
    if "port" in wrong:
        wrong = {"port": free_port()}
    for engine in ENGINES:
        sources.connect(engine, **wrong)
    outcomes = sources.ingest(*(f"{engine}.sibling" for engine in ENGINES))
    assert {name: each.cause for name, each in outcomes.items()} == {
        f"{engine}.sibling": cause.format(engine) for engine in ENGINES
    }
    assert "not-this-one" not in json.dumps([[each.cause, each.remedy] for each in outcomes.values()])


def test_a_table_that_may_not_be_read_is_named_and_its_siblings_are_loaded(sources: Sources) -> None:
    for engine in ENGINES:
        sources.connect(engine, user=LIMITED)
    outcomes = sources.ingest(*(f"{engine}.{table}" for engine in ENGINES for table in ("order", "sibling")))
    for engine in ENGINES:
        assert outcomes[f"{engine}.order"].cause == f'Source "{engine}" does not let its user read table "{TABLE}".'
        assert (outcomes[f"{engine}.sibling"].status, outcomes[f"{engine}.sibling"].read) == ("succeeded", 1)


def test_a_table_that_is_gone_is_named(sources: Sources) -> None:
    rename = 'ALTER TABLE "{}" RENAME TO "{}"'
    for engine in ENGINES:
        with sources.servers[engine].connect(DATABASE) as connection:
            connection.execute(rename.format(SIBLING, "Gone"))
    try:
        outcomes = sources.ingest(*(f"{engine}.sibling" for engine in ENGINES))
    finally:
        for engine in ENGINES:
            with sources.servers[engine].connect(DATABASE) as connection:
                connection.execute(rename.format("Gone", SIBLING))
    for engine in ENGINES:
        said = f'Table "{SIBLING}" does not exist in source "{engine}".'
        assert outcomes[f"{engine}.sibling"].cause == said


def test_a_database_that_is_not_there_is_said(sources: Sources) -> None:
    for engine in ENGINES:
        sources.connect(engine, database="nowhere")
    for name, outcome in sources.ingest(*(f"{engine}.sibling" for engine in ENGINES)).items():
        source = name.split(".")[0]
        assert outcome.cause == f'Source "{source}" has no such database, or does not show it to its user.'


@pytest.mark.parametrize("text", ["hunter2", "[]", '{"username": "reader"}', '{"username": "reader", "password": 7}'])
def test_a_secret_that_holds_something_else_is_named_and_not_said(sources: Sources, text: str) -> None:
    sources.secrets.put_secret_value(SecretId="mysql", SecretString=text)
    outcome = sources.ingest("mysql.sibling")["mysql.sibling"]
    assert outcome.cause.startswith("The secret 'mysql': expected JSON such as")
    assert "hunter2" not in outcome.cause + outcome.remedy


def test_a_secret_or_connection_that_is_gone_is_named(sources: Sources) -> None:
    sources.secrets.delete_secret(SecretId="mysql", ForceDeleteWithoutRecovery=True)
    sources.lake.environment.connections["h2"] = "gone"  # type: ignore[index]
    outcomes = sources.ingest("mysql.sibling", "h2.sibling", "postgresql.sibling")
    assert outcomes["mysql.sibling"].cause == "The secret 'mysql': expected one that is there and holds text."
    assert outcomes["h2.sibling"].cause.startswith("The Glue connection 'gone': expected one")
    assert outcomes["postgresql.sibling"].status == "succeeded"


def test_no_value_of_a_row_reaches_a_cause(sources: Sources) -> None:
    rows, dataset = sources.spark.sql("SELECT 's3cr3t' AS text"), sources.lake.dataset("postgresql.sibling")
    sources.spark.conf.set("spark.sql.ansi.enabled", "true")
    try:
        with pytest.raises(Exception, match="s3cr3t") as caught:
            rows.selectExpr("CAST(text AS int)").collect()
    finally:
        sources.spark.conf.set("spark.sql.ansi.enabled", "false")
    failure = explain(caught.value, dataset)
    assert "s3cr3t" not in failure.cause
    assert "CAST_INVALID_INPUT" in failure.cause

    with sources.servers["postgresql"].connect(DATABASE) as connection:
        connection.execute('CREATE VIEW "Broken" AS SELECT (\'s3cr3t\' || "Key")::int AS n FROM "Sibling"')
        connection.execute('GRANT SELECT ON "Broken" TO reader')
    connection_name = sources.lake.environment.connections["postgresql"]
    source = find_source(connection_name, sources.glue, sources.secrets)
    with pytest.raises(Exception, match="s3cr3t") as caught:
        source.read(sources.spark, dbtable='"Broken"').collect()
    assert explain(caught.value, dataset).cause == "org.postgresql.util.PSQLException (SQL state 22P02, code 0)"


def _lake(folder: Path, warehouse: Path) -> FolderLake:
    """The lake as its contracts are compiled."""
    root = folder / "root"
    for engine in ENGINES:
        hard = [("Key", "int"), *((each.name, each.lake) for each in HARD[engine])]
        for name, table, columns in (("order", TABLE, hard), ("sibling", SIBLING, [("Key", "int")])):
            path = root / "contracts" / engine / f"{name}.odcs.yaml"
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(json.dumps(_contract(engine, name, table, columns)))
    (root / "pipelines").mkdir()
    names = [f"{engine}.{table}" for engine in ENGINES for table in ("order", "sibling")]
    pipeline = {"datasets": names, "interval_hours": 24, "sla_minutes": 60, "owner": "tests"}
    (root / "pipelines" / "hard.yaml").write_text(json.dumps(pipeline))
    local = config.load("local")
    sources: dict[str, Source] = {engine: Source(engine, "127.0.0.1", 1, DATABASE) for engine in ENGINES}
    compile.write(folder, replace(local, sources=sources, schedules={}, streams={}, governance="iam", roles={}), root)
    package = folder / "compiled"
    content: dict[str, Any] = {"environment": json.loads((package / "environment.json").read_text())}
    for part in ("datasets", "pipelines"):
        content[part] = [json.loads(each.read_text()) for each in sorted((package / part).iterdir())]
    return FolderLake.of(content, warehouse)


def _contract(source: str, name: str, table: str, columns: list[tuple[str, str]]) -> dict[str, Any]:
    properties = [
        {
            "id": _lake_name(column),
            "name": _lake_name(column),
            "physicalType": kind,
            "classification": "internal",
            "description": "Hard.",
            "transformSourceObjects": [f'{table}."{column}"'],
            **({"required": True, "primaryKey": True} if column == "Key" else {}),
        }
        for column, kind in columns
    ]
    return {
        "apiVersion": "v3.1.0", "kind": "DataContract", "id": f"urn:headwater:{source}:{name}", "name": name,
        "version": "1.0.0", "status": "active", "description": {"purpose": "Hard."}, "team": {"name": "tests"},
        "slaProperties": [{"property": "freshness", "value": 26, "unit": "h"},
                          {"property": "retention", "value": 5, "unit": "y"}],
        "customProperties": [{"property": "loadMode", "value": "full"}],
        "schema": [{"name": name, "physicalType": "table", "properties": properties}],
    }  # fmt: skip


def _lake_name(name: str) -> str:
    words = re.sub(r"(?<=[a-z])(?=[A-Z])", "_", name).lower()
    return re.sub(r"[^a-z0-9_]", "_", words)
