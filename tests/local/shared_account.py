"""An account that others use too, with the lake's stacks deployed to it and two of its tables governed."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

import config
import contracts
from cli.query import fetch
from cli.target import Target
from contracts.compile import describe
from glue_jobs.governance import EVERYONE, Governor
from lake.governance import plan, principal, side_tables
from lake.parts import Dataset
from lake.tables import LINEAGE
from local import deploy, synthesis
from tests.local.own_endpoint import OwnEndpoint, started

ENVIRONMENT = config.load("local")
OURS = ENVIRONMENT.resource("")
GOVERNANCE = ENVIRONMENT.resource("governance")
SILVER = ENVIRONMENT.database("silver")
USERS, IMMUNIZATIONS = "saas.users", "clinic.immunizations"
NEIGHBOUR = f"arn:aws:iam::{ENVIRONMENT.account}:role/neighbour"
BY_ALL = [{"Principal": {"DataLakePrincipalIdentifier": EVERYONE}, "Permissions": ["ALL"]}]
SETTINGS = {
    "DataLakeAdmins": [{"DataLakePrincipalIdentifier": f"arn:aws:iam::{ENVIRONMENT.account}:role/other-admin"}],
    "CreateDatabaseDefaultPermissions": BY_ALL,
    "CreateTableDefaultPermissions": BY_ALL,
}
VALUES = {
    "string": "'{table}-1'", "int": "1", "bigint": "1", "date": "DATE '2026-01-01'", "boolean": "true",
    "timestamp": "TIMESTAMP '2026-01-01 00:00:00'",
}  # fmt: skip


@dataclass(frozen=True)
class Account:
    """Somebody's account, with the lake's stacks deployed to it."""

    endpoint: OwnEndpoint
    assembly: Path
    before: dict[str, Any]

    def shown(self) -> dict[str, Any]:
        """All that Lake Formation says of it, but for when and by whom."""
        return shown(self.endpoint)

    def deploy(self) -> list[str]:
        return [each.action for each in deploy.deploy(self.assembly, self.endpoint.url)]

    def apply(self, *ids: str) -> None:
        """As the apply job does, for these datasets."""
        described, datasets = describe(ENVIRONMENT), contracts.load_all()
        rights = plan(described, [datasets[each] for each in ids])
        Governor(self.endpoint.client("lakeformation"), described).close()
        for each in ids:
            Governor(self.endpoint.client("lakeformation"), described).bring(rights.of(each))


def shown(endpoint: OwnEndpoint) -> dict[str, Any]:
    lake = endpoint.client("lakeformation")
    settings = lake.get_data_lake_settings()["DataLakeSettings"]
    databases = [each["Name"] for each in endpoint.client("glue").get_databases()["DatabaseList"]]
    return {
        "settings": {name: settings[name] for name in SETTINGS},
        "tags": {each["TagKey"]: each["TagValues"] for each in listed(lake.list_lf_tags, "LFTags")},
        "places": {each["ResourceArn"] for each in listed(lake.list_resources, "ResourceInfoList")},
        "grants": {grant(each) for each in listed(lake.list_permissions, "PrincipalResourcePermissions")},
        "filters": {
            each["Name"]: each["RowFilter"] for each in listed(lake.list_data_cells_filter, "DataCellsFilters")
        },
        "tagged": {
            each: lake.get_resource_lf_tags(Resource={"Database": {"Name": each}}).get("LFTagOnDatabase", [])
            for each in databases
        },
    }


def listed(call: Any, name: str) -> Iterator[dict[str, Any]]:
    token: dict[str, str] = {}
    while True:
        answer = call(**token)
        yield from answer[name]
        if not answer.get("NextToken"):
            return
        token = {"NextToken": answer["NextToken"]}


def grant(told: dict[str, Any]) -> tuple[str, str, str]:
    permissions = {name: sorted(told[name]) for name in ("Permissions", "PermissionsWithGrantOption")}
    who = told["Principal"]["DataLakePrincipalIdentifier"]
    return who, json.dumps(told["Resource"], sort_keys=True), json.dumps(permissions, sort_keys=True)


def theirs(told: dict[str, Any]) -> dict[str, Any]:
    """What of it does not begin with the lake's name, or is granted to somebody else's principal."""
    return {
        "settings": told["settings"],
        "tags": {key: each for key, each in told["tags"].items() if not key.startswith(OURS)},
        "places": {each for each in told["places"] if f":::{OURS.split('-')[0]}-" not in each},
        "grants": {each for each in told["grants"] if f"role/{OURS}" not in each[0]},
        "filters": {name: each for name, each in told["filters"].items() if not name.startswith(OURS)},
        "tagged": {
            name: [tag for tag in each if not tag["TagKey"].startswith(OURS)] for name, each in told["tagged"].items()
        },
    }


def use_otherwise(endpoint: OwnEndpoint) -> None:
    """Others have an administrator, open defaults, a tag, a place and a grant."""
    iam, lake = endpoint.client("iam"), endpoint.client("lakeformation")
    for name in ("other-admin", "neighbour"):
        iam.create_role(RoleName=name, AssumeRolePolicyDocument=json.dumps({"Version": "2012-10-17", "Statement": []}))
    lake.put_data_lake_settings(DataLakeSettings=SETTINGS)
    lake.create_lf_tag(TagKey="cost-center", TagValues=["7", "8"])
    lake.register_resource(ResourceArn="arn:aws:s3:::their-lake", UseServiceLinkedRole=True)
    endpoint.client("glue").create_database(DatabaseInput={"Name": "their_lake"})
    hand_over(endpoint, {"Database": {"Name": "their_lake"}}, "DESCRIBE")


def hand_over(endpoint: OwnEndpoint, resource: dict[str, Any], permission: str) -> None:
    """A grant made by hand."""
    endpoint.client("lakeformation").grant_permissions(
        Principal={"DataLakePrincipalIdentifier": NEIGHBOUR}, Resource=resource, Permissions=[permission]
    )


def without(assembly: Path, *stacks: str) -> None:
    """Nothing of governance is in these, and each takes its second."""
    manifest = json.loads((assembly / "manifest.json").read_text())
    for each in stacks:
        del manifest["artifacts"][ENVIRONMENT.resource(each)]
    (assembly / "manifest.json").write_text(json.dumps(manifest))


def make_table(account: Account, dataset: Dataset) -> None:
    """The dataset's table with a row, and the empty ones beside it."""
    columns = {each.name: each.type for each in dataset.columns} | LINEAGE
    place = f"s3://{ENVIRONMENT.bucket('silver')}/{dataset.source}/{dataset.name}/"
    lake = Target(ENVIRONMENT, account.endpoint.url)
    fetch(
        lake,
        f"CREATE TABLE {SILVER}.{dataset.table} ({', '.join(f'{name} {kind}' for name, kind in columns.items())})"
        f" LOCATION '{place}' TBLPROPERTIES ('table_type'='ICEBERG')",
    )
    values = ", ".join(VALUES[kind].format(table=dataset.table) for kind in columns.values())
    fetch(lake, f"INSERT INTO {SILVER}.{dataset.table} VALUES ({values})")
    for name in side_tables(dataset):
        account.endpoint.client("glue").create_table(
            DatabaseName=SILVER, TableInput={"Name": name, "StorageDescriptor": {"Columns": []}}
        )


def change(assembly: Path, role: str, classes: list[str]) -> str:
    """The template of governance as it would be with these classes of a role; answers the one that was."""
    path = assembly / f"{GOVERNANCE}.template.json"
    before = path.read_text()
    template = json.loads(before)
    arn = principal(describe(ENVIRONMENT), role)
    for each in template["Resources"].values():
        told = each["Properties"]
        if told.get("Principal", {}).get("DataLakePrincipalIdentifier") == arn and "SELECT" in told["Permissions"]:
            for tag in told["Resource"]["LFTagPolicy"]["Expression"]:
                if tag["TagKey"].endswith("classification"):
                    tag["TagValues"] = classes
    path.write_text(json.dumps(template))
    assert path.read_text() != before
    return before


@contextmanager
def as_hybrid(account: Account) -> Iterator[None]:
    """While it lasts the templates are those of mode hybrid, as far as tables and places go."""
    paths = [account.assembly / f"{ENVIRONMENT.resource(each)}.template.json" for each in ("catalog", "governance")]
    before = {path: path.read_text() for path in paths}
    by_iam = {"Principal": {"DataLakePrincipalIdentifier": EVERYONE}, "Permissions": ["ALL"]}
    for path, text in before.items():
        template = json.loads(text)
        for each in template["Resources"].values():
            if each["Type"] == "AWS::Glue::Database":
                each["Properties"]["DatabaseInput"]["CreateTableDefaultPermissions"] = [by_iam]
            if each["Type"] == "AWS::LakeFormation::Resource":
                each["Properties"]["HybridAccessEnabled"] = True
        path.write_text(json.dumps(template))
        assert path.read_text() != text
    try:
        yield
    finally:
        for path, text in before.items():
            path.write_text(text)


def shared_account(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Account]:
    """For a fixture: `yield from shared_account(tmp_path_factory)`."""
    for endpoint in started(tmp_path_factory):
        use_otherwise(endpoint)
        before, assembly = shown(endpoint), tmp_path_factory.mktemp("cdk.out")
        synthesis.synth(assembly, validate=False, env="local")
        without(assembly, "monitoring", "stream")
        account = Account(endpoint, assembly, before)
        account.deploy()
        for each in (USERS, IMMUNIZATIONS):
            make_table(account, contracts.load_all()[each])
        account.apply(USERS, IMMUNIZATIONS)
        yield account
