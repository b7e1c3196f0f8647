"""Turn any error into a sentence with its cause and one with the remedy, free of passwords."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from glue_jobs.failures import DatasetError, SourceRefusedError, SourceTableMissingError, SourceUnreachableError
from lake.alerts import clean
from lake.ledger import LeaseLostError
from lake.model import Dataset

MISSING_TABLE = ("42P01", "42S02", "S0002")  # PostgreSQL, MySQL and H2, SQL Server
REFUSED = ("28P01", "28000", "08004")
UNREACHABLE = ("08000", "08001", "08003", "08006", "08S01", "57P01", "57P02", "57P03", "53300")
TRANSIENT_WORDS = (
    "CommitFailedException",
    "CommitStateUnknownException",
    "Connection reset",
    "Connect timed out",
    "Read timed out",
    "SlowDown",
    "ThrottlingException",
    "TooManyRequests",
    "Unable to execute HTTP request",
)
LONGEST = 300


def explain(error: BaseException, dataset: Dataset) -> DatasetError:
    """The error as a failure of this dataset; one that already is one stays as it is."""
    if isinstance(error, DatasetError):
        return error
    found = _of_source(error, dataset)
    if found is not None:
        return found
    failure = DatasetError(_sentence(error), "See this job run's log, and docs/runbook.md.")
    # a lease that is held was waited for already, as long as the job's time-out allows
    failure.transient = isinstance(error, LeaseLostError) or _transient(error)
    return failure


def _of_source(error: BaseException, dataset: Dataset) -> DatasetError | None:
    states = set(_sql_states(error))
    if states.intersection(MISSING_TABLE):
        return SourceTableMissingError(
            f'Table "{dataset.source_object}" does not exist in source "{dataset.source}".',
            "Bring the table back, or correct the contract's physicalName, then redrive the execution.",
        )
    if states.intersection(REFUSED):
        return SourceRefusedError(
            f'Source "{dataset.source}" refused the user name or password.',
            "Put the right ones into the secret that the source's Glue connection names, then redrive the execution.",
        )
    if states.intersection(UNREACHABLE):
        return SourceUnreachableError(
            f'Source "{dataset.source}" does not answer.',
            "Check the address of its Glue connection, its security groups, and that the database is up.",
        )
    return None


def _sql_states(error: BaseException) -> Iterator[str]:
    for each in _java_chain(error):
        if each.getClass().getName().endswith("SQLException") and each.getSQLState():
            yield str(each.getSQLState())


def _java_chain(error: BaseException) -> Iterator[Any]:
    """The Java exceptions behind an error of py4j or of Spark, outermost first."""
    each = getattr(error, "java_exception", None) or getattr(error, "_origin", None)
    while each is not None:
        yield each
        each = each.getCause()


def _transient(error: BaseException) -> bool:
    told = " ".join([f"{type(error).__name__} {error}", *(str(each.toString()) for each in _java_chain(error))])
    return any(word in told for word in TRANSIENT_WORDS)


def _sentence(error: BaseException) -> str:
    causes = [str(each.toString()) for each in _java_chain(error)]
    told = causes[-1] if causes else f"{type(error).__name__}: {error}"
    line = clean(next((line for line in told.splitlines() if line.strip()), type(error).__name__))
    return line if len(line) <= LONGEST else line[: LONGEST - 1] + "…"
