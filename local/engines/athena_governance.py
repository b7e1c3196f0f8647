"""Lake Formation's word on each table that a statement touches, asked for as AWS's engines ask for it."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from botocore.exceptions import ClientError

from local.engines.athena_guards import denied
from local.engines.athena_quoting import text
from local.engines.athena_scope import Restriction, Table
from local.engines.duckdb_instance import VENDED

ENGINE = ["COLUMN_PERMISSION", "CELL_FILTER_PERMISSION"]  # what we filter ourselves
OPEN_INNER_TABLES = ("history", "refs")  # which tell of no row and no column


@dataclass(frozen=True)
class Reader:
    """How a table's files are read: with credentials vended for its place alone."""

    glue: Any
    s3: Any
    credentials: Mapping[str, Any]
    scope: str
    endpoint: str
    region: str

    @property
    def secret(self) -> str:
        """What DuckDB knows the credentials by."""
        return f"{VENDED}{hashlib.sha256(self.scope.encode()).hexdigest()}"

    def open(self, connection: Any) -> None:
        """Let DuckDB read the place too."""
        parts = {"KEY_ID": "key", "SECRET": "secret", "SESSION_TOKEN": "token"}
        given = ", ".join(f"{name} {text(str(self.credentials[key]))}" for name, key in parts.items())
        connection.execute(
            f"CREATE OR REPLACE TEMPORARY SECRET {self.secret} (TYPE s3, {given}, "
            f"SCOPE {text(self.scope)}, REGION '{self.region}', ENDPOINT '{self.endpoint.partition('://')[2]}', "
            "URL_STYLE 'path', USE_SSL false)"
        )

    def close(self, connection: Any) -> None:
        connection.execute(f"DROP SECRET IF EXISTS {self.secret}")


@dataclass(frozen=True)
class Told:
    """What GetUnfilteredTableMetadata answers: the whole table, and what of it the caller may see."""

    table: Mapping[str, Any]
    cells: Mapping[str, str | None]
    permissions: frozenset[str]
    registered: bool

    @property
    def whole(self) -> bool:
        described = [*((self.table.get("StorageDescriptor") or {}).get("Columns") or ()),
                     *(self.table.get("PartitionKeys") or ())]  # fmt: skip
        return {each["Name"].lower() for each in described} <= set(self.cells) and not any(self.cells.values())

    def need(self, *permissions: str) -> None:
        """Fail without all of these; what is changed must be seen as a whole."""
        if not set(permissions) <= self.permissions or not self.whole:
            raise denied(str(self.table["Name"]))

    def restricted(self, whole: Table, names: tuple[str | None, ...]) -> Table:
        """The table with what is hidden taken away; `names` are what its columns are called today."""
        if self.whole:
            return whole
        restriction = Restriction(whole, self.cells, names)
        columns = tuple(whole.columns[number - 1] for number in restriction.seen)
        return Table(whole.database, whole.name, columns, whole.partitioned_by, whole.view, whole.snapshot,
                     whole.at, restriction)  # fmt: skip


@dataclass
class Governor:
    """For one caller: `governor.told(database, table)`, and `governor.reader(table)` for one that is registered."""

    principal: str
    key: str  # the caller's, by which the log of accesses knows the session
    account: str
    own: Callable[[str], Any]  # clients of the endpoint's own
    made: Callable[[str, Mapping[str, Any]], Any]  # a client with given credentials
    accessed: list[dict[str, Any]] = field(default_factory=list)

    def told(self, database: str, name: str) -> Told:
        try:
            answer = self.own("glue").get_unfiltered_table_metadata(
                CatalogId=self.account, DatabaseName=database, Name=name, SupportedPermissionTypes=ENGINE,
                QuerySessionContext={"AdditionalContext": {"principal": self.principal, "key": self.key}},
            )  # fmt: skip
        except ClientError as error:
            raise denied(name) from error
        filters = {each["ColumnName"]: each["RowFilterExpression"] for each in answer["CellFilters"]}
        cells = {column: filters.get(column) for column in answer["AuthorizedColumns"]}
        registered = bool(answer["IsRegisteredWithLakeFormation"])
        return Told(answer["Table"], cells, frozenset(answer["Permissions"]), registered)

    def reader(self, told: Told) -> Reader | None:
        if not told.registered:
            return None
        arn = f"arn:aws:glue:{self.own('glue').meta.region_name}:{self.account}:table/"
        vended = self.own("lakeformation").get_temporary_glue_table_credentials(
            TableArn=f"{arn}{told.table['DatabaseName']}/{told.table['Name']}",
            Permissions=["SELECT" if told.cells else "DESCRIBE"], SupportedPermissionTypes=ENGINE,
            QuerySessionContext={"AdditionalContext": {"principal": self.principal}},
        )  # fmt: skip
        credentials = {"key": vended["AccessKeyId"], "secret": vended["SecretAccessKey"],
                       "token": vended["SessionToken"]}  # fmt: skip
        meta = self.own("glue").meta
        made = self.made("s3", credentials)
        return Reader(self.own("glue"), made, credentials, vended["VendedS3Path"][0], meta.endpoint_url,
                      meta.region_name)  # fmt: skip

    def touched(self, table: Table, columns: list[str], *, filtered: bool) -> None:
        """Remember what was read, for the log of accesses."""
        self.accessed.append(
            {"database": table.database, "table": table.name, "columns": columns, "filtered": filtered}
        )
