"""What Glue 5.1 runs, and the Spark packages that stand in for the ones it has built in."""

from __future__ import annotations

GLUE = "5.1"
SPARK = "3.5.6"
JAVA = 17
SPARK_AVRO = "org.apache.spark:spark-avro_2.12:3.5.7"  # 3.5.6 was never published
PACKAGES = (
    "org.apache.iceberg:iceberg-spark-runtime-3.5_2.12:1.10.0",
    "org.apache.iceberg:iceberg-aws-bundle:1.10.0",
    "org.apache.hadoop:hadoop-aws:3.3.4",
    SPARK_AVRO,
    "org.postgresql:postgresql:42.7.7",
)
