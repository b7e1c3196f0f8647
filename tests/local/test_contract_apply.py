"""A major version of a contract, end to end: a run refuses it, the command applies it, readers of either name go on."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from typing import Any

import pytest
from typer.testing import CliRunner, Result

import cli.target
from cli import contract
from local import deploy, synthesis
from tests.local.small_lake import DATASET, SmallLake, small_lake
from tests.unit.lake_root import change

ORDERS = "contracts/saas/orders.odcs.yaml"
VIEW = "saas_orders__v1"


@pytest.fixture(scope="module")
def lake(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SmallLake]:
    with small_lake(tmp_path_factory.mktemp("contract")) as up:
        up.orders(1, 6, "n", "timestamp '2026-10-01' + n * interval '1 hour'")
        assert up.run().status == "SUCCEEDED"
        yield up


@pytest.fixture
def command(lake: SmallLake, monkeypatch: pytest.MonkeyPatch) -> Any:
    monkeypatch.setattr(cli.target, "target", lambda env: lake.target)

    def call(*arguments: str) -> Result:
        return CliRunner().invoke(contract.app, [*arguments])

    return call


def redeploy(lake: SmallLake) -> None:
    given = ",".join(f"{source}:{port}" for source, port in lake.laptop.source_ports.items())
    synthesis.synth(
        lake.laptop.state / "cdk.out", validate=False, env="local", source_ports=given, lake_root=str(lake.target.root)
    )
    deploy.deploy(lake.laptop.state / "cdk.out", lake.laptop.url)


def query(lake: SmallLake, sql: str) -> list[list[str | None]]:
    athena, environment = lake.client("athena"), lake.environment
    began = athena.start_query_execution(
        QueryString=sql,
        QueryExecutionContext={"Database": environment.database("silver")},
        WorkGroup=environment.resource("analysts"),
        ResultConfiguration={"OutputLocation": f"s3://{environment.bucket('results')}/athena/t/"},
    )["QueryExecutionId"]
    while (status := athena.get_query_execution(QueryExecutionId=began)["QueryExecution"]["Status"])["State"] in (
        "QUEUED", "RUNNING"):  # fmt: skip
        time.sleep(0.05)
    assert status["State"] == "SUCCEEDED", status
    rows = athena.get_query_results(QueryExecutionId=began)["ResultSet"]["Rows"]
    return [[each.get("VarCharValue") for each in row["Data"]] for row in rows]


def test_a_major_version_goes_by_the_command_and_old_names_stay_readable(lake: SmallLake, command: Any) -> None:
    root = lake.target.root
    before = query(lake, "SELECT order_id, amount, changed_at FROM saas_orders ORDER BY 1")
    change(root, ORDERS, "name: amount,", "name: price,")
    change(root, ORDERS, "version: 1.0.0", "version: 2.0.0")
    for model in ("totals", "largest"):
        change(root, f"models/{model}.sql", "(amount)", "(price)")
    redeploy(lake)

    failed = lake.run()
    assert failed.status == "FAILED", failed
    outcome = lake.outcomes(failed.run, "apply")[DATASET]
    assert outcome.remedy.startswith(f"Run `headwater contract apply {DATASET} --env local`")

    done = command("apply", DATASET, "--yes", "--json")
    assert done.exit_code == 0, done.output
    told = json.loads(done.output)
    assert told["outcome"]["status"] == "succeeded"
    assert told["view"].endswith(VIEW)
    assert query(lake, f'SELECT order_id, amount, changed_at FROM "{VIEW}" ORDER BY 1') == before
    assert query(lake, "SELECT order_id, price, changed_at FROM saas_orders ORDER BY 1")[1:] == before[1:]

    redriven = lake.redrive(failed.run)
    assert redriven.status == "SUCCEEDED", redriven.cause
    assert lake.outcomes(failed.run, "refine")[DATASET].updated == 0  # a new name is no new content
    assert len(lake.rows("gold", "totals")) == 3


def test_the_view_is_described_and_listed_as_athena_does(lake: SmallLake) -> None:
    assert [VIEW] in query(lake, "SHOW VIEWS")
    described = [row[0] for row in query(lake, f"DESCRIBE {VIEW}")]
    assert any((each or "").startswith("amount") for each in described)
    [first, second] = query(lake, f"SHOW CREATE VIEW {VIEW}")
    assert first == [f"CREATE VIEW {lake.environment.database('silver')}.{VIEW} AS"]
    assert '"price" AS "amount"' in str(second[0])
    entry = lake.client("glue").get_table(DatabaseName=lake.environment.database("silver"), Name=VIEW)["Table"]
    assert entry["TableType"] == "VIRTUAL_VIEW"


def test_a_view_of_ones_own_is_named_before_its_column_goes(lake: SmallLake, command: Any) -> None:
    glue, database = lake.client("glue"), lake.environment.database("silver")
    entry = glue.get_table(DatabaseName=database, Name=VIEW)["Table"]
    kept = {each: entry[each] for each in ("TableType", "Parameters", "StorageDescriptor", "ViewOriginalText")}
    glue.create_table(DatabaseName=database, TableInput={"Name": "ours", **kept})
    change(lake.target.root, ORDERS, "name: price,", "name: cost,")
    for model in ("totals", "largest"):
        change(lake.target.root, f"models/{model}.sql", "(price)", "(cost)")
    assert "expected a new major version. Make it 3.0.0" in str(command("apply", DATASET, "--yes").exception)
    change(lake.target.root, ORDERS, "version: 2.0.0", "version: 3.0.0")
    refused = str(command("apply", DATASET, "--yes").exception)
    assert f"view {database}.ours names 'price'" in refused
    glue.delete_table(DatabaseName=database, Name="ours")
    unlike = str(command("apply", DATASET, "--yes").exception)
    assert "Deploy first: `headwater deploy --env local`." in unlike
