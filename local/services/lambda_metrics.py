"""CloudWatch's embedded metric format: a line of a function's log that says metrics puts them."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from itertools import product
from typing import Any

from moto.cloudwatch.models import cloudwatch_backends

LOG = logging.getLogger(__name__)
MARK = '"_aws"'


def put_metrics(account: str, region: str, lines: Iterable[str]) -> None:
    """Put what these lines of a log say; what is no metric is a line like any other."""
    for line in lines:
        if MARK not in line:
            continue
        try:
            for namespace, data in metrics_of(json.loads(line)):
                cloudwatch_backends[account][region].put_metric_data(namespace, data)
        except (ValueError, TypeError, KeyError, AttributeError) as error:
            LOG.warning("A line of a log says metrics in a way that CloudWatch passes over: %r", error)


def metrics_of(said: dict[str, Any]) -> Iterator[tuple[str, list[dict[str, Any]]]]:
    """For each directive its namespace and data: every metric once for each of its sets of dimensions."""
    moment = datetime.fromtimestamp(said["_aws"]["Timestamp"] / 1000, UTC).replace(tzinfo=None)
    for directive in said["_aws"]["CloudWatchMetrics"]:
        data = []
        for names, metric in product(directive.get("Dimensions") or [[]], directive["Metrics"]):
            values = said[metric["Name"]]
            data.append(
                {
                    "MetricName": metric["Name"],
                    "Values": [float(each) for each in (values if isinstance(values, list) else [values])],
                    "Unit": metric.get("Unit", "None"),
                    "Timestamp": moment,
                    "Dimensions": [{"Name": name, "Value": str(said[name])} for name in names],
                }
            )
        yield directive["Namespace"], data
