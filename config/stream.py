"""A stream: how the events of one dataset are taken in, kept and given to their consumer in one environment."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from config.positions import Document, Field, Problem

STAGE = "v1"  # of the APIs that take events
ON_DEMAND = "on_demand"
MOST_WITHOUT_WINDOW = 10  # records that Lambda gathers in a batch without waiting for more

Auth = Literal["iam", "api_key"]


@dataclass(frozen=True)
class Stream:
    """The stream of one dataset, in this environment."""

    shards: int | None  # None: as many as it takes
    retention_hours: int
    batch_size: int
    window_seconds: int
    parallelization: int  # batches of one shard that are worked at once
    max_record_age_hours: int  # after which a record that could not be worked is put aside
    retries: int
    auth: Auth
    requests_per_second: float
    burst: int


def streams(data: Mapping[str, Mapping[str, Any]]) -> dict[str, Stream]:
    """The section `streams` of an environment's file, known to fit its schema."""
    made = {}
    for dataset, values in data.items():
        given = dict(values)
        capacity = given.pop("capacity")
        made[dataset] = Stream(shards=None if capacity == ON_DEMAND else capacity["shards"], **given)
    return made


def problems(document: Document, found: Mapping[str, Stream]) -> Iterator[Problem]:
    """Rules between a stream's fields, and between streams."""
    of_source: dict[str, str] = {}
    for dataset, stream in found.items():
        place: Field = ("streams", dataset)
        source = dataset.partition(".")[0]
        if (first := of_source.setdefault(source, dataset)) != dataset:
            expected = f"expected no second stream of source {source}, whose API document fills in that of {first}"
            yield document.problem(place, dataset, expected, "Give it a source of its own.")
        if stream.max_record_age_hours >= stream.retention_hours:
            expected = f"expected less than retention_hours, {stream.retention_hours}: a record is put aside before"
            remedy = "Write less, or keep records longer."
            field: Field = (*place, "max_record_age_hours")
            yield document.problem(field, stream.max_record_age_hours, f"{expected} it is gone", remedy)
        if stream.batch_size > MOST_WITHOUT_WINDOW and not stream.window_seconds:
            expected = f"expected at least 1, since batch_size is more than {MOST_WITHOUT_WINDOW}"
            yield document.problem((*place, "window_seconds"), 0, expected, "Write 1 or more, or a smaller batch.")


def noun(dataset: str) -> str:
    """What its stream is called after the environment, `clinic-immunizations`; its consumer is `consume-` and that."""
    return dataset.replace(".", "-")
