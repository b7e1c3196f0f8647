"""Worker process that runs Athena's queries on DuckDB, one after another: a request a line in, an outcome a line out.

Started as `python -m local.engines.duckdb_worker URL REGION`; it ends when its standard input closes.
"""

from __future__ import annotations

import functools
import json
import os
import queue
import sys
import tempfile
import threading
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TextIO

import boto3
import duckdb
from botocore.config import Config
from botocore.exceptions import ClientError
from sqlglot import exp

from local.engines import (
    athena_iceberg,
    athena_listings,
    athena_macros,
    athena_quoting,
    athena_results,
    athena_scans,
    athena_session,
    athena_sql,
)
from local.engines.athena_catalog import GlueCatalog
from local.engines.athena_errors import SYSTEM, ByteLimitError, QueryError
from local.engines.athena_failures import told
from local.engines.athena_relations import Query, Scan
from local.engines.athena_types import BIGINT

EXTENSIONS = ("httpfs", "avro", "iceberg")
BATCH = 5000
CLIENTS = 16
Outcome = dict[str, Any]


@dataclass(frozen=True)
class Credentials:
    """The caller's, for DuckDB's and boto3's own calls."""

    key: str
    secret: str
    token: str | None = None


class Worker:
    """One DuckDB instance; `run(request)` never raises for what a query can be wrong about."""

    def __init__(self, url: str, region: str) -> None:
        self.url, self.region = url, region
        self.root = duckdb.connect(
            config={
                "allow_unsigned_extensions": "true",
                "autoinstall_known_extensions": "false",
                "autoload_known_extensions": "false",
            }
        )
        for name in EXTENSIONS:
            self.root.execute(f"LOAD '{extension(name)}'")
        # files may be replaced between two queries
        for setting in ("enable_http_metadata_cache", "enable_external_file_cache", "parquet_metadata_cache"):
            self.root.execute(f"SET {setting} = false")
        athena_macros.prepare(self.root)
        self.client = functools.lru_cache(CLIENTS)(self._client)

    def run(self, request: dict[str, Any]) -> Outcome:
        try:
            return self._run(request)
        except QueryError as error:
            return failed(str(error), error.category)
        except ByteLimitError:
            return {"state": "CANCELLED", "reason": "Bytes scanned limit was exceeded"}
        except duckdb.Error as error:
            found = told(error)
            return failed(str(found), found.category)
        except ClientError as error:
            return failed(f"GENERIC_USER_ERROR: {error}")
        except Exception as error:  # a fault of ours must reach the client as what it is
            return failed(f"GENERIC_INTERNAL_ERROR: {type(error).__name__}: {error}", SYSTEM)

    def _run(self, request: dict[str, Any]) -> Outcome:
        began = time.perf_counter()
        credentials = Credentials(**request["credentials"])
        opened = functools.partial(
            athena_iceberg.static, request["credentials"] | {"url": self.url, "region": self.region}
        )
        catalog = GlueCatalog(self.client("glue", credentials), self.client("s3", credentials), opened)
        statement = athena_sql.read(request["sql"])
        if statement.plan is not None:
            outcome = self._change(request, credentials, catalog, statement.plan)
        elif statement.tree is None:
            lines, columns = athena_listings.answer(statement, catalog, request["database"])
            outcome = {"columns": columns, "rows": len(lines), "scanned": 0}
            body: bytes = "".join(f"{line}\n" for line in lines).encode()
            self._keep(credentials, request, body, columns)
        else:
            translation = athena_sql.translate(statement.tree, catalog, request["database"], request["parameters"])
            planned = time.perf_counter()
            outcome = self._select(request, credentials, catalog, translation)
            outcome["planning"] = planned - began
        return {"state": "SUCCEEDED", "seconds": time.perf_counter() - began, **outcome}

    def _select(
        self,
        request: dict[str, Any],
        credentials: Credentials,
        catalog: GlueCatalog,
        translation: athena_sql.Translation,
    ) -> Outcome:
        query = translation.query
        self._use(credentials)
        with self.root.cursor() as connection:
            uncounted = sum(athena_scans.define(connection, catalog, scan) for scan in translation.scans)
            connection.execute("PRAGMA enable_profiling = 'no_output'")
            connection.execute("""SET custom_profiling_settings = '{"TOTAL_BYTES_READ": "true"}'""")
            connection.execute(query.sql)
            check_types(connection.description, translation)
            columns = [athena_results.column_info(*each) for each in zip(query.names, query.types, strict=True)]
            with tempfile.TemporaryFile() as file:
                file.write(athena_results.csv_line(query.names).encode())
                count = 0
                while rows := connection.fetchmany(BATCH):
                    count += len(rows)
                    lines = map(athena_results.csv_line, athena_results.printed(rows, query.types))
                    file.write("".join(lines).encode())
                file.seek(0)
                scanned = uncounted + bytes_read(connection)
                athena_session.limit_bytes(request, scanned)
                self._keep(credentials, request, file, columns)
            return {"columns": columns, "rows": count, "scanned": scanned}

    def _change(
        self, request: dict[str, Any], credentials: Credentials, catalog: GlueCatalog, plan: athena_session.Plan
    ) -> Outcome:
        """A statement that is no query: what it writes first, then its result."""

        def translate(tree: exp.Expr) -> tuple[Query, list[Scan]]:
            translation = athena_sql.translate(tree, catalog, request["database"], request["parameters"])
            return translation.query, translation.scans

        self._use(credentials)
        request = {**request, "url": self.url, "region": self.region}
        with self.root.cursor() as connection:
            session = athena_session.Session(
                catalog,
                connection,
                request,
                translate,
                lambda found, query: check_types(found, athena_sql.Translation(query)),
            )
            done = plan.run(session)
        columns, body = list(done.columns), "".join(f"{line}\n" for line in done.lines).encode()
        outcome: Outcome = {"columns": columns, "rows": len(done.lines), "scanned": session.scanned}
        if done.rows is None:
            self._keep(credentials, request, body, columns)
            return outcome
        outcome |= {"columns": [athena_results.column_info("rows", BIGINT)], "updated": done.rows, "rows": 0}
        if done.files is not None:
            outcome["manifest"] = f"{request['output']}-manifest.csv"
            self._put(credentials, request, outcome["manifest"], "".join(f"{file}\n" for file in done.files).encode())
        self._put(credentials, request, f"{request['output']}.metadata", athena_results.metadata(outcome["columns"]))
        return outcome

    def _use(self, credentials: Credentials) -> None:
        """DuckDB's own calls to S3 carry the caller's credentials."""
        parts = {"KEY_ID": credentials.key, "SECRET": credentials.secret, "SESSION_TOKEN": credentials.token or ""}
        quoted = ", ".join(f"{name} {athena_quoting.text(value)}" for name, value in parts.items())
        self.root.execute(
            f"CREATE OR REPLACE TEMPORARY SECRET caller (TYPE s3, {quoted}, REGION '{self.region}', "
            f"ENDPOINT '{self.url.partition('://')[2]}', URL_STYLE 'path', USE_SSL false)"
        )

    def _keep(self, credentials: Credentials, request: dict[str, Any], body: Any, columns: list[Outcome]) -> None:
        self._put(credentials, request, request["output"], body)
        self._put(credentials, request, f"{request['output']}.metadata", athena_results.metadata(columns))

    def _put(self, credentials: Credentials, request: dict[str, Any], location: str, body: Any) -> None:
        if location.startswith("file://"):  # managed results, which lie in no bucket of the account
            Path(location.removeprefix("file://")).write_bytes(body if isinstance(body, bytes) else body.read())
            return
        bucket, _, key = location.removeprefix("s3://").partition("/")
        try:
            self.client("s3", credentials).put_object(Bucket=bucket, Key=key, Body=body, **request["encryption"])
        except ClientError as error:
            text = f"Unable to write the result to '{location}': {error}"
            raise QueryError("INVALID_OUTPUT_LOCATION", text) from error

    def _client(self, service: str, credentials: Credentials) -> Any:
        session = boto3.session.Session(
            aws_access_key_id=credentials.key,
            aws_secret_access_key=credentials.secret,
            aws_session_token=credentials.token,
            region_name=self.region,
        )
        config = Config(retries={"total_max_attempts": 1}, s3={"addressing_style": "path"}, inject_host_prefix=False)
        return session.client(service, endpoint_url=self.url, config=config)


def extension(name: str) -> Path:
    """The extension's file, from the package that brings it for exactly this DuckDB."""
    package = __import__(f"duckdb_extension_{name}")
    return Path(next(iter(package.__path__))) / f"extensions/v{duckdb.__version__}/{name}.duckdb_extension"


def check_types(description: Any, translation: athena_sql.Translation) -> None:
    """DuckDB must have come to the very types that we hold the result for; else we would print something else."""
    query = translation.query
    for found, name, type_ in zip(description, query.names, query.types, strict=True):
        held = str(found[1]).replace("TIMESTAMP WITH TIME ZONE", "TIMESTAMPTZ").replace('"', "")
        if held != type_.duckdb.replace('"', "") and type_.name != "unknown":
            text = f"The laptop has column '{name}' for {type_}, and its engine for {held}. Please report this query."
            raise QueryError("GENERIC_INTERNAL_ERROR", text, category=SYSTEM)


def bytes_read(connection: Any) -> int:
    found = json.loads(connection.get_profiling_information("json"))
    return int(found.get("total_bytes_read", 0))


def failed(reason: str, category: int = 2) -> Outcome:
    return {"state": "FAILED", "reason": reason, "category": category}


def serve(requests: queue.Queue[str], answers: TextIO, url: str, region: str) -> None:
    worker = Worker(url, region)
    answers.write('{"state": "READY"}\n')
    answers.flush()
    while True:
        outcome = worker.run(json.loads(requests.get()))
        answers.write(json.dumps(outcome) + "\n")
        answers.flush()
        if "database has been invalidated" in outcome.get("reason", "") or "INTERNAL" in outcome.get("reason", ""):
            os._exit(1)  # an internal error leaves this instance useless; the next query gets a new one


def main(argv: list[str]) -> None:
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)  # nothing that libraries print may look like an answer
    requests: queue.Queue[str] = queue.Queue()

    def listen() -> None:
        for line in sys.stdin:
            requests.put(line)
        os._exit(0)  # the starter is gone, or wants us to be, even in the middle of a query

    threading.Thread(target=listen, daemon=True).start()
    serve(requests, answers, *argv)


if __name__ == "__main__":
    main(sys.argv[1:])
