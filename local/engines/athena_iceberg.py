"""Iceberg tables as statements make and change them: every change is one commit of PyIceberg's, with the caller's own
credentials.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from local.engines.athena_errors import QueryError
from local.engines.athena_quoting import identifier
from local.engines.athena_relations import Query
from local.engines.athena_session import Session
from local.engines.athena_storage import nested
from local.engines.athena_types import MICROS, Type, listed
from local.engines.athena_undo import committed

if TYPE_CHECKING:
    from pyiceberg.catalog.glue import GlueCatalog
    from pyiceberg.schema import Schema
    from pyiceberg.table import Table, Transaction
    from pyiceberg.types import IcebergType

SIMPLE = {
    "boolean": "boolean", "integer": "int", "int": "int", "bigint": "long", "real": "float", "float": "float",
    "double": "double", "varchar": "string", "string": "string", "date": "date", "timestamp": "timestamp",
    "binary": "binary", "varbinary": "binary", "timestamptz": "timestamptz",
}  # fmt: skip
TRANSFORM = re.compile(r"(\w+)\s*\(\s*(?:(\d+)\s*,\s*)?[`\"]?(\w+)[`\"]?\s*(?:,\s*(\d+)\s*)?\)")
TRANSFORMS = {"identity": False, "year": False, "month": False, "day": False, "hour": False, "bucket": True,
              "truncate": True}  # fmt: skip
KEPT = "written"
ATTEMPTS = 4
LARGEST_PARTITIONS = 100
# what an Athena property is called in Iceberg
PROPERTIES = {"write_compression": "write.parquet.compression-codec"}


@dataclass(frozen=True)
class Definition:
    """A table to be made: its columns with Iceberg's types as texts, and PARTITIONED BY as it is written."""

    columns: Sequence[tuple[str, str]]
    location: str
    partitioning: Sequence[str] = ()
    properties: dict[str, str] = field(default_factory=dict)
    comments: dict[str, str] = field(default_factory=dict)


def from_type(type_: Type) -> str:
    """A type of Athena's as Hive's grammar writes it for an Iceberg table."""
    if type_.parts:
        return nested(type_, from_type)
    if type_.name == "decimal":
        return f"decimal({type_.precision},{type_.scale})"
    if type_.name.startswith("timestamp"):
        if type_.precision != MICROS:
            text = f'Timestamp precision ({type_.precision}) not supported for Iceberg. Use "timestamp(6)" instead.'
            raise QueryError("NOT_SUPPORTED", text)
        return "timestamptz" if type_.name.endswith("zone") else "timestamp"
    if type_.name not in SIMPLE:
        raise QueryError("NOT_SUPPORTED", f"Type not supported for Iceberg: {type_}")
    return SIMPLE[type_.name]


def iceberg_type(text: str, numbers: Iterator[int]) -> IcebergType:
    """A type as Hive's grammar writes it; `numbers` are the fields' ids."""
    from pyiceberg import types

    text = text.strip().lower()
    name, _, inner = text.partition("<") if "<" in text else text.partition("(")
    if name == "array":
        return types.ListType(next(numbers), iceberg_type(inner[:-1], numbers), False)
    if name == "map":
        key, value = listed(inner[:-1])
        return types.MapType(
            next(numbers), iceberg_type(key, numbers), next(numbers), iceberg_type(value, numbers), False
        )
    if name == "struct":
        parts = [part.partition(":") for part in listed(inner[:-1])]
        return types.StructType(
            *[
                types.NestedField(next(numbers), each.strip(), iceberg_type(of, numbers), required=False)
                for each, _, of in parts
            ]
        )
    if name == "decimal":
        precision, scale = (int(part) for part in (inner[:-1] or "10,0").split(","))
        return types.DecimalType(precision, scale)
    if text not in SIMPLE:
        raise QueryError("NOT_SUPPORTED", f"Type not supported for Iceberg: {text}")
    found: IcebergType = {
        "boolean": types.BooleanType(), "int": types.IntegerType(), "long": types.LongType(),
        "float": types.FloatType(), "double": types.DoubleType(), "string": types.StringType(),
        "date": types.DateType(), "timestamp": types.TimestampType(), "binary": types.BinaryType(),
        "timestamptz": types.TimestamptzType(),
    }[SIMPLE[text]]  # fmt: skip
    return found


def catalog(session: Session) -> GlueCatalog:
    from pyiceberg.catalog.glue import GlueCatalog

    request = session.request
    told = file_io({**request["credentials"], "url": request["url"], "region": request["region"]})
    return GlueCatalog("caller", client=session.catalog.glue, **told, **{"glue.skip-archive": "true"})


def static(caller: Mapping[str, Any], metadata_location: str) -> Any:
    """A table as one metadata file has it, to be read."""
    from pyiceberg.table import StaticTable

    return StaticTable.from_metadata(metadata_location, file_io(caller))


def file_io(caller: Mapping[str, Any]) -> dict[str, str]:
    """What PyIceberg reads and writes files with: the caller's credentials."""
    told = {
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


def schema_of(definition: Definition) -> Schema:
    from pyiceberg.schema import Schema
    from pyiceberg.types import NestedField

    told, nested = definition.comments, itertools.count(len(definition.columns) + 1)
    fields = [
        NestedField(i, name, iceberg_type(text, nested), required=False, doc=told.get(name))
        for i, (name, text) in enumerate(definition.columns, 1)
    ]
    return Schema(*fields)


def spec_of(schema: Schema, parts: Sequence[str]) -> Any:
    from pyiceberg.partitioning import UNPARTITIONED_PARTITION_SPEC, PartitionField, PartitionSpec
    from pyiceberg.transforms import parse_transform

    fields = []
    for number, part in enumerate(parts, 1000):
        found = TRANSFORM.fullmatch(part.strip().lower())
        column = found[3] if found else part.strip().strip('`"').lower()
        if column not in schema.column_names:
            raise QueryError("COLUMN_NOT_FOUND", f"Column '{column}' of the partitioning cannot be resolved")
        transform, name, width = "identity", column, None
        if found:
            transform, name, width = found[1], f"{column}_{found[1]}", found[2] or found[4]
        if transform not in TRANSFORMS or bool(width) != TRANSFORMS[transform]:
            raise QueryError("INVALID_TABLE_PROPERTY", f"Invalid partitioning transform: {part}")
        built = parse_transform(f"{transform}[{width}]" if width else transform)
        fields.append(PartitionField(schema.find_field(column).field_id, number, built, name))
    return PartitionSpec(*fields) if fields else UNPARTITIONED_PARTITION_SPEC


def properties(told: dict[str, str]) -> dict[str, str]:
    return {"format-version": "2", "write.parquet.compression-codec": "zstd", **renamed(told)}


def renamed(told: dict[str, str]) -> dict[str, str]:
    """Athena's properties as Iceberg calls them."""
    return {PROPERTIES.get(key, key): value for key, value in told.items()}


def column_type(text: str) -> IcebergType:
    """The type of a column that is added or changed; PyIceberg gives fields inside it their ids."""
    return iceberg_type(text, itertools.count(1))
