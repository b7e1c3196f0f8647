"""Iceberg tables as statements make and change them: every change is one commit of PyIceberg's, with the caller's own
credentials.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from local.engines.athena_errors import QueryError
from local.engines.athena_iceberg_schemas import Definition, properties, schema_of, spec_of
from local.engines.athena_quoting import identifier
from local.engines.athena_relations import Query
from local.engines.athena_session import Session
from local.engines.athena_undo import committed

if TYPE_CHECKING:
    from pyiceberg.catalog.glue import GlueCatalog
    from pyiceberg.schema import Schema
    from pyiceberg.table import Table, Transaction

KEPT = "written"
ATTEMPTS = 4
LARGEST_PARTITIONS = 100


def catalog(session: Session) -> GlueCatalog:
    from local.engines.athena_glue import KeepingGlueCatalog

    request = session.request
    told = file_io({**request["credentials"], "url": request["url"], "region": request["region"]})
    return KeepingGlueCatalog("caller", client=session.catalog.glue, **told, **{"glue.skip-archive": "true"})


def static(caller: Mapping[str, Any], metadata_location: str) -> Any:
    """A table as one metadata file has it, to be read."""
    from pyiceberg.table import StaticTable

    return StaticTable.from_metadata(metadata_location, file_io(caller))


def file_io(caller: Mapping[str, Any]) -> dict[str, str]:
    """What PyIceberg reads and writes files with: the caller's credentials."""
    told = {
        "py-io-impl": "local.engines.athena_file_io.CallersFileIO",
        "s3.endpoint": caller["url"],
        "s3.region": caller["region"],
        "s3.access-key-id": caller["key"],
        "s3.secret-access-key": caller["secret"],
    }
    return {**told, "s3.session-token": caller["token"]} if caller.get("token") else told


def create(session: Session, database: str, name: str, definition: Definition) -> None:
    schema = schema_of(definition)
    catalog(session).create_table(
        (database, name), schema, definition.location.rstrip("/"), spec_of(schema, definition.partitioning),
        properties=properties(definition.properties),
    )  # fmt: skip


def create_with(
    session: Session, database: str, name: str, definition: Definition, query: Query
) -> tuple[int, list[str]]:
    """Make a table that holds a query's rows, in one commit; the rows' number and the files."""
    schema = schema_of(definition)
    tables = catalog(session)
    transaction = tables.create_table_transaction(
        (database, name), schema, definition.location.rstrip("/"), spec_of(schema, definition.partitioning),
        properties=properties(definition.properties),
    )  # fmt: skip
    rows = session.keep(KEPT, query)
    with committed(session, transaction._table):
        if rows:
            append(transaction, arrow(session, transaction.table_metadata.schema(), KEPT))
        session.watch.go_on()
        transaction.commit_transaction()
    made = tables.load_table((database, name))
    return rows, [task.file.file_path for task in made.scan().plan_files()]


def append_to(session: Session, database: str, name: str, query: Query) -> tuple[int, list[str]]:
    """Add a query's rows in one commit, which is tried again after another writer's."""
    from pyiceberg.exceptions import CommitFailedException

    rows = session.keep(KEPT, query)
    if not rows:
        return 0, []
    for attempt in range(1, ATTEMPTS + 1):
        table = catalog(session).load_table((database, name))
        before = {task.file.file_path for task in table.scan().plan_files()}
        try:
            with committed(session, table), table.transaction() as transaction:
                append(transaction, arrow(session, table.schema(), KEPT))
                session.watch.go_on()
        except CommitFailedException as error:
            if attempt == ATTEMPTS:
                raise commit_error(database, name) from error
            continue
        return rows, [task.file.file_path for task in table.scan().plan_files() if task.file.file_path not in before]
    raise AssertionError("each attempt returns or raises")


def append(transaction: Transaction, rows: Any) -> None:
    check_partitions(transaction, rows)
    transaction.append(rows)


def check_partitions(transaction: Transaction, rows: Any) -> None:
    """Athena keeps at most 100 partitions open in one write."""
    from pyiceberg.io.pyarrow import _determine_partitions

    metadata = transaction.table_metadata
    if metadata.spec().is_unpartitioned() or not rows.num_rows:
        return
    found = _determine_partitions(metadata.spec(), metadata.schema(), rows)
    if len({str(part.partition_key.partition) for part in found}) > LARGEST_PARTITIONS:
        text = f"Exceeded limit of {LARGEST_PARTITIONS} open writers for partitions."
        raise QueryError("ICEBERG_TOO_MANY_OPEN_PARTITIONS", text)


def arrow(session: Session, schema: Schema, kept: str) -> Any:
    """The rows kept as columns c1, c2, … as the table's schema has them."""
    import pyarrow as pa
    from pyiceberg.io.pyarrow import schema_to_pyarrow

    names = ", ".join(f"c{i} AS {identifier(each.name)}" for i, each in enumerate(schema.fields, 1))
    rows = session.connection.execute(f"SELECT {names} FROM {identifier(kept)}").to_arrow_table()
    for number, column in enumerate(schema.fields):
        if column.required and rows.column(number).null_count:
            raise QueryError("CONSTRAINT_VIOLATION", f"NULL value not allowed for NOT NULL column: {column.name}")
    return rows.cast(pa.schema(list(schema_to_pyarrow(schema, include_field_ids=False))))


def replace(session: Session, table: Table, gone: set[str], kept: str) -> None:
    """One commit that takes files away and adds the rows kept."""
    from pyiceberg.exceptions import CommitFailedException
    from pyiceberg.io.pyarrow import _dataframe_to_data_files

    rows = arrow(session, table.schema(), kept)
    files = [task.file for task in table.scan().plan_files() if task.file.file_path in gone]
    try:
        with committed(session, table), table.transaction() as transaction:
            check_partitions(transaction, rows)
            with transaction.update_snapshot().overwrite() as snapshot:
                for file in files:
                    snapshot.delete_data_file(file)
                if rows.num_rows:
                    added = _dataframe_to_data_files(
                        table_metadata=transaction.table_metadata, df=rows, io=table.io, write_uuid=snapshot.commit_uuid
                    )
                    for file in added:
                        snapshot.append_data_file(file)
            session.watch.go_on()
    except CommitFailedException as error:
        raise commit_error(*table.name()[-2:]) from error


def commit_error(database: str, name: str) -> QueryError:
    return QueryError("ICEBERG_COMMIT_ERROR", f"Failed to commit Iceberg update to table: {database}.{name}")
