"""The catalog as a query sees it: Glue's tables with Athena's types, `information_schema`, and `"t$snapshots"`."""

from __future__ import annotations

import functools
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any

from botocore.exceptions import ClientError

from local.engines import athena_information, athena_inner_tables, athena_metadata, athena_views
from local.engines.athena_errors import ForbiddenError, QueryError, RefusedError
from local.engines.athena_governance import OPEN_INNER_TABLES, Governor, Reader, Told
from local.engines.athena_guards import denied
from local.engines.athena_information import INFORMATION
from local.engines.athena_metadata import fields, is_iceberg
from local.engines.athena_relations import Scan
from local.engines.athena_scope import Table, TableColumn
from local.engines.athena_types import from_hive, from_iceberg

Rows = list[tuple[Any, ...]]
NULL_PARTITION = "__HIVE_DEFAULT_PARTITION__"
ABSENT = ("EntityNotFoundException", "NoSuchKey", "NoSuchBucket", "404")


@dataclass(frozen=True, eq=False)
class Entry:
    """What stands behind a table: Glue's entry, an Iceberg table's metadata, or rows that the catalog itself has."""

    table: Table
    glue: dict[str, Any] = field(default_factory=dict)
    metadata: dict[str, Any] | None = None
    rows: Rows | None = None
    reader: Reader | None = None  # where the caller's own credentials do not open its files
    told: Told | None = None  # where Lake Formation has a say
    behind: Entry | None = None  # the whole table, of one that the caller sees in part

    def need(self, *permissions: str) -> None:
        """Fail where the caller may not change the table so."""
        if self.told is not None:
            self.told.need(*permissions)

    @property
    def metadata_location(self) -> str:
        return str(self.glue["Parameters"]["metadata_location"])

    @cached_property
    def empty(self) -> bool:
        """Whether an Iceberg table has no snapshot yet."""
        return self.metadata is not None and self.metadata.get("current-snapshot-id") in (None, -1)


class GlueCatalog:
    """Tables looked up with the caller's own credentials, once for each query."""

    def __init__(
        self,
        glue: Any,
        s3: Any,
        open_table: Callable[[str, Reader | None], Any],
        read: Callable[[str, Reader | None], dict[str, Any]],
        governor: Governor | None = None,
    ) -> None:
        self.glue, self.s3 = glue, s3
        self._open, self._read = open_table, read  # an Iceberg table, and its metadata, by the metadata's place
        self.governor = governor  # None for a caller of whom Lake Formation has nothing to say
        self.lent: dict[str, Reader] = {}  # whose places are open to the statement, by the place
        self._entries: dict[tuple[str, str], Entry | None] = {}

    def table(self, database: str, name: str) -> Table | None:
        found = self.entry(database, name)
        return found.table if found else None

    def entry(self, database: str, name: str) -> Entry | None:
        if (database, name) not in self._entries:
            self._entries[database, name] = self._look_up(database, name)
        return self._entries[database, name]

    def of_iceberg(self, file: str) -> bool:
        """Whether a file lies in one of the Iceberg tables that were looked up."""
        found = (entry.metadata for entry in self._entries.values() if entry and entry.metadata)
        return any(file.startswith(f"{str(metadata['location']).rstrip('/')}/") for metadata in found)

    def table_of(self, database: str, name: str) -> dict[str, Any] | None:
        """Glue's own entry of a table, whatever it is."""
        answer = absent_is_none(lambda: self.glue.get_table(DatabaseName=database, Name=name))
        return answer["Table"] if answer else None

    def has_database(self, name: str) -> bool:
        return name == INFORMATION or absent_is_none(lambda: self.glue.get_database(Name=name)) is not None

    def databases(self) -> list[str]:
        pages = self.glue.get_paginator("get_databases").paginate()
        return sorted(database["Name"] for page in pages for database in page["DatabaseList"])

    def tables(self, database: str) -> list[dict[str, Any]]:
        pages = self.glue.get_paginator("get_tables").paginate(DatabaseName=database)
        return sorted((table for page in pages for table in page["TableList"]), key=lambda table: str(table["Name"]))

    def _look_up(self, database: str, name: str) -> Entry | None:
        if database == INFORMATION:
            table = athena_information.table(name)
            return Entry(table, rows=list(athena_information.rows(self, name))) if table else None
        base, _, inner = name.partition("$")
        answer = absent_is_none(lambda: self.glue.get_table(DatabaseName=database, Name=base))
        if answer is None:
            return None
        if self.governor is not None:
            return self._governed(self.governor, database, name, answer["Table"])
        return self._inner(database, name, answer["Table"]) if inner else self._entry(database, answer["Table"])

    def _governed(self, governor: Governor, database: str, name: str, shown: dict[str, Any]) -> Entry | None:
        """The table as far as the caller sees it; `shown` is what Glue tells the caller."""
        base, _, inner = name.partition("$")
        told = governor.told(database, base)
        if inner and not (told.cells and (told.whole or inner in OPEN_INNER_TABLES)):
            raise denied(name)
        reader = governor.reader(told)
        if inner:
            return self._inner(database, name, dict(told.table), reader)
        entry = self._entry(database, dict(told.table), reader)
        table = told.restricted(entry.table, tuple(column.name for column in entry.table.columns))
        if entry.metadata is not None and table.restriction:
            table = replace(table, at=functools.partial(athena_metadata.seen_at, told, entry.table, entry.metadata))
        return Entry(table, shown, entry.metadata, told=told, behind=entry)

    def _entry(self, database: str, glue: dict[str, Any], reader: Reader | None = None) -> Entry:
        name, keys = glue["Name"].lower(), glue.get("PartitionKeys") or []
        if athena_views.is_view(glue):
            return Entry(athena_views.table(database, glue), glue)
        if is_iceberg(glue):
            metadata = self._metadata(glue, reader)
            columns = tuple(TableColumn(each["name"].lower(), from_iceberg(each["type"])) for each in fields(metadata))
            at = functools.partial(athena_metadata.at, Table(database, name, columns), metadata)
            return Entry(Table(database, name, columns, at=at), glue, metadata, reader=reader)
        described = [*(glue.get("StorageDescriptor") or {}).get("Columns", []), *keys]
        columns = tuple(TableColumn(each["Name"].lower(), from_hive(each.get("Type", "string"))) for each in described)
        return Entry(Table(database, name, columns, tuple(key["Name"].lower() for key in keys)), glue, reader=reader)

    def _metadata(self, glue: dict[str, Any], reader: Reader | None) -> dict[str, Any]:
        location = glue["Parameters"]["metadata_location"]
        metadata: dict[str, Any] | None = absent_is_none(lambda: self._read(location, reader))
        if metadata is None:
            text = f"Error processing metadata for table {glue['Name']}: {location}"
            raise QueryError("ICEBERG_INVALID_METADATA", text)
        return metadata

    def _inner(self, database: str, name: str, glue: dict[str, Any], reader: Reader | None = None) -> Entry | None:
        kind = name.partition("$")[2]
        if is_iceberg(glue):
            described = athena_inner_tables.columns(kind)
            location = str(glue["Parameters"]["metadata_location"])
            metadata = self._metadata(glue, reader)
            rows = athena_inner_tables.rows(kind, metadata, lambda: self._open(location, reader).inspect)
            return Entry(Table(database, name, described), rows=rows)
        keys = glue.get("PartitionKeys") or []
        if kind != "partitions" or not keys:
            raise RefusedError(f"The table '{name}'", 'Tables of plain files have "t$partitions" alone.')
        columns = tuple(TableColumn(key["Name"].lower(), from_hive(key["Type"])) for key in keys)
        pages = (
            (reader or self)
            .glue.get_paginator("get_partitions")
            .paginate(DatabaseName=database, TableName=glue["Name"], ExcludeColumnSchema=True)
        )
        values = [part["Values"] for page in pages for part in page["Partitions"]]
        rows = [tuple(None if value == NULL_PARTITION else value for value in each) for each in values]
        return Entry(Table(database, name, columns), rows=rows)

    def listed(self, database: str, glue: dict[str, Any]) -> Table:
        """A table as information_schema has it: of an Iceberg table every column, since its metadata is the source."""
        if self.governor is None or not is_iceberg(glue):
            return self._entry(database, glue).table
        told = self.governor.told(database, str(glue["Name"]))
        return self._entry(database, dict(told.table), self.governor.reader(told)).table

    def remember(self, scans: Sequence[Scan], sql: str) -> None:
        """Which columns of governed tables a query reads."""
        for scan in scans if self.governor is not None else ():
            entry = self.entry(scan.table.database, scan.table.name)
            if self.governor is not None and entry is not None and entry.told is not None:
                used = {int(number) for number in re.findall(rf"\b{scan.alias}\.c(\d+)\b", sql)}
                columns = [each.name for number, each in enumerate(scan.table.columns, 1) if number in used]
                self.governor.touched(scan.table, columns, filtered=bool(scan.guard and scan.guard.rows))


def absent_is_none(ask: Any) -> Any:
    """The answer of a call, or None where AWS says that there is no such thing."""
    try:
        return ask()
    except ClientError as error:
        code = error.response["Error"]["Code"]
        if code in ABSENT:
            return None
        if "Lake Formation permission" in error.response["Error"]["Message"]:
            raise ForbiddenError(error.response["Error"]["Message"]) from error
        raise QueryError("PERMISSION_DENIED" if "Denied" in code else "GENERIC_USER_ERROR", str(error)) from error
