"""CloudWatch: moto lacks PutCompositeAlarm, though its alarms can hold a composite's rule."""

from __future__ import annotations

from typing import TYPE_CHECKING

from moto.cloudwatch.responses import CloudWatchResponse

from local.services.seams import add

if TYPE_CHECKING:
    from local.endpoint import Endpoint

FIDELITY = (
    ("CloudWatch", "metrics: put, list, statistics", "moto", "real"),
    (
        "CloudWatch",
        "alarms, composite alarms, dashboards: kept, without effect",
        "moto",
        "simulated",
    ),
    ("CloudWatch", "metric streams, anomaly detectors, Contributor Insights", "", "refused"),
)


def install(endpoint: Endpoint) -> None:
    # The action reads AlarmRule too, so it makes a composite alarm as well as a metric's.
    add("moto.cloudwatch.responses:CloudWatchResponse.put_composite_alarm", CloudWatchResponse.put_metric_alarm)
