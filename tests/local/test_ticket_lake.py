"""The ticket lake with its known faults: loaded, accounted for, queried, loaded again; and what goes wrong at night."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path

import pyarrow.parquet as pq
import pytest
from botocore.exceptions import ClientError
from typer.testing import CliRunner

import contracts
from cli import execution, quarantine
from cli.__main__ import app
from cli.query import fetch
from local import laptop, tickit
from tests.local import policies
from tests.local.ticket_lake import TicketLake, ticket_lake

SCALE = 0.05  # of the large tables; the faults are as many at any size, and `demo` runs at the published one


@pytest.fixture(scope="module")
def lake(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TicketLake]:
    with ticket_lake(tmp_path_factory.mktemp("tickets"), scale=SCALE) as up:
        yield up


@pytest.fixture(scope="module")
def first(lake: TicketLake) -> execution.Ended:
    return lake.run()


def test_the_first_run_succeeds(first: execution.Ended) -> None:
    assert (first.status, first.cause) == ("SUCCEEDED", "")


def test_every_row_read_is_accounted_for(lake: TicketLake, first: execution.Ended) -> None:
    refined = lake.outcomes(first.run, "refine")
    assert {name: each.read for name, each in refined.items()} == tickit.sizes(SCALE)
    for each in refined.values():
        assert each.read == each.inserted + each.updated + each.unchanged + each.superseded + each.quarantined


def test_the_known_faults_are_what_is_refused_each_by_the_rule_it_broke(
    lake: TicketLake, first: execution.Ended
) -> None:
    refined = lake.outcomes(first.run, "refine")
    told = {name: (each.superseded, dict(each.rules)) for name, each in refined.items()}
    assert told == {name: (known.superseded, known.quarantined) for name, known in tickit.expected(SCALE).items()}


def test_quarantine_holds_each_refused_row_with_its_rules(lake: TicketLake, first: execution.Ended) -> None:
    for name, known in tickit.expected(SCALE).items():
        rows = lake.rows("silver", f"{name.replace('.', '_')}__quarantine")
        found: dict[str, int] = {}
        for row in rows:
            for rule in row["_rules"]:
                found[rule] = found.get(rule, 0) + 1
        assert found == known.quarantined, name
        assert all(json.loads(row["_raw"]) for row in rows)


def test_gold_totals_are_those_of_the_source_less_the_refused_rows(lake: TicketLake, first: execution.Ended) -> None:
    refused = [json.loads(row["_raw"])["salesid"] for row in lake.rows("silver", "ecommerce_sales__quarantine")]
    with lake.source("ecommerce") as connection:
        expected = connection.execute(
            "SELECT count(*), sum(pricepaid), sum(qtysold), sum(commission) FROM "
            "(SELECT DISTINCT * FROM sales WHERE salesid NOT IN %s) AS sales",
            ([int(each) for each in refused],),
        ).fetchone()
    columns = "count(*), sum(price_paid), sum(quantity_sold), sum(commission)"
    for table in ("sales_by_category", "sales_by_date"):
        _, rows, _ = fetch(lake.target, f"SELECT {columns} FROM {table}")
        assert [Decimal(str(cell)) for cell in rows[0]] == [Decimal(each) for each in expected or ()], table


def test_a_second_run_writes_no_row_and_makes_no_snapshot(lake: TicketLake, first: execution.Ended) -> None:
    question = "SELECT category_name, sum(sale_amount) FROM sales_by_category GROUP BY category_name ORDER BY 1"
    before, answer = lake.snapshots(), fetch(lake.target, question)[1]
    second = lake.run()
    assert second.status == "SUCCEEDED"
    assert lake.snapshots() == before
    assert fetch(lake.target, question)[1] == answer
    for step in ("refine", "model"):
        for each in lake.outcomes(second.run, step).values():
            assert (each.inserted, each.updated, each.deleted) == (0, 0, 0), each.dataset


def test_boto3_the_aws_cli_and_pyiceberg_see_the_same_lake(lake: TicketLake, first: execution.Ended) -> None:
    database = lake.environment.database("silver")
    by_boto3 = {each["Name"] for each in lake.client("glue").get_tables(DatabaseName=database)["TableList"]}
    assert by_boto3 == {name for _, name in lake.catalog().list_tables(database)}
    assert by_boto3 == set(_aws(lake, "glue", "get-tables", "--database-name", database, "--query", "TableList[].Name"))

    machine = lake.target.state_machine("tickit")
    executions = lake.client("stepfunctions").list_executions(stateMachineArn=machine)["executions"]
    assert first.run in {each["name"] for each in executions}
    listed = _aws(
        lake, "stepfunctions", "list-executions", "--state-machine-arn", machine, "--query", "executions[].name"
    )
    assert listed == [each["name"] for each in executions]

    job = lake.environment.resource("refine")
    runs = [each["Id"] for each in lake.client("glue").get_job_runs(JobName=job)["JobRuns"]]
    assert runs
    assert _aws(lake, "glue", "get-job-runs", "--job-name", job, "--query", "JobRuns[].Id") == runs


def test_people_who_pick_fields_read_in_the_catalog_what_each_means(lake: TicketLake, first: execution.Ended) -> None:
    glue, described = lake.client("glue"), contracts.load_all()
    for name in ("ecommerce.sales", "gold.sales_by_date"):
        dataset = described[name]
        table = glue.get_table(DatabaseName=lake.environment.database(dataset.layer), Name=dataset.table)["Table"]
        said = {each["Name"]: each.get("Comment") for each in table["StorageDescriptor"]["Columns"]}
        assert {each.name: said[each.name] for each in dataset.columns} == {
            each.name: each.description for each in dataset.columns
        }
        assert table["Description"] == dataset.description
    bronze = glue.get_table(DatabaseName=lake.environment.database("bronze"), Name="ecommerce_sales")["Table"]
    said = {each["Name"]: each.get("Comment") for each in bronze["StorageDescriptor"]["Columns"]}
    assert (
        said["pricepaid"]
        == {each.name: each for each in described["ecommerce.sales"].columns}["price_paid"].description
    )


def test_a_view_of_the_folder_queries_answers_as_its_select_does(lake: TicketLake, first: execution.Ended) -> None:
    view = "SELECT sum(sales), sum(tickets), sum(revenue), sum(commission) FROM sales_by_month"
    table = "SELECT count(*), sum(quantity_sold), sum(price_paid), sum(commission) FROM sales_by_date"
    assert fetch(lake.target, view)[1] == fetch(lake.target, table)[1]
    assert fetch(lake.target, "SHOW VIEWS")[1] == [["sales_by_month"]]


def test_what_jobs_wrote_is_previewed_and_what_was_asked_is_in_the_history(
    lake: TicketLake, first: execution.Ended, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr("cli.target.target", lambda env: lake.target)
    s3 = lake.client("s3")
    for layer, folder, kind in (("bronze", "saas/category/logical", "Avro"), ("silver", "saas/category/data", "Parq")):
        bucket = lake.environment.bucket(layer)
        key = s3.list_objects_v2(Bucket=bucket, Prefix=folder)["Contents"][0]["Key"]
        told = json.loads(CliRunner().invoke(app, ["preview", f"s3://{bucket}/{key}", "--json"]).stdout)
        assert told["format"].startswith(kind)
        assert {"catname", "category_name"} & {each["name"] for each in told["schema"]}
        assert told["rows"]
    sql = "SELECT event_id, starts_at, revenue FROM dim_event WHERE revenue > 0 LIMIT 3"
    file = tmp_path / "events.parquet"
    CliRunner().invoke(app, ["query", sql, "--format", "parquet", "--output", str(file)])
    assert str(pq.read_schema(file).field("revenue").type) == "decimal128(18, 2)"
    [last, *_] = json.loads(CliRunner().invoke(app, ["query", "--history", "--json"]).stdout)
    assert (last["sql"], last["state"]) == (sql, "SUCCEEDED")
    assert last["bytes"] > 0


def test_what_people_write_is_encrypted_by_the_lakes_key_or_refused(lake: TicketLake) -> None:
    s3, bucket = lake.client("s3"), lake.environment.bucket("sandbox")
    for asked in ({}, {"ServerSideEncryption": "aws:kms"}):
        s3.put_object(Bucket=bucket, Key="data/ann.lee/a", Body=b"1", **asked)
        s3.put_object(Bucket=bucket, Key="data/ann.lee/a", Body=b"2", **asked)
    with pytest.raises(ClientError, match="explicit deny in a resource-based policy"):
        s3.put_object(Bucket=bucket, Key="data/ann.lee/a", Body=b"3", ServerSideEncryption="AES256")


def test_every_call_of_the_run_is_made_by_a_deployed_role(lake: TicketLake, first: execution.Ended) -> None:
    roles = {role["RoleName"] for role in lake.client("iam").list_roles()["Roles"]}
    recorded = json.loads(_get(f"{lake.laptop.url}/_headwater/calls"))["calls"]
    by_role = {call["role"] for call in recorded if call["role"] in roles}
    for part in ("apply", "ingest", "refine", "model", "plan", "conclude", "tickit"):
        assert any(part in role for role in by_role), part
    writes = [call for call in recorded if call["action"] == "s3:PutObject" and "-silver-" in call["resource"]]
    assert writes
    assert all(call["role"] in roles for call in writes)


def test_nothing_that_a_role_asked_for_was_refused(lake: TicketLake, first: execution.Ended) -> None:
    iam, ours = lake.client("iam"), lake.environment.resource("")
    assert len({(role, action) for role, _, _, action, _ in policies.told(iam, ours, "used")}) > 50
    assert policies.told(iam, ours, "refused") == set()


def test_each_grant_of_a_role_that_acted_is_used_or_has_a_reason(lake: TicketLake, first: execution.Ended) -> None:
    assert policies.unused(lake.client("iam"), lake.environment.resource("")) == []


def test_the_quarantine_commands_tell_and_mend_what_was_refused(
    lake: TicketLake, first: execution.Ended, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("cli.target.target", lambda env: lake.target)

    listed = {(each["dataset"], each["rule"]): each["rows"] for each in json.loads(_quarantine("list", "--json"))}
    assert listed == {
        (name, rule): n for name, known in tickit.expected(SCALE).items() for rule, n in known.quarantined.items()
    }
    [shown] = json.loads(_quarantine("show", "saas.users", "--rule", "email_pattern", "--limit", "1", "--json"))
    assert (shown["row"]["email"], shown["first_run"], shown["state"]) == ("***", first.run, "open")
    assert shown["rules"]["email_pattern"].startswith("email RLIKE")
    [shown] = json.loads(
        _quarantine("show", "saas.users", "--rule", "email_pattern", "--limit", "1", "--reveal", "--json")
    )
    assert "@" in shown["row"]["email"]

    with lake.source("saas") as connection:
        connection.execute("UPDATE venue SET venuename = trim(venuename)")
        connection.execute("DELETE FROM venue WHERE venuename IS NULL")
    assert "2 replayed, 1 dropped, 0 still open" in _quarantine("replay", "saas.venue")
    assert "nothing to replay" in _quarantine("replay", "saas.venue")
    assert len(lake.rows("silver", "saas_venue")) == tickit.SIZES["saas.venue"] - 1
    assert "no row of saas.venue with state 'open'" in _quarantine("list", "saas.venue", "--state", "open")


@dataclass(frozen=True)
class Failed:
    """A run that failed by one dataset of two, the tables before it, and where its alert came."""

    run: execution.Ended
    before: dict[str, int | None]
    alerts: str


@pytest.fixture(scope="module")
def failed(lake: TicketLake, first: execution.Ended) -> Failed:
    """One of its tables has vanished, and is there again."""
    alerts = _listen(lake)
    with lake.source("saas") as connection:
        connection.execute("UPDATE users SET city = city || '!' WHERE userid BETWEEN 100 AND 140")
        connection.execute("UPDATE category SET catdesc = catdesc || '!' WHERE catid = 3")
    before = lake.snapshots()
    tickit.vanish(lake.admin, "saas.category")
    run = lake.wait(lake.start(datasets=("saas.category", "saas.users")))
    tickit.restore(lake.admin, "saas.category")
    return Failed(run, before, alerts)


def test_a_vanished_table_fails_its_dataset_alone(lake: TicketLake, failed: Failed) -> None:
    assert failed.run.status == "FAILED"
    assert "saas.category" in failed.run.cause
    before, after = failed.before, lake.snapshots()
    silver, gold = lake.environment.database("silver"), lake.environment.database("gold")
    assert after[f"{silver}.saas_users"] != before[f"{silver}.saas_users"], "a sibling is published"
    assert after[f"{silver}.saas_category"] == before[f"{silver}.saas_category"]
    assert [each for each in before if each.startswith(gold) and after[each] != before[each]] == []
    alert = _alert(lake, failed.alerts)
    for word in (failed.run.run, "saas.category", 'Table "category" does not exist', "runbook"):
        assert word in alert, word


def test_a_wrong_password_is_said_without_saying_it(lake: TicketLake, failed: Failed) -> None:
    secrets, name = lake.client("secretsmanager"), lake.environment.secret("saas")
    right = secrets.get_secret_value(SecretId=name)["SecretString"]
    secrets.put_secret_value(SecretId=name, SecretString=json.dumps({**json.loads(right), "password": "w-r-o-n-g"}))
    again = lake.redrive(failed.run.run)
    secrets.put_secret_value(SecretId=name, SecretString=right)

    assert again.status == "FAILED"
    outcome = lake.outcomes(again.run, "ingest", attempt=1)["saas.category"]
    assert 'Source "saas" refused the user name or password' in outcome.cause
    assert "secret" in outcome.remedy
    logged = lake.client("logs").filter_log_events(logGroupName=f"{lake.environment.job_log_groups}/error")
    assert "w-r-o-n-g" not in json.dumps([outcome.cause, outcome.remedy, again.cause, logged])


def test_a_redrive_works_alone_what_failed_once_it_is_put_right(lake: TicketLake, failed: Failed) -> None:
    assert lake.redrive(failed.run.run).status == "SUCCEEDED"
    last = lake.target.ledger().run(failed.run.run)
    assert last
    for step in ("ingest", "refine"):
        assert set(lake.outcomes(failed.run.run, step, attempt=last.attempt)) == {"saas.category"}
    categories = lake.rows("silver", "saas_category")
    assert [each["category_id"] for each in categories if each["description"].endswith("!")] == [3]
    refused = {int(json.loads(row["_raw"])["userid"]) for row in lake.rows("silver", "saas_users__quarantine")}
    marked = {each["user_id"] for each in lake.rows("silver", "saas_users") if str(each["city"]).endswith("!")}
    assert marked == set(range(100, 141)) - refused


def _quarantine(*arguments: str) -> str:
    """What the command says."""
    done = CliRunner().invoke(quarantine.app, list(arguments), catch_exceptions=False)
    return str(done.stdout) if "--json" in arguments else str(done.output)


def _aws(lake: TicketLake, *arguments: str) -> list[str]:
    """The AWS CLI's answer."""
    done = subprocess.run(
        [str(Path(sys.executable).with_name("aws")), *arguments, "--output", "json"],
        env={**laptop.USER.environment(lake.laptop.url, lake.laptop.region), "PATH": "/usr/bin:/bin"},
        capture_output=True,
        text=True,
        check=True,
    )
    found: list[str] = json.loads(done.stdout)
    return found


def _get(url: str) -> bytes:
    from urllib.request import urlopen

    with urlopen(url) as answer:
        body: bytes = answer.read()
    return body


def _listen(lake: TicketLake) -> str:
    """A queue that hears the lake's alerts, as an on-call engineer's mail does."""
    sqs = lake.client("sqs")
    queue: str = sqs.create_queue(QueueName="on-call")["QueueUrl"]
    arn = sqs.get_queue_attributes(QueueUrl=queue, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    lake.client("sns").subscribe(TopicArn=lake.environment.topic_arn, Protocol="sqs", Endpoint=arn)
    return queue


def _alert(lake: TicketLake, queue: str, seconds: float = 120) -> str:
    """The first alert that arrives."""
    sqs, until = lake.client("sqs"), time.monotonic() + seconds
    while time.monotonic() < until:
        for message in sqs.receive_message(QueueUrl=queue, WaitTimeSeconds=1).get("Messages", []):
            text: str = json.loads(message["Body"])["Message"]
            return text
    pytest.fail(f"No alert came within {seconds} s.")
