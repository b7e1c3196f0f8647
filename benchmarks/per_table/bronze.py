"""A job for one table: from its source into bronze as Avro, overwritten, as the TICKIT demo's jobs do it."""

from __future__ import annotations

import sys

import boto3
from awsglue.utils import getResolvedOptions
from pyspark.sql import SparkSession

from glue_jobs.connection import find_source

options = getResolvedOptions(sys.argv, ["connection", "table", "target"])
source = find_source(options["connection"], boto3.client("glue"), boto3.client("secretsmanager"))
spark = SparkSession.builder.getOrCreate()
rows = source.read(spark, dbtable=options["table"])
instants = {
    field.name: rows[field.name].cast("timestamp") for field in rows.schema if "ntz" in field.dataType.typeName()
}
rows.withColumns(instants).write.format("avro").mode("overwrite").save(options["target"])
