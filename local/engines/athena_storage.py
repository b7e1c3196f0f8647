"""Tables of plain files as the Glue catalog describes them: formats, types and partitions."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from local.engines.athena_errors import QueryError
from local.engines.athena_types import Type

TEXT_INPUT = "org.apache.hadoop.mapred.TextInputFormat"
TEXT_OUTPUT = "org.apache.hadoop.hive.ql.io.HiveIgnoreKeyTextOutputFormat"
SERDES = {
    "parquet": (
        "org.apache.hadoop.hive.ql.io.parquet.MapredParquetInputFormat",
        "org.apache.hadoop.hive.ql.io.parquet.MapredParquetOutputFormat",
        "org.apache.hadoop.hive.ql.io.parquet.serde.ParquetHiveSerDe",
    ),
    "avro": (
        "org.apache.hadoop.hive.ql.io.avro.AvroContainerInputFormat",
        "org.apache.hadoop.hive.ql.io.avro.AvroContainerOutputFormat",
        "org.apache.hadoop.hive.serde2.avro.AvroSerDe",
    ),
    "orc": (
        "org.apache.hadoop.hive.ql.io.orc.OrcInputFormat",
        "org.apache.hadoop.hive.ql.io.orc.OrcOutputFormat",
        "org.apache.hadoop.hive.ql.io.orc.OrcSerde",
    ),
    "json": (TEXT_INPUT, TEXT_OUTPUT, "org.openx.data.jsonserde.JsonSerDe"),
    "textfile": (TEXT_INPUT, TEXT_OUTPUT, "org.apache.hadoop.hive.serde2.lazy.LazySimpleSerDe"),
}
HIVE_NAMES = {"varchar": "string", "integer": "int", "real": "float", "varbinary": "binary"}
HIVE_TYPES = ("boolean", "tinyint", "smallint", "bigint", "double", "date")
PARTITIONS_AT_ONCE = 100
ESCAPED = "\"#%'*/:=?\\{[]^\x7f"
Partition = tuple[tuple[str, ...], str]  # its values and its place


def hive_type(type_: Type) -> str:
    """A type of Athena's as a table of plain files has it."""
    if type_.parts:
        return nested(type_, hive_type)
    if type_.name == "decimal":
        return f"decimal({type_.precision},{type_.scale})"
    if type_.name == "timestamp":
        return "timestamp"
    if type_.name == "varchar" and type_.precision is None:
        return "string"
    if type_.name == "varchar":
        return f"varchar({type_.precision})"
    if type_.name in HIVE_NAMES or type_.name in HIVE_TYPES:
        return HIVE_NAMES.get(type_.name, type_.name)
    raise QueryError("NOT_SUPPORTED", f"Unsupported Hive type: {type_}")


def current_columns(glue: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The columns of a table; Iceberg's writers leave those that it once had in the catalog, marked."""
    columns = (glue.get("StorageDescriptor") or {}).get("Columns") or []
    return [each for each in columns if (each.get("Parameters") or {}).get("iceberg.field.current") != "false"]


def nested(type_: Type, name: Callable[[Type], str]) -> str:
    """An array, a map or a row as Hive writes it, with the types inside named by `name`."""
    if type_.fields:
        return f"struct<{','.join(f'{field}:{name(inner)}' for field, inner in type_.members)}>"
    return f"{type_.name}<{','.join(map(name, type_.parts))}>"


def storage(form: str, columns: Sequence[Mapping[str, str]], location: str, **serde: Any) -> dict[str, Any]:
    inputs, outputs, library = SERDES[form]
    return {
        "Columns": list(columns),
        "Location": location,
        "InputFormat": inputs,
        "OutputFormat": outputs,
        "Compressed": False,
        "SerdeInfo": {"SerializationLibrary": library, "Parameters": serde or {"serialization.format": "1"}},
    }


def add_partitions(glue: Any, table: Mapping[str, Any], partitions: Sequence[Partition]) -> None:
    """Register partitions; one that is there already stays as it is."""
    for start in range(0, len(partitions), PARTITIONS_AT_ONCE):
        inputs = [
            {"Values": list(values), "StorageDescriptor": {**table["StorageDescriptor"], "Location": place}}
            for values, place in partitions[start : start + PARTITIONS_AT_ONCE]
        ]
        answer = glue.batch_create_partition(
            DatabaseName=table["DatabaseName"], TableName=table["Name"], PartitionInputList=inputs
        )
        for error in answer.get("Errors") or ():
            if error["ErrorDetail"]["ErrorCode"] != "AlreadyExistsException":
                raise QueryError("HIVE_METASTORE_ERROR", str(error["ErrorDetail"].get("ErrorMessage")))


def partition_folder(keys: Sequence[str], values: Sequence[str]) -> str:
    """`day=2026-11-21/region=eu`, with what a path may not hold escaped as Hive does."""
    return "/".join(f"{key}={escaped(value)}" for key, value in zip(keys, values, strict=True))


def escaped(value: str) -> str:
    return "".join(f"%{ord(each):02X}" if each in ESCAPED or each < " " else each for each in value)
