"""A small closed lake for tests of Lake Formation: patients and visits, and roles that may see a part of them."""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import boto3
from botocore.config import Config

from tests.local.athena_statements import Analyst
from tests.local.conftest import RunningEndpoint

LAKE, OUT, SANDBOX = "governed-silver", "governed-out", "governed_sandbox"
DATABASE = "governed_silver"
ACCOUNT = "123456789012"
ALLOWED = ["athena:*", "glue:*", "lakeformation:GetDataAccess"]
PATIENTS = [
    (1, "Ada", "ada@example.org", "north", "flu", 10), (2, "Bob", "bob@example.org", "south", "cold", 20),
    (3, "Cy", "secret-cy", "north", "hiv", 0), (4, "Di", "secret-di", "south", "flu", 40),
]  # fmt: skip


@dataclass(frozen=True)
class AsRole:
    """The endpoint as somebody with a role's credentials has it."""

    endpoint: RunningEndpoint
    role: str

    def __getattr__(self, name: str) -> Any:
        return getattr(self.endpoint, name)

    @cached_property
    def session(self) -> Any:
        issued = self.endpoint.client("sts").assume_role(RoleArn=arn(self.role), RoleSessionName="test")["Credentials"]
        return boto3.session.Session(
            issued["AccessKeyId"], issued["SecretAccessKey"], issued["SessionToken"], region_name=self.endpoint.region
        )

    @cached_property
    def clients(self) -> dict[str, Any]:
        return {}

    def client(self, service: str) -> Any:
        if service not in self.clients:
            config = Config(retries={"total_max_attempts": 1}, inject_host_prefix=False)
            self.clients[service] = self.session.client(service, endpoint_url=self.endpoint.url, config=config)
        return self.clients[service]


def arn(role: str) -> str:
    return f"arn:aws:iam::{ACCOUNT}:role/{role}"


def make_role(endpoint: RunningEndpoint, role: str) -> None:
    """A consumer: the catalog and Athena by IAM, its own places, and nothing of the governed bucket."""
    iam = endpoint.client("iam")
    trust = {"Effect": "Allow", "Principal": {"AWS": f"arn:aws:iam::{ACCOUNT}:root"}, "Action": "sts:AssumeRole"}
    iam.create_role(RoleName=role, AssumeRolePolicyDocument=json.dumps({"Version": "2012-10-17", "Statement": [trust]}))
    may = [
        {"Effect": "Allow", "Action": ALLOWED, "Resource": "*"},
        {"Effect": "Allow", "Action": "s3:*", "Resource": [f"arn:aws:s3:::{OUT}", f"arn:aws:s3:::{OUT}/*"]},
    ]
    document = json.dumps({"Version": "2012-10-17", "Statement": may})
    iam.put_role_policy(RoleName=role, PolicyName="consumer", PolicyDocument=document)


def analyst(endpoint: RunningEndpoint, role: str | None = None) -> Analyst:
    """Who sends statements: a role, or the person at the laptop, who administers the lake."""
    seen: Any = AsRole(endpoint, role) if role else endpoint
    return Analyst(seen, DATABASE, OUT)


def prepare(endpoint: RunningEndpoint) -> Analyst:
    """The buckets, the closed database, an open sandbox, and the tables with their rows."""
    for bucket in (LAKE, OUT):
        endpoint.client("s3").create_bucket(Bucket=bucket)
    glue = endpoint.client("glue")
    glue.create_database(DatabaseInput={"Name": DATABASE, "CreateTableDefaultPermissions": []})
    glue.create_database(DatabaseInput={"Name": SANDBOX, "LocationUri": f"s3://{OUT}/sandbox/"})
    lake = endpoint.client("lakeformation")
    everyone = {"DataLakePrincipalIdentifier": "IAM_ALLOWED_PRINCIPALS"}
    lake.revoke_permissions(Principal=everyone, Resource={"Database": {"Name": DATABASE}}, Permissions=["ALL"])
    lake.register_resource(ResourceArn=f"arn:aws:s3:::{LAKE}", UseServiceLinkedRole=True)
    admin = analyst(endpoint)
    types = "id int, name string, email string, clinic string, illness string, score int"
    admin.run(
        f"CREATE TABLE patients ({types}) LOCATION 's3://{LAKE}/patients/' TBLPROPERTIES ('table_type'='ICEBERG')"
    )
    rows = ", ".join(str(row) for row in PATIENTS)
    admin.run(f"INSERT INTO patients VALUES {rows}")
    admin.run(
        f"CREATE TABLE visits WITH (format='PARQUET', external_location='s3://{LAKE}/visits/', "
        "partitioned_by=ARRAY['clinic']) AS SELECT * FROM (VALUES (1, 'ok', 'north'), (2, 'bad', 'south')) "
        "v(patient, note, clinic)"
    )
    admin.run("CREATE VIEW people AS SELECT id, name FROM patients")
    admin.run("CREATE VIEW mails AS SELECT id, email FROM patients")
    return admin


def grant(endpoint: RunningEndpoint, role: str, resource: dict[str, Any], *permissions: str) -> None:
    endpoint.client("lakeformation").grant_permissions(
        Principal={"DataLakePrincipalIdentifier": arn(role)}, Resource=resource, Permissions=list(permissions)
    )


def columns(table: str, *names: str) -> dict[str, Any]:
    return {"TableWithColumns": {"DatabaseName": DATABASE, "Name": table, "ColumnNames": list(names)}}


def cells(endpoint: RunningEndpoint, table: str, name: str, rows: str, *names: str) -> dict[str, Any]:
    """A data cells filter, made; of all columns where none is named."""
    key = {"DatabaseName": DATABASE, "TableName": table, "Name": name}
    seen: dict[str, Any] = {"ColumnNames": list(names)} if names else {"ColumnWildcard": {}}
    endpoint.client("lakeformation").create_data_cells_filter(
        TableData={"TableCatalogId": ACCOUNT, **key, "RowFilter": {"FilterExpression": rows}, **seen}
    )
    return {"DataCellsFilter": {"TableCatalogId": ACCOUNT, **key}}
