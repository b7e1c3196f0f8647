"""Rows a second from the source to silver: ingest and refine, warm, beside DuckDB doing the same work bare.

Both read the same table of the same PostgreSQL, cast it, hold it to the contract's rules, keep the latest of each key
and write Parquet, on two cores. The jobs also keep bronze, hash rows, look for copies and conflicts, compare with what
the table holds, tell quarantine why, publish through a branch and account for every row.
"""

from __future__ import annotations

import time
from pathlib import Path
from statistics import median
from typing import Any

import duckdb

from benchmarks import rivals, sales
from benchmarks.folder_lake import CORES, SOURCE, Measured, dataset_of, folder, measured_lake
from lake.model import Dataset

ROWS, TRIES = 500_000, 3
READ = f"headwater_{SOURCE}"


class CountsDifferError(RuntimeError):
    """The two ways did not end with the same rows, so their times say nothing."""


def measure(rows: int = ROWS, tries: int = TRIES) -> dict[str, Any]:
    """Medians of runs that take turns; `ratio` is the jobs' rows a second to DuckDB's."""
    bare: list[float] = []
    taken: list[tuple[float, float]] = []
    with measured_lake(dataset_of(sales.DATASET)) as lake, folder() as place:
        lake.execute(sales.create(rows))
        for number in range(tries + 1):
            bare.append(_bare(lake, place / f"{number}.parquet"))
            taken.append(_jobs(lake, number))
            _require_same(lake, place / f"{number}.parquet")
    ingest, refine = (median(each[part] for each in taken[1:]) for part in (0, 1))
    whole, duck = median(sum(each) for each in taken[1:]), median(bare[1:])
    return {
        "rows": rows,
        "rows_per_second": rows / whole,
        "rows_per_second_duckdb": rows / duck,
        "ingest_seconds": ingest,
        "refine_seconds": refine,
        "duckdb_seconds": duck,
        "ratio": duck / whole,
        "tries": tries,
    }


def _jobs(lake: Measured, number: int) -> tuple[float, float]:
    """Ingest and refine into a table that is new each time; the first try warms the JVM."""
    lake.spark.sql(f"DROP TABLE IF EXISTS {lake.table} PURGE")
    lake.apply(job := lake.job(number))
    began = time.perf_counter()
    lake.ingest(job)
    between = time.perf_counter()
    lake.refine(job)
    return between - began, time.perf_counter() - between


def _bare(lake: Measured, target: Path) -> float:
    contract = lake.lake.dataset(lake.dataset)
    with duckdb.connect(config={"threads": CORES, "allow_unsigned_extensions": True}) as connection:
        connection.execute(f"LOAD '{rivals.postgres_scanner()}'")
        login = f"host=127.0.0.1 port={lake.server.port} dbname={SOURCE} user={READ} password=right"
        began = time.perf_counter()
        connection.execute(f"ATTACH '{login}' AS source (TYPE postgres, READ_ONLY)")
        connection.execute(f"COPY ({_query(contract)}) TO '{target}' (FORMAT parquet)")
        return time.perf_counter() - began


def _query(contract: Dataset) -> str:
    """Rows that keep the rules, each key once: the contract's expressions are the same in both SQL dialects here."""
    casts = ", ".join(f'TRY_CAST("{each.source}" AS {each.type}) AS "{each.name}"' for each in contract.columns)
    rules = [f'"{each.name}" IS NOT NULL' for each in contract.columns if each.required]
    rules += [f"coalesce({each.expression}, true)" for each in contract.rules]
    key = ", ".join(f'"{each}"' for each in contract.key)
    return f"""
        SELECT * FROM (SELECT {casts} FROM source.{contract.source_object}) WHERE {" AND ".join(rules)}
        QUALIFY row_number() OVER (PARTITION BY {key} ORDER BY sold_at DESC) = 1"""


def _require_same(lake: Measured, target: Path) -> None:
    ours = lake.spark.table(lake.table).count()
    (theirs,) = duckdb.execute(f"SELECT count(*) FROM '{target}'").fetchone() or (None,)
    if ours != theirs:
        raise CountsDifferError(f"The jobs ended with {ours} rows, DuckDB with {theirs}.")
