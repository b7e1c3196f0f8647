"""Measure how late each pipeline and dataset is, and tell people once of a run that never started or is late."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cache
from typing import Any

import boto3

from lake.alerts import LATE, LATE_METRIC, LATE_NAMESPACE, NEVER_STARTED, Alert, Failure, publish
from lake.items import utc_now
from lake.ledger import Head, Ledger, Run
from lake.model import Dataset, Lake, Pipeline, load
from lake.runs import RunId
from lake.schedule import last_fire

client = cache(boto3.client)  # one for each service and warm container

START_MINUTES = 15  # a run not in the ledger this long after its schedule fired has not started
_METRICS = 1000  # that one PutMetricData takes


@dataclass(frozen=True)
class Due:
    """The run that a pipeline's schedule last asked for."""

    pipeline: Pipeline
    run: str
    fired: datetime

    @property
    def deadline(self) -> datetime:
        return self.fired + timedelta(minutes=self.pipeline.sla_minutes)


def due(pipeline: Pipeline, now: datetime, since: datetime) -> Due | None:
    """None where there is no schedule, or it has not fired since this schedule was first seen."""
    fired = last_fire(pipeline.schedule, now)
    if fired is None or fired < since:
        return None
    return Due(pipeline, str(RunId.due(pipeline.name, fired, pipeline.interval_hours)), fired)


def minutes_overdue(due: Due, run: Run | None, now: datetime) -> float:
    if run is not None and run.status == "succeeded":
        return 0.0
    return max(0.0, (now - due.deadline).total_seconds() / 60)


def trouble(due: Due, run: Run | None, now: datetime) -> tuple[str, Failure] | None:
    """What to tell of a run, if anything. One that failed is the alert function's to tell."""
    name = due.pipeline.name
    if run is None:
        if now < due.fired + timedelta(minutes=START_MINUTES):
            return None
        cause = f"The schedule fired at {due.fired:%Y-%m-%d %H:%M} UTC, and the ledger knows no such run."
        remedy = f"Look in the log of the start function, mend the cause, then `./headwater run {name}`."
        return NEVER_STARTED, Failure("", "start", cause, remedy)
    ended = run.finished_at or now
    if run.status == "failed" or ended <= due.deadline:
        return None
    late = int((ended - due.deadline).total_seconds() // 60)
    state = "It ended" if run.finished_at else "It still runs,"
    cause = f"{state} {late} minutes after {due.deadline:%Y-%m-%d %H:%M} UTC, its deadline."
    return LATE, Failure("", "time", cause, f"See which step takes long: `./headwater explain {due.run}`.")


def age_hours(head: Head, now: datetime) -> float:
    return (now - head.at).total_seconds() / 3600


def dataset_overdue(dataset: Dataset, head: Head, now: datetime) -> float:
    """Minutes by which the dataset is older than its contract allows."""
    if dataset.freshness_hours is None:
        return 0.0
    return max(0.0, (age_hours(head, now) - dataset.freshness_hours) * 60)


def metrics(
    environment: str,
    pipelines: Mapping[str, float],
    datasets: Iterable[Dataset],
    heads: Mapping[str, Head],
    now: datetime,
) -> Iterator[dict[str, Any]]:
    """A figure for each pipeline and dataset, and for the environment the worst and the number of stale ones."""
    stale = {each.id: dataset_overdue(each, heads[each.id], now) for each in datasets if each.id in heads}
    yield _metric(LATE_METRIC, max([0.0, *pipelines.values(), *stale.values()]), Environment=environment)
    yield _metric("StaleDatasets", float(sum(value > 0 for value in stale.values())), Environment=environment)
    for name, minutes in pipelines.items():
        yield _metric(LATE_METRIC, minutes, Environment=environment, Pipeline=name)
    for dataset in stale:
        yield _metric("FreshnessHours", age_hours(heads[dataset], now), Environment=environment, Dataset=dataset)


def handle(event: dict[str, Any], context: object) -> dict[str, int]:
    """An hourly event in; how many pipelines were looked at and how many alerts were sent out."""
    lake, now = load(), utc_now()
    ledger = Ledger(lake.environment.ledger, client("dynamodb"))
    scheduled = [pipeline for pipeline in lake.pipelines() if pipeline.schedule]
    overdue, alerts = {pipeline.name: 0.0 for pipeline in scheduled}, 0
    for pipeline in scheduled:
        asked = due(pipeline, now, ledger.first_seen(pipeline.name, pipeline.schedule))
        if asked:
            run = ledger.run(asked.run)
            overdue[pipeline.name] = minutes_overdue(asked, run, now)
            alerts += _tell(lake, ledger, asked, trouble(asked, run, now))
    ids = dict.fromkeys(each for pipeline in scheduled for each in (*pipeline.datasets, *pipeline.models))
    datasets = [lake.dataset(each) for each in ids]
    _put(list(metrics(lake.environment.name, overdue, datasets, ledger.heads(ids), now)))
    return {"pipelines": len(scheduled), "alerts": alerts}


def _tell(lake: Lake, ledger: Ledger, due: Due, found: tuple[str, Failure] | None) -> int:
    if found is None:
        return 0
    page, failure = found
    status = "NEVER STARTED" if page == NEVER_STARTED else "LATE"
    runbook = f"{lake.environment.runbook}#{page}"
    with ledger.once(due.run, page) as mine:
        if mine:
            publish(
                Alert(due.pipeline.name, due.run, status, (failure,), runbook, lake.environment.name),
                lake.environment.topic_arn,
                client("sns"),
            )
    return int(mine)


def _put(found: Sequence[dict[str, Any]]) -> None:
    for start in range(0, len(found), _METRICS):
        client("cloudwatch").put_metric_data(Namespace=LATE_NAMESPACE, MetricData=found[start : start + _METRICS])


def _metric(name: str, value: float, **dimensions: str) -> dict[str, Any]:
    named = [{"Name": key, "Value": each} for key, each in dimensions.items()]
    return {"MetricName": name, "Value": value, "Dimensions": named}
