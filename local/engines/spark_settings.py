"""Spark's settings on the laptop: what Glue 5.1 sets for a job, pointed at the endpoint."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from pathlib import Path

CATALOG = "spark.sql.catalog.lake"
# On two cores the optimizing compiler and G1's threads take more than they give to runs of seconds. That compiler alone
# gets 48 MB for its code, which two runs fill: then it throws code away and makes it again. Each growth of the room for
# classes would be a full collection, and the classes of jars that are known need not be verified.
SMALL_MACHINE = " ".join(
    (
        "-XX:TieredStopAtLevel=1",
        "-XX:+UseParallelGC",
        "-XX:ReservedCodeCacheSize=256m",
        "-XX:MetaspaceSize=256m",
        "-XX:+UnlockDiagnosticVMOptions",
        "-XX:-BytecodeVerificationRemote",
    )
)
CODE_KEPT = 2000  # compiled queries: of the 100 that Spark keeps, the next run of a pipeline finds none
S3A = "org.apache.hadoop.fs.s3a"
# In a JVM of several roles a file system that is kept would lend its credentials to others.
EACH_ANEW = ("fs.s3.impl.disable.cache", "fs.s3a.impl.disable.cache")


def settings(url: str, jars: Iterable[Path], folder: Path, memory: str) -> dict[str, str]:
    """What a JVM is started with, warm or cold."""
    cores = min(max(os.cpu_count() or 2, 2), 4)
    return {
        "spark.master": f"local[{cores}]",
        "spark.app.name": "headwater",
        "spark.driver.memory": memory,
        "spark.driver.host": "127.0.0.1",
        "spark.driver.bindAddress": "127.0.0.1",
        "spark.driver.extraJavaOptions": f"-Duser.timezone=UTC -Djava.io.tmpdir={folder} {SMALL_MACHINE}",
        "spark.jars": ",".join(str(jar) for jar in jars),
        "spark.local.dir": str(folder),
        "spark.scheduler.mode": "FAIR",
        "spark.ui.enabled": "false",
        "spark.ui.showConsoleProgress": "false",
        "spark.sql.ui.explainMode": "simple",  # nobody sees the plans that it would spell out
        "spark.sql.codegen.cache.maxEntries": str(CODE_KEPT),
        "spark.sql.catalogImplementation": "in-memory",
        "spark.sql.extensions": "org.apache.iceberg.spark.extensions.IcebergSparkSessionExtensions",
        "spark.sql.session.timeZone": "UTC",
        "spark.sql.shuffle.partitions": str(2 * cores),
        "spark.sql.warehouse.dir": str(folder / "warehouse"),
        f"{CATALOG}.s3.path-style-access": "true",
        **{f"spark.hadoop.{name}": value for name, value in _hadoop(url, folder).items()},
    }


def _hadoop(url: str, folder: Path) -> dict[str, str]:
    return {
        "fs.s3.impl": f"{S3A}.S3AFileSystem",
        "fs.AbstractFileSystem.s3.impl": f"{S3A}.S3A",
        **dict.fromkeys(EACH_ANEW, "true"),
        "fs.s3a.audit.enabled": "false",  # it costs each of the many file systems a part of its start
        "fs.s3a.endpoint": url,
        "fs.s3a.endpoint.region": "us-east-1",
        "fs.s3a.path.style.access": "true",
        "fs.s3a.connection.ssl.enabled": "false",
        "fs.s3a.bucket.probe": "0",
        "fs.s3a.directory.marker.retention": "keep",
        "fs.s3a.aws.credentials.provider": f"{S3A}.TemporaryAWSCredentialsProvider",
        "hadoop.tmp.dir": str(folder),
        "mapreduce.fileoutputcommitter.algorithm.version": "2",
    }


def of_role(credentials: Mapping[str, str]) -> dict[str, str]:
    """A session's settings for S3A to call with a role's credentials."""
    return {
        "fs.s3a.access.key": credentials["AWS_ACCESS_KEY_ID"],
        "fs.s3a.secret.key": credentials["AWS_SECRET_ACCESS_KEY"],
        "fs.s3a.session.token": credentials["AWS_SESSION_TOKEN"],
    }


def assuming(role: str, region: str, session: str) -> dict[str, str]:
    """A warm session's settings for Iceberg's clients to call as a role: static keys would reach S3, but not Glue."""
    return {
        f"{CATALOG}.client.factory": "org.apache.iceberg.aws.AssumeRoleAwsClientFactory",
        f"{CATALOG}.client.assume-role.arn": role,
        f"{CATALOG}.client.assume-role.region": region,
        f"{CATALOG}.client.assume-role.session-name": session,
    }
