"""Bronze: a dataset as it came, in Avro files that count only once the ledger names them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from botocore.exceptions import ClientError
from pyspark.sql import DataFrame, Observation, SparkSession, functions as F
from pyspark.sql.types import StructType, TimestampNTZType

PARTITION_KEYS = ("logical", "run")
FORMAT = {
    "InputFormat": "org.apache.hadoop.hive.ql.io.avro.AvroContainerInputFormat",
    "OutputFormat": "org.apache.hadoop.hive.ql.io.avro.AvroContainerOutputFormat",
    "SerdeInfo": {"SerializationLibrary": "org.apache.hadoop.hive.serde2.avro.AvroSerDe"},
}


def as_ingested(rows: DataFrame, run: str) -> DataFrame:
    """The rows as they came, when and by which run; a time without a zone is taken for UTC."""
    columns = [
        F.col(f"`{each.name}`").cast("timestamp").alias(each.name)
        if isinstance(each.dataType, TimestampNTZType)
        else F.col(f"`{each.name}`")
        for each in rows.schema.fields
    ]
    return rows.select(*columns, F.current_timestamp().alias("_ingested_at"), F.lit(run).alias("_run"))


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


def table_input(name: str, location: str, schema: StructType, avro: str, description: str) -> dict[str, Any]:
    """An external Avro table, as Athena reads it."""
    columns = [{"Name": each.name.lower(), "Type": each.dataType.simpleString()} for each in schema.fields]
    return {
        "Name": name,
        "Description": description[:2048],
        "TableType": "EXTERNAL_TABLE",
        "Parameters": {"EXTERNAL": "TRUE", "classification": "avro", "avro.schema.literal": avro},
        "PartitionKeys": [{"Name": key, "Type": "string"} for key in PARTITION_KEYS],
        "StorageDescriptor": {**FORMAT, "Columns": columns, "Location": location},
    }


def _columns(table: Mapping[str, Any]) -> list[tuple[str, str]]:
    return [(each["Name"], each["Type"]) for each in table["StorageDescriptor"]["Columns"]]
