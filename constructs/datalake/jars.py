"""The jars that Glue 5.1 does not have and our jobs need, each with its checksum."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path

# Glue documents Avro for its DynamicFrames only, so `spark.read.format("avro")` brings its own.
# Built for 3.5.7; runs on Spark 3.5.6, of which Maven Central's copy cannot be relied on.
SPARK_AVRO = "org/apache/spark/spark-avro_2.12/3.5.7/spark-avro_2.12-3.5.7.jar"
SPARK_AVRO_SHA256 = "b0660bc224cbd1eb3ae144001c1328863060e64f1834dd7bbadc1ddbf09d2b15"
MAVEN_CENTRAL = "https://repo1.maven.org/maven2"


class JarError(Exception):
    """A jar is neither in the cache nor to be had, or is not the one that was expected."""


def spark_avro() -> Path:
    """The jar in the cache, where the laptop's Spark may have put it; else fetched from Maven Central."""
    name = Path(SPARK_AVRO).name
    places = [_folder() / name, _cache() / "ivy" / "jars" / f"org.apache.spark_{name}"]
    path = next((place for place in places if place.exists()), places[0])
    if not path.exists():
        _fetch(f"{os.environ.get('HEADWATER_MAVEN', MAVEN_CENTRAL)}/{SPARK_AVRO}", path)
    found = hashlib.sha256(path.read_bytes()).hexdigest()
    if found != SPARK_AVRO_SHA256:
        raise JarError(
            f"The jar '{path}': expected SHA-256 {SPARK_AVRO_SHA256}, found {found}. Delete it, then run this again."
        )
    return path


def _cache() -> Path:
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "headwater"


def _folder() -> Path:
    return Path(os.environ.get("HEADWATER_JARS") or _cache() / "jars")


def _fetch(url: str, path: Path) -> None:
    import urllib.request  # slow to import, and needed once in the life of a cache

    path.parent.mkdir(parents=True, exist_ok=True)
    unfinished = path.with_suffix(f".{os.getpid()}")
    try:
        with urllib.request.urlopen(url, timeout=30) as response:
            unfinished.write_bytes(response.read())
    except OSError as error:
        raise JarError(
            f"The jar '{path}' is missing and '{url}' could not be fetched: {error}. "
            "Check the network, or put the jar into a folder and name that in HEADWATER_JARS."
        ) from error
    unfinished.rename(path)
