"""DuckDB as the laptop's Athena uses it: its extensions, nothing kept of files, a caller's credentials."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import duckdb

from local.engines import athena_macros, athena_quoting

EXTENSIONS = ("httpfs", "avro", "iceberg")
VENDED = "vended_"  # secrets that one query is lent
# files may be replaced between two queries, another caller may not read them, and what is kept counts as not read
KEPT_NOTHING = ("enable_http_metadata_cache", "enable_external_file_cache", "parquet_metadata_cache")
BYTES_OF_DATA = r"""
    SELECT coalesce(sum(CAST(regexp_extract(message, '"bytes":"(\d+)"', 1) AS BIGINT)), 0) FROM duckdb_logs
    WHERE type = 'FileSystem' AND contains(message, '"op":"READ"') AND NOT contains(message, '/metadata/')
"""


@dataclass(frozen=True)
class Credentials:
    """The caller's, for DuckDB's and boto3's own calls."""

    key: str
    secret: str
    token: str | None = None


class Instance:
    """One DuckDB: `instance.use(credentials)`, then `instance.root.cursor()`."""

    def __init__(self, url: str, region: str) -> None:
        self._url, self._region = url, region
        self._used: Credentials | None = None
        self.root = duckdb.connect(
            config={
                "allow_unsigned_extensions": "true",
                "autoinstall_known_extensions": "false",
                "autoload_known_extensions": "false",
            }
        )
        for name in EXTENSIONS:
            self.root.execute(f"LOAD '{extension(name)}'")
        for setting in KEPT_NOTHING:
            self.root.execute(f"SET {setting} = false")
        self.root.execute("SET httpfs_connection_caching = true")  # a query reads small parts of many files
        athena_macros.prepare(self.root)

    def use(self, credentials: Credentials) -> None:
        """DuckDB's own calls to S3 carry the caller's credentials, and none that an earlier query was lent."""
        for (name,) in self.root.execute(f"SELECT name FROM duckdb_secrets() WHERE name LIKE '{VENDED}%'").fetchall():
            self.root.execute(f"DROP SECRET {name}")
        if credentials == self._used:
            return
        parts = {"KEY_ID": credentials.key, "SECRET": credentials.secret, "SESSION_TOKEN": credentials.token or ""}
        quoted = ", ".join(f"{name} {athena_quoting.text(value)}" for name, value in parts.items())
        self.root.execute(
            f"CREATE OR REPLACE TEMPORARY SECRET caller (TYPE s3, {quoted}, REGION '{self._region}', "
            f"ENDPOINT '{self._url.partition('://')[2]}', URL_STYLE 'path', USE_SSL false)"
        )
        self._used = credentials


def extension(name: str) -> Path:
    """The extension's file, from the package that brings it for exactly this DuckDB."""
    package = __import__(f"duckdb_extension_{name}")
    return Path(next(iter(package.__path__))) / f"extensions/v{duckdb.__version__}/{name}.duckdb_extension"


def count_bytes(connection: Any) -> None:
    """Have DuckDB count what the next statements read."""
    connection.execute("PRAGMA enable_profiling = 'no_output'")
    connection.execute("""SET custom_profiling_settings = '{"TOTAL_BYTES_READ": "true"}'""")


def bytes_read(connection: Any) -> int:
    """What the last statement has read of data files, once its rows are fetched."""
    found = json.loads(connection.get_profiling_information("json"))
    return int(found.get("total_bytes_read", 0))
