"""What people who query the lake may do, as statements of IAM policies: who they are, their principal tags say."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from config import Environment
from config.team import TEAM_TAG, USER_TAG

USER = f"${{aws:PrincipalTag/{USER_TAG}}}"
TEAM = f"${{aws:PrincipalTag/{TEAM_TAG}}}"

QUERY = (
    "StartQueryExecution", "StopQueryExecution", "GetQueryExecution", "BatchGetQueryExecution", "ListQueryExecutions",
    "GetQueryResults", "GetQueryResultsStream", "GetQueryRuntimeStatistics", "GetWorkGroup", "GetNamedQuery",
    "BatchGetNamedQuery", "ListNamedQueries",
)  # fmt: skip
PREPARE = tuple(f"{verb}PreparedStatement" for verb in ("Create", "Get", "BatchGet", "Update", "Delete"))
BROWSE = ("GetDataCatalog", "GetDatabase", "ListDatabases", "GetTableMetadata", "ListTableMetadata")
READ_CATALOG = (
    "GetDatabase", "GetDatabases", "GetTable", "GetTables", "GetPartition", "GetPartitions", "BatchGetPartition",
)  # fmt: skip
CHANGE_CATALOG = (
    "CreateTable", "UpdateTable", "DeleteTable", "CreatePartition", "BatchCreatePartition", "UpdatePartition",
    "DeletePartition", "BatchDeletePartition",
)  # fmt: skip
EVERY_DATASET = "A layer has one folder and one table for each dataset, and datasets are no resources of a stack."
BY_TAG = "The folder is the person's own, by the tag that the identity provider gives."


@dataclass(frozen=True)
class Permission:
    """Some actions on some resources; `why` accounts for every `*` in them."""

    sid: str
    actions: tuple[str, ...]
    resources: tuple[str, ...]
    why: str = ""
    conditions: Mapping[str, Any] = field(default_factory=dict)

    def statement(self) -> dict[str, Any]:
        said: dict[str, Any] = {"Sid": self.sid, "Effect": "Allow"}
        said |= {"Action": list(self.actions), "Resource": list(self.resources)}
        return {**said, "Condition": dict(self.conditions)} if self.conditions else said


def consumer(environment: Environment) -> Iterator[Permission]:
    """For everyone: the workgroup of the person's team, the layers it reads, a folder of results and a sandbox."""
    yield from queries(environment, TEAM, (*QUERY, *PREPARE, "ListPreparedStatements"))
    for layer in ("bronze", "silver", "gold"):
        readers = [name for name, team in environment.teams.items() if layer in team.reads]
        if readers:
            yield from read(environment, layer, {"StringEquals": {f"aws:PrincipalTag/{TEAM_TAG}": readers}})
    yield from results(environment, USER)
    yield from sandbox(environment)
    yield key(environment)


def bi_user(environment: Environment, team: str, user: str) -> Iterator[Permission]:
    """For a tool that reads gold for one person, and no more than that."""
    yield from queries(environment, team, QUERY)
    yield from read(environment, "gold", {})
    yield from results(environment, user)
    yield key(environment)


def queries(environment: Environment, team: str, actions: tuple[str, ...]) -> Iterator[Permission]:
    place = f"arn:aws:athena:{environment.region}:{environment.account}"
    group = (f"{place}:workgroup/{environment.workgroup(team)}",)
    yield Permission("Query", _of("athena", actions), group)
    yield Permission("BrowseCatalog", _of("athena", BROWSE), (f"{place}:datacatalog/AwsDataCatalog",))
    lists = _of("athena", ("ListDataCatalogs", "ListWorkGroups", "ListEngineVersions"))
    yield Permission("List", lists, ("*",), "The service takes no resource for these actions.")


def read(environment: Environment, layer: str, conditions: Mapping[str, Any]) -> Iterator[Permission]:
    bucket, name = f"arn:aws:s3:::{environment.bucket(layer)}", layer.title()
    tables = _tables(environment, layer)
    yield Permission(f"Describe{name}", _of("glue", READ_CATALOG), tables, EVERY_DATASET, conditions)
    both = (bucket, f"{bucket}/*")
    yield Permission(f"Read{name}", _of("s3", ("GetObject", "ListBucket")), both, EVERY_DATASET, conditions)
    yield Permission(f"Locate{name}", ("s3:GetBucketLocation",), (bucket,), "", conditions)


def results(environment: Environment, user: str) -> Iterator[Permission]:
    yield from _folder("Results", environment.bucket("results"), f"athena/{user}")


def sandbox(environment: Environment) -> Iterator[Permission]:
    yield from _folder("Sandbox", environment.bucket("sandbox"), f"data/{USER}")
    tables = _tables(environment, "sandbox")
    why = "A person's tables get their names from the person."
    yield Permission("SandboxTables", _of("glue", (*READ_CATALOG, *CHANGE_CATALOG)), tables, why)


def key(environment: Environment) -> Permission:
    alias = {"ForAnyValue:StringEquals": {"kms:ResourceAliases": f"alias/{environment.resource('lake')}"}}
    keys = (f"arn:aws:kms:{environment.region}:{environment.account}:key/*",)
    return Permission("UseKey", ("kms:Decrypt", "kms:GenerateDataKey"), keys, "The alias limits them to one.", alias)


def _folder(name: str, bucket: str, folder: str) -> Iterator[Permission]:
    arn = f"arn:aws:s3:::{bucket}"
    actions = ("GetObject", "PutObject", "DeleteObject", "AbortMultipartUpload", "ListMultipartUploadParts")
    yield Permission(f"{name}Own", _of("s3", actions), (f"{arn}/{folder}/*",), BY_TAG)
    only = {"StringLike": {"s3:prefix": [folder, f"{folder}/*"]}}
    yield Permission(f"{name}List", ("s3:ListBucket",), (arn,), "", only)
    yield Permission(f"{name}Locate", _of("s3", ("GetBucketLocation", "ListBucketMultipartUploads")), (arn,))


def _tables(environment: Environment, layer: str) -> tuple[str, ...]:
    place, database = f"arn:aws:glue:{environment.region}:{environment.account}", environment.database(layer)
    return (f"{place}:catalog", f"{place}:database/{database}", f"{place}:table/{database}/*")


def _of(service: str, actions: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(f"{service}:{action}" for action in actions)
