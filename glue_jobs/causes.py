"""Turn any error into a sentence with its cause and one with the remedy, free of passwords and of values of rows."""

from __future__ import annotations

import re
import traceback
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError
from py4j.protocol import Py4JError, Py4JJavaError

from glue_jobs.failures import DatasetError
from glue_jobs.java_errors import chain, told
from glue_jobs.source_errors import of_source
from lake.alerts import clean
from lake.ledger import LeaseHeldError, LeaseLostError
from lake.model import Dataset

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
OURS = ("glue_jobs.", "lake.")
LONGEST = 300
LOG = "See this job run's log, and docs/runbook.md."
FULL = "No space left on device"
UNREADABLE = re.compile(r"Encountered error while reading file (\S+?)\.? ")
REFUSED = "Trace:"  # py4j quotes a JVM that did not take the call; of one that is gone it has nothing to quote
AVRO = ("Not an Avro data file", "Invalid sync", "org.apache.avro.")


class DiskFullError(DatasetError):
    """The job's own disk is full."""


class SparkEndedError(DatasetError):
    """The JVM that the job works with is gone."""


class FileUnreadableError(DatasetError):
    """A file of a load is not what was written."""


def explain(error: BaseException, dataset: Dataset) -> DatasetError:
    """The error as a failure of this dataset; one that already is one stays as it is."""
    if isinstance(error, DatasetError):
        return error
    if isinstance(error, Py4JError) and not isinstance(error, Py4JJavaError) and REFUSED not in str(error):
        return SparkEndedError(
            f"Spark ended while {dataset.id} was worked on: it was killed, or had too little memory.",
            "Redrive the execution. If it comes again, give the jobs larger workers (sizes in the environment's file).",
        )
    errors = chain(error)
    known = of_source(errors, dataset) or _of_files(error, errors, dataset)
    if known is not None:
        return known
    failure = DatasetError(_sentence(error, errors), LOG)
    failure.transient = isinstance(error, LeaseHeldError | LeaseLostError) or _transient(error, errors)
    return failure


def _of_files(error: BaseException, errors: list[Any], dataset: Dataset) -> DatasetError | None:
    said = [*(str(each.toString()) for each in errors), str(error) if isinstance(error, OSError) else ""]
    if any(FULL in each for each in said):
        return DiskFullError(
            f"The disk of the job that works on {dataset.id} is full.",
            "Give the jobs more or larger workers (sizes in the environment's file), then redrive the execution.",
        )
    if any(words in each for each in said for words in AVRO):
        places = [found[1] for each in said if (found := UNREADABLE.search(f"{each} "))]
        name = places[0].rpartition("/")[2] if places else "of its load"
        return FileUnreadableError(
            f"The Avro file {name} of {dataset.id} in bronze cannot be read.",
            "Load the dataset again from its source: start its pipeline anew, or restore the file's earlier version.",
        )
    if dataset.is_stream and any(each.startswith("java.io.EOFException") for each in said):
        return FileUnreadableError(
            f"An object of the load of {dataset.id} in bronze is no whole gzip file any more.",
            "Start a new run, which names the object; restore its earlier version, then redrive the execution.",
        )
    return None


def _transient(error: BaseException, errors: list[Any]) -> bool:
    said = " ".join([f"{type(error).__name__} {error}", *(str(each.toString()) for each in errors)])
    return any(word in said for word in TRANSIENT_WORDS)


def _sentence(error: BaseException, errors: list[Any]) -> str:
    text = told(errors[-1]) if errors else _python(error)
    line = clean(next((line for line in text.splitlines() if line.strip()), type(error).__name__))
    return line if len(line) <= LONGEST else line[: LONGEST - 1] + "…"


def _python(error: BaseException) -> str:
    """What our own code and AWS say; of other errors the kind and place, since their words may quote a row."""
    name = type(error).__name__
    if isinstance(error, BotoCoreError | ClientError | OSError) or type(error).__module__.startswith(OURS):
        return f"{name}: {error}"
    places = traceback.extract_tb(error.__traceback__)
    return f"{name} at {places[-1].filename.rpartition('/')[2]}:{places[-1].lineno}" if places else name
