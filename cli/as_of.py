"""`query --as-of`: the query's Iceberg tables as readers saw them at a time, in a snapshot, or after a run."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import sqlglot
from sqlglot import exp
from sqlglot.optimizer.scope import traverse_scope

from cli.errors import CommandError
from cli.target import Target
from lake.runs import RunId, RunIdError

EXAMPLES = '"2026-11-20 03:00" (UTC), a snapshot\'s number, or a run id such as tickit-20261121T0000-01'

Clause = Callable[[str, str], str]
"""Of a table's database and name, the words that ask for it as it was."""


def as_of(lake: Target, sql: str, moment: str) -> str:
    """The same SQL with each of its tables as of then; nothing else of its text is touched."""
    clause, tables = _clause(lake, moment), list(_tables(sql))
    if moment.isdigit() and len({(each.db, each.name) for each in tables}) > 1:
        raise CommandError(
            f"The snapshot '{moment}': expected a query of one table, since a snapshot is one table's. Name a time"
            " or a run instead."
        )
    for node in sorted(tables, key=lambda each: -int(each.this.meta["end"])):
        database = (node.db or lake.environment.database("gold")).lower()
        _require_iceberg(lake, database, node.name.lower())
        end = int(node.this.meta["end"]) + 1
        sql = f"{sql[:end]} {clause(database, node.name.lower())}{sql[end:]}"
    return sql


def _tables(sql: str) -> Iterator[exp.Table]:
    try:
        tree = sqlglot.parse_one(sql, read="athena")
    except sqlglot.errors.SqlglotError as error:
        raise CommandError(f"The query could not be read: {str(error).splitlines()[0]}") from error
    if not isinstance(tree, exp.Query):
        raise CommandError(f"The query '{sql[:40]}': expected a SELECT with --as-of. Leave --as-of out.")
    for node, named in ((node, scope.cte_sources) for scope in traverse_scope(tree) for node in scope.tables):
        if not node.db and node.name.lower() in map(str.lower, named):
            continue
        if not isinstance(node.this, exp.Identifier):
            raise CommandError(f"The source '{node.sql('athena')}': expected tables with --as-of. Leave --as-of out.")
        if node.args.get("version"):
            raise CommandError(f"The table '{node.name}' says itself as of when it is read. Leave --as-of out.")
        yield node


def _clause(lake: Target, moment: str) -> Clause:
    if moment.isdigit():
        return lambda database, table: f"FOR VERSION AS OF {moment}"
    try:
        RunId.parse(moment)
    except RunIdError:
        at = _time(moment)
        return lambda database, table: _at(at)
    return _of_run(lake, moment)


def _of_run(lake: Target, run: str) -> Clause:
    """Tables that the run published as it did, all others as they were when it ended."""
    import contracts

    ledger = lake.ledger()
    found = ledger.run(run)
    if found is None or found.finished_at is None:
        state = "it still runs" if found else f"it is not in the ledger of '{lake.environment.name}'"
        raise CommandError(
            f"The run '{run}': expected one that has ended, yet {state}. `./headwater runs --env"
            f" {lake.environment.name}` lists runs."
        )
    ended = found.finished_at + timedelta(milliseconds=1)
    published = {
        each.dataset: each.snapshot_to
        for each in ledger.outcomes(run)
        if each.step in ("refine", "model") and each.status == "succeeded" and each.snapshot_to is not None
    }
    places = {(lake.environment.database(each.layer), each.table): name for name, each in contracts.load_all().items()}

    def clause(database: str, table: str) -> str:
        snapshot = published.get(places.get((database, table), ""))
        return _at(ended) if snapshot is None else f"FOR VERSION AS OF {snapshot}"

    return clause


def _time(text: str) -> datetime:
    try:
        at = datetime.fromisoformat(text)
    except ValueError as error:
        raise CommandError(f"The time '{text}' of --as-of: expected {EXAMPLES}.") from error
    return at if at.tzinfo else at.replace(tzinfo=UTC)


def _at(at: datetime) -> str:
    return f"FOR TIMESTAMP AS OF TIMESTAMP '{at.astimezone(UTC):%Y-%m-%d %H:%M:%S}.{at.microsecond // 1000:03} UTC'"


def _require_iceberg(lake: Target, database: str, name: str) -> None:
    glue = lake.client("glue")
    try:
        found: dict[str, Any] = glue.get_table(DatabaseName=database, Name=name)["Table"]
    except glue.exceptions.EntityNotFoundException as error:
        raise CommandError(f"The table '{database}.{name}' is not there. `SHOW TABLES` lists tables.") from error
    if str(found.get("Parameters", {}).get("table_type", "")).upper() != "ICEBERG":
        raise CommandError(
            f"The table '{database}.{name}': expected an Iceberg table with --as-of, since others keep no past."
            " Query it without."
        )
