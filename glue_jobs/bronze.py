"""Bronze: a dataset as it came, in Avro files that count only once the ledger names them."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any

from botocore.exceptions import ClientError
from pyspark.sql import DataFrame, Observation, SparkSession, functions as F
from pyspark.sql.types import BinaryType, StructType, TimestampNTZType

from glue_jobs.projection import comment
from lake.model import Dataset

CODE = re.compile("_x([0-9a-f]{4,6})_")
PARTITION_KEYS = ("logical", "run")
FORMAT = {
    "InputFormat": "org.apache.hadoop.hive.ql.io.avro.AvroContainerInputFormat",
    "OutputFormat": "org.apache.hadoop.hive.ql.io.avro.AvroContainerOutputFormat",
    "SerdeInfo": {"SerializationLibrary": "org.apache.hadoop.hive.serde2.avro.AvroSerDe"},
}


def as_ingested(rows: DataFrame, run: str) -> DataFrame:
    """The rows as they came, when and by which run; a time without a zone is taken for UTC."""
    times = {each.name for each in rows.schema.fields if isinstance(each.dataType, TimestampNTZType)}
    rows = storable(rows)
    columns = [
        F.col(name).cast("timestamp").alias(name) if source_name(name) in times else F.col(name)
        for name in rows.columns
    ]
    return rows.select(*columns, F.current_timestamp().alias("_ingested_at"), F.lit(run).alias("_run"))


def storable(rows: DataFrame) -> DataFrame:
    """The rows by names that Avro can hold."""
    return rows.toDF(*(avro_name(name) for name in rows.columns))


def read(spark: SparkSession, files: Iterable[str]) -> DataFrame:
    """The rows of a load's files by their source's names, bytes as hex digits: text of other bytes nobody can read."""
    rows = stored(spark, files)
    bytes_ = {each.name for each in rows.schema.fields if isinstance(each.dataType, BinaryType)}
    columns = (F.hex(name) if name in bytes_ else F.col(name) for name in rows.columns)
    return rows.select(*columns).toDF(*(source_name(name) for name in rows.columns))


def stored(spark: SparkSession, files: Iterable[str]) -> DataFrame:
    """The rows of a load's files as they lie there."""
    return spark.read.format("avro").load(list(files))


def avro_name(name: str) -> str:
    """A source's name in letters, digits and _; what Avro cannot hold as XML does: `a b` is `a_x0020_b`."""
    return "".join(each if _holds(name, number) else f"_x{ord(each):04x}_" for number, each in enumerate(name))


def source_name(name: str) -> str:
    """The name that `avro_name` was given."""
    return CODE.sub(lambda found: chr(int(found[1], 16)), name)


def _holds(name: str, place: int) -> bool:
    """Whether Avro holds this character of the name, and nobody would take it for a code."""
    each = name[place]
    if each == "_":
        return not CODE.match(name, place)
    return (each.isalpha() and ord(each) < 0x10000) or (place > 0 and each in "0123456789")


def write(rows: DataFrame, prefix: str) -> tuple[list[str], int]:
    """The files written below the prefix, and the rows counted on their way."""
    observation = Observation(f"ingest {prefix}")
    writer = rows.observe(observation, F.count(F.lit(1)).alias("rows")).write.format("avro").mode("overwrite")
    # nothing reads a load before the ledger names its files, so a task may put its file in place by itself
    writer = writer.option("mapreduce.fileoutputcommitter.algorithm.version", "2")
    writer.option("mapreduce.fileoutputcommitter.marksuccessfuljobs", "false").save(prefix)
    files = rows.sparkSession.read.format("avro").schema(rows.schema).load(prefix).inputFiles()
    return sorted(files), int(observation.get["rows"])


def avro_schema(spark: SparkSession, schema: StructType) -> str:
    jvm: Any = spark._jvm
    java = jvm.org.apache.spark.sql.types.DataType.fromJson(schema.json())
    return str(jvm.org.apache.spark.sql.avro.SchemaConverters.toAvroType(java, False, "topLevelRecord", "").toString())


def register(glue: Any, database: str, table: Mapping[str, Any], partition: str) -> None:
    """The Glue table shows this load too: one partition for each committed load."""
    try:
        glue.create_table(DatabaseName=database, TableInput=table)
    except ClientError as error:
        if error.response["Error"]["Code"] != "AlreadyExistsException":
            raise
        held = glue.get_table(DatabaseName=database, Name=table["Name"])["Table"]
        if _columns(held) != _columns(table) or held.get("Parameters", {}) != table["Parameters"]:
            glue.update_table(DatabaseName=database, TableInput=table)
    values = [part.partition("=")[2] for part in partition.rstrip("/").split("/")[-len(PARTITION_KEYS) :]]
    storage = {**table["StorageDescriptor"], "Location": partition}
    try:
        glue.create_partition(
            DatabaseName=database,
            TableName=table["Name"],
            PartitionInput={"Values": values, "StorageDescriptor": storage},
        )
    except ClientError as error:
        if error.response["Error"]["Code"] != "AlreadyExistsException":
            raise


def table_input(dataset: Dataset, location: str, schema: StructType, avro: str) -> dict[str, Any]:
    """An external Avro table, as Athena reads it."""
    columns = [
        {
            "Name": each.name.lower(),
            "Type": each.dataType.simpleString(),
            **comment(dataset.source_words, source_name(each.name)),
        }
        for each in schema.fields
    ]
    return {
        "Name": dataset.table,
        "Description": f"{dataset.id} as it came",
        "TableType": "EXTERNAL_TABLE",
        "Parameters": {"EXTERNAL": "TRUE", "classification": "avro", "avro.schema.literal": avro},
        "PartitionKeys": [{"Name": key, "Type": "string"} for key in PARTITION_KEYS],
        "StorageDescriptor": {**FORMAT, "Columns": columns, "Location": location},
    }


def _columns(table: Mapping[str, Any]) -> list[tuple[str, str, str]]:
    return [(each["Name"], each["Type"], each.get("Comment", "")) for each in table["StorageDescriptor"]["Columns"]]
