"""Jars, fetched once: Spark's and MariaDB's by Spark's own resolver, from then on a recorded list without network;
those of which each file is known by its hash, one by one.
"""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
import shutil
import sys
import tempfile
import threading
import urllib.request
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlparse

from local.engines import gateway, java, versions

Say = Callable[[str], None]
WANTED = (*versions.PACKAGES, versions.MARIADB)
LEFT_OUT = "com.google.protobuf:protobuf-java"  # MySQL's driver needs it for its document store only
EXPECTED_MEGABYTES = 550
REPORT_SECONDS = 3.0
CENTRAL = "https://repo1.maven.org/maven2"
PINNED_SECONDS = 20


class JarsNotFoundError(Exception):
    """Jars are not in the cache and could not be fetched."""


def cache() -> Path:
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "headwater"


def fetch(say: Say | None = None) -> list[Path]:
    """Spark's jars, fetched on the first call; `say` is told of the progress (standard error, when left out)."""
    return [jar for jar in _all(say) if not _is(jar, versions.MARIADB)]


def jar_of(package: str) -> Path:
    """The jar of one package; fetched when it is not there."""
    return next(jar for jar in _all() if _is(jar, package))


def pinned(folder: str, known: Mapping[str, str]) -> list[Path]:
    """Files of Maven Central, by path and SHA-256, without what their descriptions name; fetched when missing."""
    files = [cache() / folder / Path(path).name for path in known]
    if not all(file.exists() for file in files):
        with only_one(folder):
            for file, (path, digest) in zip(files, known.items(), strict=True):
                if not file.exists():
                    _download(f"{CENTRAL}/{path}", digest, file)
    return files


def _download(address: str, digest: str, file: Path) -> None:
    try:
        with urllib.request.urlopen(address, timeout=PINNED_SECONDS) as answer:
            content = answer.read()
    except OSError as error:
        raise JarsNotFoundError(f"'{address}' could not be fetched: {error}. Check the network.") from error
    if hashlib.sha256(content).hexdigest() != digest:
        raise JarsNotFoundError(f"'{address}' is not the file that is expected. Check what your proxy answers.")
    file.parent.mkdir(parents=True, exist_ok=True)
    unfinished = file.with_suffix(f".{os.getpid()}")
    unfinished.write_bytes(content)
    unfinished.replace(file)


def _all(say: Say | None = None) -> list[Path]:
    found = recorded()
    if found:
        return found
    with only_one("spark-jars"):
        return recorded() or _resolve(say or _to_stderr)


def recorded() -> list[Path]:
    """The jars as an earlier fetch recorded them; none when there was none or a file is gone."""
    try:
        jars = [Path(jar) for jar in json.loads(_record().read_text())]
    except (FileNotFoundError, ValueError):
        return []
    return jars if all(jar.exists() for jar in jars) else []


def _is(jar: Path, package: str) -> bool:
    _, artifact, version = package.split(":")
    return jar.name.endswith(f"_{artifact}-{version}.jar")


def _record() -> Path:
    wanted = hashlib.sha256(" ".join(WANTED).encode()).hexdigest()[:12]
    return cache() / f"spark-jars-{wanted}.json"


def _resolve(say: Say) -> list[Path]:
    say(f"fetching Spark's jars, once, about {EXPECTED_MEGABYTES} MB, into {cache() / 'ivy'}")
    found = java.find()
    with tempfile.TemporaryDirectory() as folder, _progress(say):
        log = Path(folder) / "resolve.log"
        options = {"SPARK_SUBMIT_OPTS": " ".join(found.options(cache()))}
        arguments = [
            "--packages",
            ",".join(WANTED),
            "--exclude-packages",
            LEFT_OUT,
            "--conf",
            f"spark.jars.ivy={cache() / 'ivy'}",
        ]
        try:
            started = gateway.launch(found, arguments, {**gateway.inherited(), **options}, log)
        except gateway.JvmError as error:
            raise JarsNotFoundError(_why(log)) from error
        client = started.connect()
        listed = client.jvm.java.lang.System.getProperty("spark.jars")
        client.shutdown()
        if started.process.stdin:
            started.process.stdin.close()
        started.process.wait()
    jars = [Path(urlparse(jar).path) for jar in listed.split(",")]
    unfinished = _record().with_suffix(f".{os.getpid()}")
    unfinished.write_text(json.dumps([str(jar) for jar in jars], indent=1))
    unfinished.replace(_record())
    say(f"Spark's {len(jars)} jars are there")
    return jars


def _why(log: Path) -> str:
    kept = cache() / "resolve.log"
    shutil.copyfile(log, kept)
    text = log.read_text(errors="replace")
    if "PKIX path building failed" in text:
        reason = "its certificate is not trusted. Set SSL_CERT_FILE to the PEM file of your network's certificates"
    elif "not found" in text and "Server access error" not in text:
        reason = "it answered, but has no such package. Check the repository that your proxy shows"
    else:
        reason = "it cannot be reached. Check the network, or set https_proxy to your proxy"
    return f"Spark's jars could not be fetched from Maven Central: {reason}; then run this again. Details: {kept}"


@contextmanager
def only_one(what: str) -> Iterator[None]:
    """Two processes must not fill the cache at once: the second waits and then finds it full."""
    cache().mkdir(parents=True, exist_ok=True)
    with (cache() / f"{what}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


@contextmanager
def _progress(say: Say) -> Iterator[None]:
    done = threading.Event()

    def report() -> None:
        while not done.wait(REPORT_SECONDS):
            size = sum(path.stat().st_size for path in (cache() / "ivy" / "cache").rglob("*.jar*"))
            say(f"{size // 1_000_000} MB of Spark's jars are there")

    threading.Thread(target=report, daemon=True).start()
    try:
        yield
    finally:
        done.set()


def _to_stderr(text: str) -> None:
    print(f"headwater: {text}", file=sys.stderr, flush=True)
