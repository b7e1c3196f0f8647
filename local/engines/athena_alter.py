"""ALTER TABLE: properties, columns, places and names of tables."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

from local.engines import athena_iceberg
from local.engines.athena_alter_partitions import Action, add_partition, drop_partition, one_partition
from local.engines.athena_catalog import Entry
from local.engines.athena_create import column
from local.engines.athena_errors import HIVE_FAILED, QueryError
from local.engines.athena_iceberg_schemas import column_type, renamed
from local.engines.athena_metadata import is_iceberg
from local.engines.athena_session import Done, Session
from local.engines.athena_words import Words, properties

INPUTS = ("Name", "Description", "Owner", "Retention", "StorageDescriptor", "PartitionKeys", "ViewOriginalText",
          "ViewExpandedText", "TableType", "Parameters")  # fmt: skip


@dataclass(frozen=True)
class Alter:
    """ALTER TABLE, read; `action` does it."""

    verb: ClassVar[str] = "alter_table"
    path: tuple[str | None, str]
    action: Action

    def run(self, session: Session) -> Done:
        database, name = session.named(self.path)
        entry = session.catalog.entry(database, name)
        if entry is None:
            raise QueryError("FAILED", f"SemanticException [Error 10001]: Table not found {database}.{name}")
        entry.need("ALTER")
        self.action(session, entry)
        return Done()


def read(words: Words) -> Alter:
    path = words.path()
    for beginning, reader in ACTIONS.items():
        if words.accept(*beginning.split()):
            action = reader(words)
            words.end()
            return Alter(path, action)
    raise words.unexpected(", ".join(f"'{beginning}'" for beginning in ACTIONS))


def update(session: Session, entry: Entry, **changes: Any) -> None:
    """Change Glue's entry of a table of plain files."""
    table = {key: entry.glue[key] for key in INPUTS if key in entry.glue} | changes
    session.catalog.glue.update_table(DatabaseName=entry.table.database, TableInput=table)


def iceberg(session: Session, entry: Entry) -> Any:
    return athena_iceberg.catalog(session).load_table((entry.table.database, entry.table.name))


def set_properties(words: Words) -> Action:
    told = properties(words)

    def act(session: Session, entry: Entry) -> None:
        if is_iceberg(entry.glue):
            with iceberg(session, entry).transaction() as change:
                change.set_properties(renamed(told))
        else:
            update(session, entry, Parameters={**(entry.glue.get("Parameters") or {}), **told})

    return act


def unset_properties(words: Words) -> Action:
    names = words.group().listed(Words.string)

    def act(session: Session, entry: Entry) -> None:
        only_iceberg(entry, "UNSET TBLPROPERTIES")
        with iceberg(session, entry).transaction() as change:
            change.remove_properties(*renamed(dict.fromkeys(names, "")))

    return act


def add_columns(words: Words) -> Action:
    columns = words.group().listed(column)

    def act(session: Session, entry: Entry) -> None:
        known = [each.name for each in entry.table.columns]
        if twice := [each["Name"] for each in columns if each["Name"] in known]:
            raise QueryError("FAILED", f"{HIVE_FAILED} Duplicate column name: {twice[0]}")
        if is_iceberg(entry.glue):
            with iceberg(session, entry).update_schema() as change:
                for each in columns:
                    change.add_column(each["Name"], column_type(each["Type"]), each.get("Comment"))
        else:
            storage = entry.glue["StorageDescriptor"]
            update(session, entry, StorageDescriptor={**storage, "Columns": [*storage["Columns"], *columns]})

    return act


def replace_columns(words: Words) -> Action:
    columns = words.group().listed(column)

    def act(session: Session, entry: Entry) -> None:
        if is_iceberg(entry.glue):
            raise QueryError("NOT_SUPPORTED", "REPLACE COLUMNS is not supported for Iceberg tables")
        update(session, entry, StorageDescriptor={**entry.glue["StorageDescriptor"], "Columns": columns})

    return act


def drop_column(words: Words) -> Action:
    name = words.name()

    def act(session: Session, entry: Entry) -> None:
        only_iceberg(entry, "DROP COLUMN")
        known(entry, name)
        with iceberg(session, entry).update_schema(allow_incompatible_changes=True) as change:
            change.delete_column(name)

    return act


def change_column(words: Words) -> Action:
    before, after = words.name(), column(words)

    def act(session: Session, entry: Entry) -> None:
        only_iceberg(entry, "CHANGE COLUMN")
        from pyiceberg.exceptions import ValidationError

        known(entry, before)
        try:
            with iceberg(session, entry).update_schema() as change:
                change.update_column(before, column_type(after["Type"]), doc=after.get("Comment"))
                if after["Name"] != before:
                    change.rename_column(before, after["Name"])
        except ValidationError as error:
            raise QueryError("FAILED", f"{HIVE_FAILED} Column '{before}' cannot be changed: {error}") from error

    return act


def set_location(words: Words) -> Action:
    place = words.string()

    def act(session: Session, entry: Entry) -> None:
        if is_iceberg(entry.glue):
            raise QueryError("NOT_SUPPORTED", "SET LOCATION is not supported for Iceberg tables")
        update(session, entry, StorageDescriptor={**entry.glue["StorageDescriptor"], "Location": place})

    return act


def rename(words: Words) -> Action:
    path = words.path()

    def act(session: Session, entry: Entry) -> None:
        only_iceberg(entry, "RENAME TO")
        if session.catalog.table_of(*session.named(path)) is not None:
            raise QueryError("FAILED", f"{HIVE_FAILED} AlreadyExistsException(message:Table {path[1]} already exists)")
        here = (entry.table.database, entry.table.name)
        athena_iceberg.catalog(session).rename_table(here, (path[0] or entry.table.database, path[1]))

    return act


ACTIONS: Mapping[str, Callable[[Words], Action]] = {
    "SET TBLPROPERTIES": set_properties,
    "UNSET TBLPROPERTIES": unset_properties,
    "ADD COLUMNS": add_columns,
    "REPLACE COLUMNS": replace_columns,
    "DROP COLUMN": drop_column,
    "CHANGE COLUMN": change_column,
    "CHANGE": change_column,
    "DROP": drop_partition,
    "ADD": add_partition,
    "PARTITION": one_partition,
    "SET LOCATION": set_location,
    "RENAME TO": rename,
}


def only_iceberg(entry: Entry, what: str) -> None:
    if not is_iceberg(entry.glue):
        raise QueryError("NOT_SUPPORTED", f"ALTER TABLE {what} is supported for Iceberg tables alone")


def known(entry: Entry, name: str) -> None:
    if name not in [each.name for each in entry.table.columns]:
        raise QueryError("FAILED", f"{HIVE_FAILED} Invalid column reference: {name}")
