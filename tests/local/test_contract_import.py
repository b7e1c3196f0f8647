"""From a table that nobody knows to a contract that runs: crawled, imported, loaded, its drift told and taken up."""

from __future__ import annotations

import dataclasses
import json
import shutil
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

import contracts
from cli import contract_drift, contract_import, discovered
from cli.errors import CommandError
from config import ports
from contracts.amend import AmendError
from local import deploy, synthesis
from tests.local.conftest import ROOT
from tests.local.ticket_lake import TicketLake, ticket_lake

REFUNDS = (
    'CREATE TABLE "Refunds" ("refundId" int PRIMARY KEY, contact text NOT NULL, amount numeric(8,2), '
    "updated_at timestamptz NOT NULL)",
    """INSERT INTO "Refunds" VALUES (1, 'ann@example.com', 1.5, now()), (2, 'bob@example.org', NULL, now())""",
)
NEEDED = {"s3:ListObjectsV2": "s3:ListBucket", "s3:HeadObject": "s3:GetObject"}
PIPELINE = {"datasets": ["saas.refunds"], "interval_hours": 24, "sla_minutes": 60, "owner": "tests"}


@pytest.fixture(scope="module")
def lake(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TicketLake]:
    with ticket_lake(tmp_path_factory.mktemp("crawled"), scale=0.02) as up:
        sql(up, *REFUNDS)
        yield up


@pytest.fixture(scope="module")
def crawled(lake: TicketLake) -> dict[str, Any]:
    return crawl(lake)


@pytest.fixture(scope="module")
def imported(lake: TicketLake, crawled: dict[str, Any], tmp_path_factory: pytest.TempPathFactory) -> TicketLake:
    """The same lake, with the shipped contracts of its source and that of a table imported from the crawl."""
    root = tmp_path_factory.mktemp("root")
    for source in ("saas", "ecommerce", "clinic"):
        shutil.copytree(ROOT / "contracts" / source, root / "contracts" / source)
    (root / "models").mkdir()
    (root / "pipelines").mkdir()
    for name in lake.environment.schedules:
        (root / "pipelines" / f"{name}.yaml").write_text(yaml.safe_dump(PIPELINE))
    target = dataclasses.replace(lake.target, root=root)
    contract_import.imported(target, "headwater-local-saas.refunds", None, crawl=False, live=True)
    return dataclasses.replace(lake, target=target)


def sql(lake: TicketLake, *statements: str) -> None:
    with lake.source("saas") as connection:
        for statement in statements:
            connection.execute(statement)


def crawl(lake: TicketLake) -> dict[str, Any]:
    """An execution of the crawlers' state machine, at its end."""
    states = lake.client("stepfunctions")
    arn = states.start_execution(stateMachineArn=lake.target.state_machine("crawl"), input="{}")["executionArn"]
    while (found := states.describe_execution(executionArn=arn))["status"] == "RUNNING":
        time.sleep(0.1)
    told: dict[str, Any] = found
    return told


def test_one_execution_crawls_every_source_and_landing(lake: TicketLake, crawled: dict[str, Any]) -> None:
    assert (crawled["status"], crawled.get("cause")) == ("SUCCEEDED", None)
    tables = {source: discovered.tables(lake.target, source) for source in lake.environment.sources}
    for dataset in contracts.load_all().values():
        if dataset.source in tables:
            assert discovered.find(tables[dataset.source], dataset.source_object), dataset.id


def test_contracts_have_no_drift_against_the_tables_of_any_engine(lake: TicketLake, crawled: dict[str, Any]) -> None:
    report = contract_drift.reported(lake.target, None)
    assert [f"{each.dataset}: {each}" for each in report.drifts] == []
    (landing,) = [each for each in report.crawls if each.crawler.endswith("-landing")]
    assert landing.sentence == (
        "The crawler 'headwater-local-crawl-landing' found nothing: its source holds no table yet."
    )


def test_an_imported_contract_says_what_was_found_and_guesses_what_is_personal(imported: TicketLake) -> None:
    made = contracts.load("saas.refunds", imported.target.root)
    assert (made.key, made.source_object, made.load_mode, made.cursor) == (
        ("refund_id",), "Refunds", "incremental", "updated_at",
    )  # fmt: skip
    found = [(each.name, each.source, each.type, each.required, each.classification) for each in made.columns]
    assert found == [
        ("refund_id", "refundId", "int", True, "internal"),
        ("contact", "contact", "string", True, "pii"),
        ("amount", "amount", "decimal(8,2)", False, "internal"),
        ("updated_at", "updated_at", "timestamp", True, "internal"),
    ]


def test_a_contract_that_is_there_is_never_overwritten(imported: TicketLake) -> None:
    with pytest.raises(CommandError, match=r"contracts/saas/refunds.odcs.yaml' is there already. .*accept"):
        contract_import.imported(imported.target, "saas.refunds", None, crawl=False, live=False)
    with pytest.raises(CommandError, match=r"'usres' of source 'saas': .*Did you mean 'users'\?.*--crawl"):
        contract_import.imported(imported.target, "saas.usres", None, crawl=False, live=False)


def test_an_imported_contract_synthesizes_and_runs(imported: TicketLake, tmp_path: Path) -> None:
    root = str(imported.target.root)
    written = ports.write(imported.laptop.source_ports)
    synthesis.synth(tmp_path, validate=False, env="local", source_ports=written, lake_root=root)
    deploy.deploy(tmp_path, imported.laptop.url)
    ended = imported.run()
    assert (ended.status, ended.cause) == ("SUCCEEDED", "")
    rows = imported.rows("silver", "saas_refunds")
    assert sorted((row["refund_id"], row["contact"]) for row in rows) == [
        (1, "ann@example.com"), (2, "bob@example.org"),
    ]  # fmt: skip


def test_additive_drift_is_told_and_taken_up_and_what_breaks_is_refused(imported: TicketLake) -> None:
    sql(imported, 'ALTER TABLE "Refunds" ADD COLUMN "birthDate" date, ALTER COLUMN "refundId" TYPE bigint')
    report = contract_drift.reported(imported.target, "saas.refunds", crawl=True)
    assert [(each.kind, each.grade) for each in report.drifts] == [
        ("type changed", "additive"), ("new column", "additive"),
    ]  # fmt: skip
    assert report.trouble == []
    contract_drift.accepted(imported.target, "saas.refunds", live=True)
    made = contracts.load("saas.refunds", imported.target.root)
    added = made.columns[-1]
    assert (made.version, made.columns[0].type) == ("1.1.0", "bigint")
    assert (added.name, added.source, added.required, added.classification) == ("birth_date", "birthDate", False, "pii")
    assert contract_drift.reported(imported.target, "saas.refunds").drifts == ()

    sql(imported, 'ALTER TABLE "Refunds" DROP COLUMN amount')
    report = contract_drift.reported(imported.target, "saas.refunds", crawl=True)
    assert report.trouble == ["saas.refunds: amount is not there any more"]
    with pytest.raises(AmendError, match="major version"):
        contract_drift.accepted(imported.target, "saas.refunds", live=False)

    sql(imported, 'DROP TABLE "Refunds"')
    report = contract_drift.reported(imported.target, "saas.refunds", crawl=True)
    assert report.trouble == ["saas.refunds: the table is not there any more"]


def test_an_execution_fails_and_names_each_crawler_that_failed(lake: TicketLake, crawled: dict[str, Any]) -> None:
    name = lake.environment.secret("crm")
    secrets = lake.client("secretsmanager")
    right = secrets.get_secret_value(SecretId=name)["SecretString"]
    secrets.put_secret_value(SecretId=name, SecretString=json.dumps({**json.loads(right), "password": "wrong"}))
    try:
        ended = crawl(lake)
    finally:
        secrets.put_secret_value(SecretId=name, SecretString=right)
    assert (ended["status"], ended["error"]) == ("FAILED", "CrawlersFailedError")
    assert ended["cause"].startswith('["headwater-local-crawl-crm"] failed. ')
    assert "jdbc:h2:tcp://127.0.0.1" in ended["cause"]
    assert discovered.last_crawl(lake.target, "saas").status == "SUCCEEDED"
    assert "crm" in discovered.last_crawl(lake.target, "crm").sentence


def test_crawlers_and_their_state_machine_do_only_what_their_roles_allow(
    lake: TicketLake, crawled: dict[str, Any]
) -> None:
    iam, calls = lake.client("iam"), f"{lake.laptop.url}/_headwater/calls?role="
    sources = [*lake.environment.sources, "landing"]
    for role in (*(f"crawl-{each}" for each in sources), "crawl-pipeline"):
        name = lake.environment.resource(role)
        policy = iam.get_role_policy(RoleName=name, PolicyName="Access")["PolicyDocument"]
        actions = [each["Action"] for each in policy["Statement"]]
        allowed = {each for listed in actions for each in ([listed] if isinstance(listed, str) else listed)}
        with urllib.request.urlopen(calls + name) as answer:
            made = {NEEDED.get(each["action"], each["action"]) for each in json.load(answer)["calls"]}
        assert made, name
        assert made <= allowed, name
