"""A job for one table: from bronze to typed Parquet, overwritten, as the TICKIT demo's jobs do it."""

from __future__ import annotations

import sys

from awsglue.utils import getResolvedOptions
from pyspark.sql import SparkSession, functions as F

from lake.model import load

options = getResolvedOptions(sys.argv, ["dataset", "origin", "target"])
columns = load().dataset(options["dataset"]).columns
bronze = SparkSession.builder.getOrCreate().read.format("avro").load(options["origin"])
typed = bronze.select(*(F.col(each.source).cast(each.type).alias(each.name) for each in columns))
typed.dropDuplicates().write.mode("overwrite").parquet(options["target"])
