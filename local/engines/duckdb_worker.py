"""Worker process that runs Athena's queries on DuckDB, one after another: a request a line in, an outcome a line out.

Started as `python -m local.engines.duckdb_worker URL REGION`; a line `{"cancel": ID}` stops the request of that id, and
the process ends when its standard input closes.
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
from collections.abc import Mapping
from typing import Any, TextIO

import boto3
import duckdb
from botocore.config import Config
from botocore.exceptions import ClientError
from sqlglot import exp

from local.engines import athena_iceberg, athena_listings, athena_results, athena_scans, athena_session, athena_sql
from local.engines.athena_catalog import GlueCatalog
from local.engines.athena_errors import SYSTEM, ByteLimitError, CancelledError, ForbiddenError, QueryError
from local.engines.athena_failures import told
from local.engines.athena_governance import Governor, Reader
from local.engines.athena_relations import Query, Scan
from local.engines.athena_store import Store
from local.engines.athena_watch import Watch
from local.engines.duckdb_instance import Credentials, Instance, bytes_read, count_bytes

BATCH = 5000
CLIENTS, METADATA = 16, 128
SMALL = 1_000_000
CANCELLED = "Query cancelled by user"
Outcome = dict[str, Any]


class Worker:
    """One DuckDB instance; `run(request)` never raises for what a query can be wrong about."""

    def __init__(self, url: str, region: str) -> None:
        self.url, self.region = url, region
        self.instance = Instance(url, region)
        self.client = functools.lru_cache(CLIENTS)(self._client)
        self._session = boto3.session.Session(region_name=region)  # one, so that API models are read once
        self.governor: Governor | None = None  # of the query at work
        self._metadata = functools.lru_cache(METADATA)(self._read_metadata)
        self._watches: dict[str, Watch] = {}

    def watch(self, identity: str, limit: int | None = None) -> Watch:
        """That of a request; a cancellation may come first."""
        return self._watches.setdefault(identity, Watch(limit))

    def run(self, request: dict[str, Any]) -> Outcome:
        self.governor = None
        outcome = self._outcome(request)
        return outcome if self.governor is None else {**outcome, "accessed": self.governor.accessed}

    def _outcome(self, request: dict[str, Any]) -> Outcome:
        watch = self.watch(request["id"], request["limit"])
        try:
            return self._run(request, watch)
        except CancelledError:
            return {"state": "CANCELLED", "reason": CANCELLED}
        except QueryError as error:
            return failed(str(error), error.category)
        except ByteLimitError as error:
            return {"state": "CANCELLED", "reason": str(error), "scanned": error.scanned}
        except ClientError as error:
            message = error.response["Error"].get("Message", "")
            if "Lake Formation permission" in message:
                return failed(str(ForbiddenError(message)))
            denied = error.response["Error"]["Code"] in ("AccessDenied", "AccessDeniedException", "403")
            return failed(f"{'PERMISSION_DENIED' if denied else 'GENERIC_USER_ERROR'}: {error}")
        except Exception as error:  # a fault of ours must reach the client as what it is
            return failed(f"GENERIC_INTERNAL_ERROR: {type(error).__name__}: {error}", SYSTEM)
        finally:
            del self._watches[request["id"]]

    def _run(self, request: dict[str, Any], watch: Watch) -> Outcome:
        began = time.perf_counter()
        credentials = Credentials(**request["credentials"])

        def opened(location: str, reader: Reader | None) -> Any:
            caller = request["credentials"] if reader is None else reader.credentials
            return athena_iceberg.static({**caller, "url": self.url, "region": self.region}, location)

        def read(location: str, reader: Reader | None) -> dict[str, Any]:
            return self._metadata(credentials, location) if reader is None else metadata_of(reader.s3, location)

        self.governor = self._governor(request.get("governed"))
        s3 = self.client("s3", credentials)
        catalog = GlueCatalog(self.client("glue", credentials), s3, opened, read, self.governor)
        store = Store(s3, request)
        self.instance.use(credentials)
        try:
            outcome = self._answer(request, catalog, store, watch)
        except duckdb.Error as error:
            raise told(error, catalog.of_iceberg) from error
        return {"state": "SUCCEEDED", "seconds": time.perf_counter() - began, **outcome}

    def _answer(self, request: dict[str, Any], catalog: GlueCatalog, store: Store, watch: Watch) -> Outcome:
        began = time.perf_counter()
        statement = athena_sql.read(request["sql"])
        if statement.plan is not None:
            return self._change(request, catalog, statement.plan, store, watch)
        if statement.tree is None:
            lines, columns = athena_listings.answer(statement, catalog, request["database"])
            return store.written(athena_session.Done(lines, columns), 0)
        translation = athena_sql.translate(statement.tree, catalog, request["database"], request["parameters"])
        catalog.remember(translation.scans, translation.query.sql)
        planned = time.perf_counter()
        outcome = self._select(catalog, translation, store, watch)
        return {**outcome, "planning": planned - began}

    def _select(self, catalog: GlueCatalog, translation: athena_sql.Translation, store: Store, watch: Watch) -> Outcome:
        query = translation.query
        with self.instance.root.cursor() as connection, tempfile.TemporaryFile() as file:
            with watch.over(connection):
                sql, uncounted = athena_scans.inline(connection, catalog, query.sql, translation.scans)
                watch.go_on(uncounted)
                count_bytes(connection)
                connection.execute(sql)
                check_types(connection.description, translation)
                columns = [athena_results.column_info(*each) for each in zip(query.names, query.types, strict=True)]
                file.write(athena_results.csv_line(query.names).encode())
                count = 0
                while rows := connection.fetchmany(BATCH):
                    count += len(rows)
                    lines = map(athena_results.csv_line, athena_results.printed(rows, query.types))
                    file.write("".join(lines).encode())
                scanned = uncounted + bytes_read(connection)
            watch.go_on(scanned)
            size = file.tell()
            file.seek(0)
            store.rows(file.read() if size <= SMALL else file, columns)  # before a file, boto3 waits to be asked for it
            return {"columns": columns, "rows": count, "scanned": scanned}

    def _change(
        self, request: dict[str, Any], catalog: GlueCatalog, plan: athena_session.Plan, store: Store, watch: Watch
    ) -> Outcome:
        """A statement that is no query: what it writes first, then its result."""

        def translate(tree: exp.Expr) -> tuple[Query, list[Scan]]:
            found = athena_sql.translate(tree, catalog, request["database"], request["parameters"], printed=False)
            return found.query, found.scans

        def check(found: Any, query: Query) -> None:
            check_types(found, athena_sql.Translation(query))

        told = {**request, "url": self.url, "region": self.region}
        with self.instance.root.cursor() as connection, watch.over(connection):
            session = athena_session.Session(catalog, connection, told, translate, check, watch)
            done = plan.run(session)
        return store.written(done, session.scanned)

    def _read_metadata(self, credentials: Credentials, location: str) -> dict[str, Any]:
        """Of an Iceberg table: such a file never changes."""
        return metadata_of(self.client("s3", credentials), location)

    def _governor(self, governed: dict[str, Any] | None) -> Governor | None:
        """Where Lake Formation has something to say of the caller."""
        if governed is None:
            return None
        own = Credentials(**governed["credentials"])

        def made(service: str, given: Mapping[str, Any]) -> Any:
            return self._client(service, Credentials(**given))

        return Governor(
            governed["principal"], governed["key"], governed["account"], lambda service: self.client(service, own), made
        )

    def _client(self, service: str, credentials: Credentials) -> Any:
        config = Config(retries={"total_max_attempts": 1}, s3={"addressing_style": "path"}, inject_host_prefix=False)
        return self._session.client(
            service,
            endpoint_url=self.url,
            config=config,
            aws_access_key_id=credentials.key,
            aws_secret_access_key=credentials.secret,
            aws_session_token=credentials.token,
        )


def metadata_of(s3: Any, location: str) -> dict[str, Any]:
    bucket, _, key = location.removeprefix("s3://").partition("/")
    metadata: dict[str, Any] = json.loads(s3.get_object(Bucket=bucket, Key=key)["Body"].read())
    return metadata


def check_types(description: Any, translation: athena_sql.Translation) -> None:
    """DuckDB must have come to the very types that we hold the result for; else we would print something else."""
    query = translation.query
    for found, name, type_ in zip(description, query.names, query.types, strict=True):
        held = str(found[1]).replace("TIMESTAMP WITH TIME ZONE", "TIMESTAMPTZ").replace('"', "")
        if held != type_.duckdb.replace('"', "") and type_.name != "unknown":
            text = f"The laptop has column '{name}' for {type_}, and its engine for {held}. Please report this query."
            raise QueryError("GENERIC_INTERNAL_ERROR", text, category=SYSTEM)


def failed(reason: str, category: int = 2) -> Outcome:
    return {"state": "FAILED", "reason": reason, "category": category}


def serve(worker: Worker, requests: queue.Queue[str], answers: TextIO) -> None:
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
    worker = Worker(*argv)

    def listen() -> None:
        for line in sys.stdin:
            if line.startswith('{"cancel"'):
                worker.watch(json.loads(line)["cancel"]).cancel()
            else:
                requests.put(line)
        os._exit(0)  # the starter is gone, or wants us to be, even in the middle of a query

    threading.Thread(target=listen, daemon=True).start()
    serve(worker, requests, answers)


if __name__ == "__main__":
    main(sys.argv[1:])
