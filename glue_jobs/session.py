"""The job's Spark session: the lake's Iceberg catalog, UTC everywhere, as many partitions as the data needs."""

from __future__ import annotations

from math import ceil
from typing import Any

from pyspark.sql import SparkSession

from lake.catalog import CATALOG, catalog_settings
from lake.model import Lake

OURS = {
    "spark.sql.session.timeZone": "UTC",
    # an empty result must not make Spark forget what it counted on the way there
    "spark.sql.adaptive.optimizer.excludedRules": "org.apache.spark.sql.execution.adaptive.AQEPropagateEmptyRelation",
    # dates before 1582, as sources have them for "none", are written as they are instead of refused
    "spark.sql.avro.datetimeRebaseModeInWrite": "CORRECTED",
    "spark.sql.avro.datetimeRebaseModeInRead": "CORRECTED",
    # what it derives from a row's many rules grows without bound: planning 50,000 users took 40 s instead of 1
    "spark.sql.constraintPropagation.enabled": "false",
    # rows are kept for one or two readings only: trying encodings on them took a fifth of refine's time
    "spark.sql.inMemoryColumnarStorage.compressed": "false",
}
# the names by which PySpark and we ask for Java classes, thousands of times in a job run
CLASSES = (
    "PythonUtils",
    "functions",
    "org.apache.iceberg.spark.Spark3Util",
    "org.apache.spark.sql.SparkSession",
    "org.apache.spark.sql.expressions.Window",
    "org.apache.spark.storage.StorageLevel",
    "org.apache.spark.util.Utils",
    "py4j.reflection.TypeUtil",
)
ROWS_PER_TASK = 100_000
MOST_PARTITIONS = 400


def open_session(lake: Lake) -> SparkSession:
    """The session of this process; a catalog that is configured already, as on the laptop, is left as it is."""
    spark = SparkSession.builder.getOrCreate()
    if spark.conf.get(f"spark.sql.catalog.{CATALOG}", None) is None:
        for name, value in catalog_settings(lake.environment.buckets["silver"]).items():
            spark.conf.set(name, value)
    for name, value in OURS.items():
        spark.conf.set(name, value)
    size_for(spark, 0)
    remember_classes(spark)
    return spark


def remember_classes(spark: SparkSession) -> None:
    """py4j asks the JVM for each part of a name each time, and the JVM then looks into every jar for such a class."""
    for name in CLASSES:
        place: Any = spark._jvm
        for part in name.split("."):
            found = getattr(place, part)
            setattr(place, part, found)
            place = found


def size_for(spark: SparkSession, rows: int) -> None:
    """Shuffle partitions for the largest dataset of a job run; Spark itself merges those of the smaller ones."""
    partitions = min(MOST_PARTITIONS, max(2, ceil(rows / ROWS_PER_TASK)))
    spark.conf.set("spark.sql.shuffle.partitions", str(partitions))
