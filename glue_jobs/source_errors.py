"""What a source's database refused, by the SQL states and codes of each engine."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from glue_jobs.failures import DatasetError, SourceRefusedError, SourceTableMissingError, SourceUnreachableError
from glue_jobs.java_errors import SQL_ERROR, is_a
from lake.model import Dataset

REDRIVE = "then redrive the execution."


class SourcePermissionError(DatasetError):
    """The source lets the job in, but not at this table."""


class SourceDatabaseMissingError(DatasetError):
    """The source's server has no such database."""


def of_source(errors: list[Any], dataset: Dataset) -> DatasetError | None:
    """The failure that the first known one of these Java exceptions means for a dataset."""
    for each in errors:
        if is_a(each, SQL_ERROR):
            failure = _failure(str(each.getClass().getName()), str(each.getSQLState()), int(each.getErrorCode()))
            if failure is not None:
                return failure(dataset)
    return None


def _failure(kind: str, state: str, code: int) -> Callable[[Dataset], DatasetError] | None:
    engine = next((engine for package, engine in ENGINES.items() if kind.startswith(package)), "")
    for (of, value), failure in KNOWN.items():
        if (of == engine and value == code) or (of == "state" and value == state):
            return failure
    return _unreachable if state.startswith(LOST) else None


def _missing(dataset: Dataset) -> DatasetError:
    return SourceTableMissingError(
        f'Table "{dataset.source_object}" does not exist in source "{dataset.source}".',
        f"Bring the table back, or correct the contract's transformSourceObjects, {REDRIVE}",
    )


def _denied(dataset: Dataset) -> DatasetError:
    return SourcePermissionError(
        f'Source "{dataset.source}" does not let its user read table "{dataset.source_object}".',
        f"Grant SELECT on the table to the user that the source's secret names, {REDRIVE}",
    )


def _no_database(dataset: Dataset) -> DatasetError:
    return SourceDatabaseMissingError(
        f'Source "{dataset.source}" has no such database, or does not show it to its user.',
        f"Correct the database in the environment's sources, or grant the secret's user access to it, {REDRIVE}",
    )


def _refused(dataset: Dataset) -> DatasetError:
    return SourceRefusedError(
        f'Source "{dataset.source}" refused the user name or password.',
        f"Put the right ones into the secret that the source's Glue connection names, {REDRIVE}",
    )


def _unreachable(dataset: Dataset) -> DatasetError:
    return SourceUnreachableError(
        f'Source "{dataset.source}" does not answer.',
        "Check the address of its Glue connection, its security groups, and that the database is up.",
    )


LOST = ("08", "57P0", "53300")  # connection exceptions; PostgreSQL shutting down, or out of connections
# MySQL's driver throws Java's own classes for most errors.
ENGINES = {"com.mysql.": "mysql", "java.sql.": "mysql", "com.microsoft.": "sqlserver", "org.h2.": "h2"}
# By SQL state where engines agree on it, else by the engine's own code: SQL Server and MySQL have states for classes
# of errors only.
KNOWN: dict[tuple[str, str | int], Callable[[Dataset], DatasetError]] = {
    ("mysql", 1044): _no_database,
    ("mysql", 1045): _refused,
    ("mysql", 1049): _no_database,
    ("mysql", 1142): _denied,
    ("mysql", 1143): _denied,
    ("mysql", 1146): _missing,
    ("sqlserver", 208): _missing,
    ("sqlserver", 229): _denied,
    ("sqlserver", 230): _denied,
    ("sqlserver", 916): _no_database,
    ("sqlserver", 4060): _no_database,
    ("sqlserver", 18456): _refused,
    ("h2", 90096): _denied,
    ("h2", 90149): _no_database,
    ("h2", 90146): _no_database,
    ("h2", 90067): _unreachable,
    ("h2", 90121): _unreachable,
    ("state", "28000"): _refused,
    ("state", "28P01"): _refused,
    ("state", "3D000"): _no_database,
    ("state", "42501"): _denied,
    ("state", "42P01"): _missing,
    ("state", "42S02"): _missing,
}
