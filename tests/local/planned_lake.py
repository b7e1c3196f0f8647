"""A small lake that is governed as a real one is: contracts to plan, plan to Lake Formation, roles and policies."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import Any

import boto3
import yaml
from botocore.config import Config

import config
import contracts
from config import consumers
from config.team import USER_TAG
from contracts.compile import describe
from glue_jobs.governance import Governor
from lake import environment
from lake.governance import plan
from lake.parts import Dataset
from lake.rights import Plan, Tag, TagGrant
from lake.roles import Role
from lake.views import View
from tests.local.athena_statements import Analyst
from tests.local.conftest import RunningEndpoint

ENVIRONMENT = config.load("local")
NOBODY = Role("nobody", "analysts", (), ())
WIDE = Role("wide", "analysts", ("silver", "gold"), ("public", "internal"))  # an analyst whom IAM lets do more
# What an administrator may have given by mistake: Lake Formation alone stands between this role and the data.
TOO_MUCH = ("athena:*", "glue:*", "lakeformation:*")
GOVERNED = ("silver", "gold")
BUCKETS = (*GOVERNED, "results", "sandbox")


def contract(name: str, columns: Mapping[str, str], row_filters: Sequence[Mapping[str, Any]] = ()) -> dict[str, Any]:
    """A contract of the clinic's; `columns` has of each its type and class, the first being the key."""
    properties = []
    for number, (column, said) in enumerate(columns.items()):
        kind, class_ = said.split()
        key = {"required": True, "primaryKey": True} if number == 0 else {}
        source = f"{name}.{column}"
        properties.append({"id": column, "name": column, "physicalType": kind, "classification": class_, **key,
                           "transformSourceObjects": [source], "description": f"The {column}."})  # fmt: skip
    custom: list[dict[str, Any]] = [{"property": "loadMode", "value": "full"}]
    if row_filters:
        custom.append({"property": "rowFilters", "value": list(row_filters)})
    return {
        "apiVersion": "v3.1.0", "kind": "DataContract", "id": f"urn:headwater:clinic:{name}", "name": name.title(),
        "version": "1.0.0", "status": "active", "description": {"purpose": "One row for each."},
        "team": {"name": "clinic", "description": "Owns it."},
        "slaProperties": [{"property": "freshness", "value": 26, "unit": "h"},
                          {"property": "retention", "value": 5, "unit": "y"}],
        "customProperties": custom,
        "schema": [{"name": name, "physicalType": "table", "properties": properties}],
    }  # fmt: skip


def loaded(folder: Path, *documents: Mapping[str, Any]) -> dict[str, Dataset]:
    """The contracts, written into a folder and read as the lake reads them."""
    place = folder / "contracts" / "clinic"
    place.mkdir(parents=True, exist_ok=True)
    for each in documents:
        (place / f"{each['schema'][0]['name']}.odcs.yaml").write_text(yaml.safe_dump(each, sort_keys=False))
    return contracts.load_all(folder)


@dataclass(frozen=True)
class RoleSession:
    """The endpoint as somebody has it who has taken a role."""

    endpoint: RunningEndpoint
    role: str  # of config
    kept: dict[str, Any] = field(default_factory=dict)

    def __getattr__(self, name: str) -> Any:
        return getattr(self.endpoint, name)

    @cached_property
    def credentials(self) -> dict[str, str]:
        sts = self.endpoint.client("sts")
        issued = sts.assume_role(RoleArn=arn(self.role), RoleSessionName=self.role)["Credentials"]
        return {"aws_access_key_id": issued["AccessKeyId"], "aws_secret_access_key": issued["SecretAccessKey"],
                "aws_session_token": issued["SessionToken"]}  # fmt: skip

    def client(self, service: str) -> Any:
        if service not in self.kept:
            self.kept[service] = client(self.endpoint, service, self.credentials)
        return self.kept[service]


def client(endpoint: RunningEndpoint, service: str, credentials: Mapping[str, str]) -> Any:
    settings = Config(retries={"total_max_attempts": 1}, inject_host_prefix=False, s3={"addressing_style": "path"})
    return boto3.client(service, endpoint_url=endpoint.url, region_name=endpoint.region, config=settings, **credentials)


def arn(role: str) -> str:
    return f"arn:aws:iam::{ENVIRONMENT.account}:role/{ENVIRONMENT.role(role)}"


def path(layer: str, *rest: str) -> str:
    return "/".join((f"s3://{ENVIRONMENT.bucket(layer)}", *rest))


class PlannedLake:
    """One on an endpoint: `lake.govern(datasets)`, `lake.as_("analyst").rows(sql)`, `lake.admin`."""

    def __init__(self, endpoint: RunningEndpoint, roles: Iterable[Role]) -> None:
        self.endpoint, self.roles = endpoint, tuple(roles)
        self.environment = replace(
            ENVIRONMENT, governance="lake_formation", roles={each.name: each for each in self.roles}
        )
        self.described: environment.Environment = describe(self.environment)
        self._sessions: dict[str, RoleSession] = {}
        self._granted: set[TagGrant] = set()
        self.admin = Analyst(endpoint, ENVIRONMENT.database("silver"), ENVIRONMENT.bucket("results"))

    def plan(self, datasets: Iterable[Dataset], views: Iterable[View] = ()) -> Plan:
        return plan(self.described, datasets, views)

    def session(self, role: str) -> RoleSession:
        return self._sessions.setdefault(role, RoleSession(self.endpoint, role))

    def as_(self, role: str) -> Analyst:
        seen: Any = self.session(role)
        group = ENVIRONMENT.workgroup(self.environment.roles[role].team)
        place = {"OutputLocation": path("results", "athena", role, "")}
        options = {"WorkGroup": group, "ResultConfiguration": place}
        return Analyst(seen, self.admin.database, self.admin.bucket, options)

    def build(self) -> None:
        """Buckets, closed databases, workgroups and roles, as the other stacks make them."""
        for layer in BUCKETS:
            self.endpoint.client("s3").create_bucket(Bucket=ENVIRONMENT.bucket(layer))
        glue = self.endpoint.client("glue")
        for layer in GOVERNED:
            told = {"Name": ENVIRONMENT.database(layer), "LocationUri": path(layer, "")}
            glue.create_database(DatabaseInput={**told, "CreateTableDefaultPermissions": []})
        for team in ENVIRONMENT.teams:
            glue.create_database(DatabaseInput={"Name": ENVIRONMENT.sandbox(team), "LocationUri": path("sandbox", "")})
            self.endpoint.client("athena").create_work_group(
                Name=ENVIRONMENT.workgroup(team), Configuration={"EnforceWorkGroupConfiguration": False}
            )
        for each in self.roles:
            self._role(each)

    def _role(self, role: Role) -> None:
        iam, name = self.endpoint.client("iam"), ENVIRONMENT.role(role.name)
        root = {"AWS": f"arn:aws:iam::{ENVIRONMENT.account}:root"}
        trust = {"Effect": "Allow", "Principal": root, "Action": ["sts:AssumeRole", "sts:TagSession"],
                 "Condition": consumers.ONESELF}  # fmt: skip
        tags = [{"Key": USER_TAG, "Value": role.name}]
        iam.create_role(RoleName=name, AssumeRolePolicyDocument=json.dumps(_policy([trust])), Tags=tags)
        permissions = (*consumers.consumer(self.environment), *consumers.of_role(self.environment, role, ()))
        statements = [each.statement() for each in permissions]
        if role.name == WIDE.name:
            statements.append({"Effect": "Allow", "Action": list(TOO_MUCH), "Resource": "*"})
        iam.put_role_policy(RoleName=name, PolicyName="consumer", PolicyDocument=json.dumps(_policy(statements)))

    def deploy(self, made: Plan) -> None:
        """What the governance stack does: tags, places, and grants that do not grow with datasets."""
        formation = self.endpoint.client("lakeformation")
        everyone = {"DataLakePrincipalIdentifier": "IAM_ALLOWED_PRINCIPALS"}
        for tag in made.tags:
            formation.create_lf_tag(TagKey=tag.key, TagValues=list(tag.values))
        for layer in GOVERNED:
            place = {"Database": {"Name": ENVIRONMENT.database(layer)}}
            formation.revoke_permissions(Principal=everyone, Resource=place, Permissions=["ALL"])
            formation.register_resource(
                ResourceArn=f"arn:aws:s3:::{ENVIRONMENT.bucket(layer)}", UseServiceLinkedRole=True
            )
        for database in made.databases:
            if database.layer in GOVERNED:
                pairs = [{"TagKey": each.key, "TagValues": list(each.values)} for each in database.tags]
                formation.add_lf_tags_to_resource(Resource={"Database": {"Name": database.database}}, LFTags=pairs)
        self.grant(made)

    def grant(self, made: Plan) -> None:
        """The plan's grants by tags, and of earlier ones none."""
        formation = self.endpoint.client("lakeformation")
        gone, new = self._granted - set(made.tag_grants), set(made.tag_grants) - self._granted
        for change, grants in ((formation.revoke_permissions, gone), (formation.grant_permissions, new)):
            for each in grants:
                policy = {"ResourceType": each.kind, "Expression": _expression(each.expression)}
                change(
                    Principal={"DataLakePrincipalIdentifier": each.principal}, Resource={"LFTagPolicy": policy},
                    Permissions=[each.permission],
                )  # fmt: skip
        self._granted = set(made.tag_grants)

    def apply(self, made: Plan) -> None:
        """What the apply job does for tables that are there."""
        Governor(self.endpoint.client("lakeformation"), self.described).bring(made)


def _expression(tags: Iterable[Tag]) -> list[dict[str, Any]]:
    return [{"TagKey": each.key, "TagValues": list(each.values)} for each in tags]


def _policy(statements: list[dict[str, Any]]) -> dict[str, Any]:
    return {"Version": "2012-10-17", "Statement": statements}
