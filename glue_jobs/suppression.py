"""Keep out who is forgotten: a source, a replay or a late event may still tell of them."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Callable

from pyspark.sql import Column as Value, DataFrame, functions as F

from glue_jobs.aws import client
from glue_jobs.conform import quoted
from glue_jobs.work import Job
from lake.model import Dataset
from lake.subjects import ERASURE_KEY, WHOLE, carried


def kept(job: Job, dataset: Dataset, rows: DataFrame, names: dict[str, str] | None = None) -> DataFrame:
    """The rows of everybody else; `names` are what the rows call the lake's columns."""
    condition = theirs(job, dataset, names)
    return rows if condition is None else rows.where(~condition)


def theirs(job: Job, dataset: Dataset, names: dict[str, str] | None = None) -> Value | None:
    """Whether a row is of somebody who is forgotten; None where nobody is, so that most loads pay nothing."""
    lists = {column: (root, job.ledger.forgotten(root)) for column, root in carried(job.lake, dataset).items()}
    lists = {column: said for column, said in lists.items() if said[1] and (names is None or column in names)}
    if not lists:
        return None
    key, condition = secret(job), F.lit(False)
    kinds = {each.name: each.type for each in dataset.columns}
    for column, (root, digests) in lists.items():
        value = F.expr(as_id(quoted(column if names is None else names[column]), kinds[column]))
        condition = condition | F.udf(listed(key, root, digests), "boolean")(value)
    return condition


def as_id(value: str, kind: str) -> str:
    """Of a source's value (SQL), the id as lake.subjects.as_id writes it: 0042 and 42.0 are one whole number."""
    read = f"trim(CAST(try_cast({value} AS {kind}) AS string))"
    if kind not in WHOLE:
        return read
    text = f"CAST({value} AS string)"  # of a number with digits after its point a cast would only drop them
    exact = f"try_cast({text} AS decimal(38,18))"
    whole = f"CASE WHEN {exact} = floor({exact}) THEN CAST(CAST({exact} AS decimal(38,0)) AS string) END"
    return f"coalesce(CAST(try_cast({text} AS {kind}) AS string), {whole})"


def secret(job: Job) -> bytes:
    name = job.lake.environment.resources[ERASURE_KEY]
    return str(client("secretsmanager").get_secret_value(SecretId=name)["SecretString"]).encode()


def listed(key: bytes, root: str, digests: frozenset[str]) -> Callable[[str | None], bool]:
    """As lake.subjects.digest; it names nothing of ours, so that it reaches the workers by itself."""

    def found(value: str | None) -> bool:
        if value is None:
            return False
        return hmac.new(key, f"{root}\0{value}".encode(), hashlib.sha256).hexdigest() in digests

    return found
