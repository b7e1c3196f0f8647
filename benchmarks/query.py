"""Twenty gold queries through Athena's API on the laptop, beside bare DuckDB on the same files and a warm Spark.

All three read the same Iceberg tables at the same S3, take turns query by query and must come to the same rows. A query
through the API is what a client waits for: StartQueryExecution, GetQueryExecution until it has ended, and all pages of
GetQueryResults. DuckDB is one connection with its own settings, Spark one session; both have their tables open, which
the API looks up in the catalog anew each time. `ratio` is the API's median over DuckDB's. All are milliseconds.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Sequence
from datetime import date
from decimal import Decimal
from pathlib import Path
from statistics import median, quantiles
from typing import Any

import duckdb

from benchmarks.gold_lake import BUCKET, DATABASE, MODELS, Gold, gold_lake
from local import deploy
from local.engines.duckdb_instance import extension

QUERIES = Path(__file__).with_name("gold_queries.sql")
TURNS, TIMES = 3, 6
SHARE = 100  # percentiles
FINAL = ("SUCCEEDED", "FAILED", "CANCELLED")
Rows = list[tuple[Any, ...]]
Ask = Callable[[str], Rows]


class DifferentAnswersError(RuntimeError):
    """Two engines did not come to the same rows."""


def measure(turns: int = TURNS, times: int = TIMES) -> dict[str, Any]:
    """Medians and 99th percentiles of a query, in milliseconds, over all queries and turns."""
    queries = read()
    with gold_lake(times) as lake:
        engines = {"api": api(lake), "duckdb": bare(lake), "spark": spark(lake)}
        for sql in queries:
            same(sql, {name: ask(sql) for name, ask in engines.items()})
        taken: dict[str, list[list[float]]] = {name: [[] for _ in queries] for name in engines}
        for _ in range(turns):
            for number, sql in enumerate(queries):
                for name, ask in engines.items():
                    taken[name][number].append(1000 * seconds(ask, sql))
        rows = lake.rows
    figures: dict[str, Any] = {"queries": len(queries), "turns": turns}
    figures |= {f"rows_{name}": count for name, count in rows.items()}
    for name, each in taken.items():
        every = [milliseconds for one in each for milliseconds in one]
        figures |= {f"p50_{name}": median(every), f"p99_{name}": quantiles(every, n=SHARE)[-1]}
    figures["ratio"] = figures["p50_api"] / figures["p50_duckdb"]
    figures["ratio_to_spark"] = figures["p50_api"] / figures["p50_spark"]
    pairs = [(median(one), median(other)) for one, other in zip(taken["api"], taken["duckdb"], strict=True)]
    figures["ratio_of_the_worst_query"] = max(one / other for one, other in pairs)
    return figures


def read() -> list[str]:
    text = "\n".join(line for line in QUERIES.read_text().splitlines() if not line.startswith("--"))
    return [each.strip() for each in text.split(";") if each.strip()]


def api(lake: Gold) -> Ask:
    athena = lake.client("athena")
    place = {"ResultConfiguration": {"OutputLocation": f"s3://{BUCKET}/results/"}}

    def ask(sql: str) -> Rows:
        started = athena.start_query_execution(QueryString=sql, QueryExecutionContext={"Database": DATABASE}, **place)[
            "QueryExecutionId"
        ]
        while (status := _status(athena, started))["State"] not in FINAL:
            pass  # the answer is held until the query has ended
        if status["State"] != "SUCCEEDED":
            raise RuntimeError(f"{status['StateChangeReason']}: {sql}")
        pages = list(athena.get_paginator("get_query_results").paginate(QueryExecutionId=started))
        columns = pages[0]["ResultSet"]["ResultSetMetadata"]["ColumnInfo"]
        readers = [READERS.get(column["Type"], str) for column in columns]
        lines = [row["Data"] for page in pages for row in page["ResultSet"]["Rows"]][1:]
        return [
            tuple(
                None if not cell else reader(cell["VarCharValue"]) for cell, reader in zip(line, readers, strict=True)
            )
            for line in lines
        ]

    return ask


def _status(athena: Any, execution: str) -> dict[str, Any]:
    status: dict[str, Any] = athena.get_query_execution(QueryExecutionId=execution)["QueryExecution"]["Status"]
    return status


READERS: dict[str, Callable[[str], Any]] = {
    **dict.fromkeys(("tinyint", "smallint", "integer", "bigint"), int),
    "decimal": Decimal, "double": float, "date": date.fromisoformat,
}  # fmt: skip


def bare(lake: Gold) -> Ask:
    connection = duckdb.connect(config={"allow_unsigned_extensions": "true"})
    for name in ("httpfs", "avro", "iceberg"):
        connection.execute(f"LOAD '{extension(name)}'")
    keys = f"KEY_ID '{deploy.CREDENTIALS['aws_access_key_id']}', SECRET '{deploy.CREDENTIALS['aws_secret_access_key']}'"
    place = f"REGION '{deploy.REGION}', ENDPOINT '{lake.url.partition('://')[2]}', URL_STYLE 'path', USE_SSL false"
    connection.execute(f"CREATE SECRET (TYPE s3, {keys}, {place})")
    for model in MODELS:
        connection.execute(f"CREATE VIEW {model} AS SELECT * FROM iceberg_scan('{lake.metadata(model)}')")
    return lambda sql: connection.execute(sql).fetchall()


def spark(lake: Gold) -> Ask:
    lake.spark.sql(f"USE lake.{DATABASE}")
    return lambda sql: [tuple(row) for row in lake.spark.sql(sql).collect()]


def seconds(ask: Ask, sql: str) -> float:
    began = time.perf_counter()
    ask(sql)
    return time.perf_counter() - began


def same(sql: str, answers: dict[str, Rows]) -> None:
    (first, wanted), *others = answers.items()
    for name, found in others:
        if len(found) != len(wanted) or not all(map(equal, wanted, found)):
            different = next((pair for pair in zip(wanted, found, strict=False) if not equal(*pair)), None)
            raise DifferentAnswersError(f"{first} and {name} differ, first in {different}: {sql}")


def equal(left: Sequence[Any], right: Sequence[Any]) -> bool:
    return len(left) == len(right) and all(map(_alike, left, right))


def _alike(left: Any, right: Any) -> bool:
    if isinstance(left, float) or isinstance(right, float):
        return math.isclose(float(left), float(right), rel_tol=1e-12)
    return bool(left == right)
