"""What people who query the lake may do, as statements of IAM policies: who they are, their principal tag says."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from config import DATA_LAYERS, Environment
from config.team import USER_TAG
from lake.parts import GOVERNED
from lake.roles import Role

USER = f"${{aws:PrincipalTag/{USER_TAG}}}"
# Of who takes a role: a session tag repeats the caller's own tag. A caller without one passes none, since a variable
# without a value equals nothing.
ONESELF = {"StringEqualsIfExists": {f"aws:RequestTag/{USER_TAG}": USER}}

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
TRAIL = "cloudtrail"  # the folder of the bucket of logs that says who read which object
WATCHED = (*DATA_LAYERS, "results", "sandbox")  # the buckets whose objects it is about
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
    """For everyone: a folder of results and one of the sandbox, by the person's tag, and what there is to query."""
    yield from browse(environment)
    yield from results(environment, USER)
    yield from _folder("Sandbox", environment.bucket("sandbox"), f"data/{USER}")
    yield key(environment)
    yield ask()


def of_role(environment: Environment, role: Role, readable: Sequence[str]) -> Iterator[Permission]:
    """Beside that, for one role: the workgroup and the tables of its team, and the layers that it reads.

    In mode iam those are the `readable` ones, of which it may see all. Else Lake Formation decides what of them it
    sees, and lends credentials for that: the role itself reaches no object of them.
    """
    yield queries(environment, role.team, (*QUERY, *PREPARE, "ListPreparedStatements"))
    yield tables_of_team(environment, role.team)
    for layer in GOVERNED:
        if environment.governance != "iam" and (layer in role.reads or role.audit):
            yield describe(environment, layer)
        elif environment.governance == "iam" and layer in readable:
            yield from read(environment, layer)
    if role.audit:
        yield from audit(environment)


def audit(environment: Environment) -> Iterator[Permission]:
    """Who has read what: the log of accesses, and what Lake Formation was asked."""
    bucket = f"arn:aws:s3:::{environment.bucket('logs')}"
    only = {"StringLike": {"s3:prefix": [TRAIL, f"{TRAIL}/*"]}}
    yield Permission("ListLog", ("s3:ListBucket",), (bucket,), "", only)
    yield Permission("ReadLog", ("s3:GetObject",), (f"{bucket}/{TRAIL}/*",), "CloudTrail names its files by time.")
    asked = ("cloudtrail:LookupEvents", *_of("lakeformation", ("ListPermissions", "GetResourceLFTags", "ListLFTags")))
    yield Permission("SeeGrants", asked, ("*",), "The services take no resource for these actions.")


def bi_user(environment: Environment, team: str, user: str) -> Iterator[Permission]:
    """For a tool that reads gold for one person, and no more than that: by IAM, or as far as Lake Formation grants."""
    yield queries(environment, team, QUERY)
    yield from browse(environment)
    if environment.governance == "iam":
        yield from read(environment, "gold")
    else:
        yield describe(environment, "gold")
        yield ask()
    yield from results(environment, user)
    yield key(environment)


def queries(environment: Environment, team: str, actions: tuple[str, ...]) -> Permission:
    group = f"arn:aws:athena:{environment.region}:{environment.account}:workgroup/{environment.workgroup(team)}"
    return Permission("Query", _of("athena", actions), (group,))


def browse(environment: Environment) -> Iterator[Permission]:
    catalog = f"arn:aws:athena:{environment.region}:{environment.account}:datacatalog/AwsDataCatalog"
    yield Permission("BrowseCatalog", _of("athena", BROWSE), (catalog,))
    lists = _of("athena", ("ListDataCatalogs", "ListWorkGroups", "ListEngineVersions"))
    yield Permission("List", lists, ("*",), "The service takes no resource for these actions.")


def read(environment: Environment, layer: str) -> Iterator[Permission]:
    bucket, name = f"arn:aws:s3:::{environment.bucket(layer)}", layer.title()
    yield describe(environment, layer)
    both = (bucket, f"{bucket}/*")
    yield Permission(f"Read{name}", _of("s3", ("GetObject", "ListBucket")), both, EVERY_DATASET)
    yield Permission(f"Locate{name}", ("s3:GetBucketLocation",), (bucket,))


def describe(environment: Environment, layer: str) -> Permission:
    tables = _tables(environment, environment.database(layer))
    return Permission(f"Describe{layer.title()}", _of("glue", READ_CATALOG), tables, EVERY_DATASET)


def results(environment: Environment, user: str) -> Iterator[Permission]:
    yield from _folder("Results", environment.bucket("results"), f"athena/{user}")


def tables_of_team(environment: Environment, team: str) -> Permission:
    """In a database of the team: who may describe a table sees values of its partitions, and of a view its text."""
    tables = _tables(environment, environment.sandbox(team))
    why = "A person's tables get their names from the person."
    return Permission("SandboxTables", _of("glue", (*READ_CATALOG, *CHANGE_CATALOG)), tables, why)


def ask() -> Permission:
    why = "The service takes no resource for this action; what it opens, Lake Formation decides."
    return Permission("AskLakeFormation", ("lakeformation:GetDataAccess",), ("*",), why)


def key(environment: Environment) -> Permission:
    alias = {"ForAnyValue:StringEquals": {"kms:ResourceAliases": f"alias/{environment.resource('lake')}"}}
    keys = (f"arn:aws:kms:{environment.region}:{environment.account}:key/*",)
    return Permission("UseKey", ("kms:Decrypt", "kms:GenerateDataKey"), keys, "The alias limits them to one.", alias)


def _folder(name: str, bucket: str, folder: str) -> Iterator[Permission]:
    arn = f"arn:aws:s3:::{bucket}"
    actions = ("GetObject", "PutObject", "DeleteObject", "AbortMultipartUpload", "ListMultipartUploadParts")
    yield Permission(f"{name}Own", _of("s3", actions), (f"{arn}/{folder}/*",), BY_TAG)
    only = {"StringLike": {"s3:prefix": [f"{folder}/*"]}}  # a bare name would list those that begin with it
    yield Permission(f"{name}List", ("s3:ListBucket",), (arn,), "", only)
    yield Permission(f"{name}Locate", _of("s3", ("GetBucketLocation", "ListBucketMultipartUploads")), (arn,))


def _tables(environment: Environment, database: str) -> tuple[str, ...]:
    place = f"arn:aws:glue:{environment.region}:{environment.account}"
    return (f"{place}:catalog", f"{place}:database/{database}", f"{place}:table/{database}/*")


def _of(service: str, actions: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(f"{service}:{action}" for action in actions)
