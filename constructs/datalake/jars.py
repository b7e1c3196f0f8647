"""The jars that Glue 5.1 does not have and our jobs need, each with its checksum."""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
from pathlib import Path

# Glue documents Avro for its DynamicFrames only, so `spark.read.format("avro")` brings its own.
# Built for 3.5.7; runs on Spark 3.5.6, whose own build is not to be had.
SPARK_AVRO = "org.apache.spark_spark-avro_2.12-3.5.7.jar"
SPARK_AVRO_SHA256 = "b0660bc224cbd1eb3ae144001c1328863060e64f1834dd7bbadc1ddbf09d2b15"
ROOT = Path(__file__).parents[2]
FETCH = [sys.executable, "-m", "local.engines.spark", "fetch"]  # Spark's own resolver, which the laptop uses too


class JarError(Exception):
    """A jar is neither in the cache nor to be had, or is not the one that was expected."""


def spark_avro() -> Path:
    """The jar in the cache; the first time Spark's resolver puts it there."""
    path = cache() / "ivy" / "jars" / SPARK_AVRO
    if not path.exists():
        _fetch(path)
    found = hashlib.sha256(path.read_bytes()).hexdigest()
    if found != SPARK_AVRO_SHA256:
        raise JarError(
            f"The jar '{path}': expected SHA-256 {SPARK_AVRO_SHA256}, found {found}. Delete it, then run this again."
        )
    return path


def cache() -> Path:
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "headwater"


def _fetch(path: Path) -> None:
    done = subprocess.run(FETCH, cwd=ROOT, capture_output=True, text=True)
    if done.returncode or not path.exists():
        reason = (done.stderr.strip().splitlines() or ["no reason given"])[-1]
        raise JarError(f"The jar '{path}' is missing and could not be fetched: {reason}")
