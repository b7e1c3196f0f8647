"""What the lake is measured against, and what only that needs: packages and jars beside the product, not in its lock.

`rivals.txt` is locked under the constraints of requirements.txt, so that whatever both need is the product's own
version; the rest goes into a folder of the cache on first use and is put behind the product's packages on the path.
"""

from __future__ import annotations

import hashlib
import importlib
import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from urllib.parse import urlparse

import duckdb

from local.engines import gateway, jars, java

LOCK = Path(__file__).with_name("rivals.txt")
DEEQU = "com.amazon.deequ:deequ:2.0.7-spark-3.5"
LEFT_OUT = "org.apache.spark:spark-core_2.12,org.apache.spark:spark-sql_2.12,org.scala-lang:scala-library"
SPARK = "3.5"


class RivalsNotFoundError(Exception):
    """The packages of rivals.txt are not in the cache and could not be fetched."""


def install() -> None:
    """Great Expectations, pydeequ and DuckDB's reader of PostgreSQL can be imported afterwards."""
    folder = _folder()
    if not folder.exists():
        _fetch(folder)
    if str(folder) not in sys.path:
        sys.path.append(str(folder))
        importlib.invalidate_caches()
    os.environ["SPARK_VERSION"] = SPARK  # by which pydeequ chooses its jar


def postgres_scanner() -> Path:
    """DuckDB's extension that reads PostgreSQL."""
    install()
    name = "postgres_scanner"
    package = importlib.import_module(f"duckdb_extension_{name}")
    return Path(next(iter(package.__path__))) / f"extensions/v{duckdb.__version__}/{name}.duckdb_extension"


def deequ() -> list[Path]:
    """Deequ's jars, resolved by Spark's own resolver on first use; what that says goes to a log, not among figures."""
    install()
    record = _folder() / "deequ.json"
    if not record.exists():
        record.write_text(json.dumps([str(each) for each in _resolve(record.with_suffix(".log"))]))
    return [Path(each) for each in json.loads(record.read_text())]


def _resolve(log: Path) -> list[Path]:
    found = java.find()
    options = {"SPARK_SUBMIT_OPTS": " ".join(found.options(jars.cache()))}
    arguments = [
        "--packages",
        DEEQU,
        "--exclude-packages",
        LEFT_OUT,
        "--conf",
        f"spark.jars.ivy={jars.cache() / 'ivy'}",
    ]
    try:
        started = gateway.launch(found, arguments, {**gateway.inherited(), **options}, log)
    except gateway.JvmError as error:
        raise RivalsNotFoundError(f"Deequ's jars could not be fetched. See {log}.") from error
    client = started.connect()
    listed = client.jvm.java.lang.System.getProperty("spark.jars")
    client.shutdown()
    started.process.kill()
    started.process.wait()
    return [Path(urlparse(each).path) for each in listed.split(",")]


def _folder() -> Path:
    return jars.cache() / f"rivals-{hashlib.sha256(LOCK.read_bytes()).hexdigest()[:12]}"


def _fetch(folder: Path) -> None:
    print("headwater: fetching what the lake is measured against, once", file=sys.stderr)
    unfinished = folder.with_name(f"{folder.name}.{os.getpid()}")
    wanted = unfinished.with_suffix(".txt")
    wanted.parent.mkdir(parents=True, exist_ok=True)
    wanted.write_text(_without_ours(LOCK.read_text()))
    command = [_uv(), "pip", "install", "--quiet", "--python", sys.executable, "--target", str(unfinished)]
    done = subprocess.run(
        [*command, "--no-deps", "--require-hashes", "-r", str(wanted)], capture_output=True, text=True, check=False
    )
    wanted.unlink()
    if done.returncode:
        shutil.rmtree(unfinished, ignore_errors=True)
        raise RivalsNotFoundError(f"The packages of '{LOCK}' could not be fetched: {done.stderr.strip()[-300:]}")
    unfinished.rename(folder)


def _without_ours(lock: str) -> str:
    """The packages that the product does not bring itself."""
    ours = (LOCK.parents[1] / "requirements.txt").read_text()
    names = set(re.findall(r"^([a-z0-9._-]+)==", ours, re.MULTILINE))
    entries = re.split(r"\n(?=[a-z0-9])", lock)
    return "\n".join(each for each in entries if each.partition("==")[0] not in names)


def _uv() -> str:
    """The launcher's own uv, where none is installed."""
    found = shutil.which("uv") or next(map(str, sorted(jars.cache().glob("uv-*/bin/uv"))), None)
    if found is None:
        raise RivalsNotFoundError("No uv was found: expected it on PATH. Start this by ./headwater, which brings one.")
    return found
