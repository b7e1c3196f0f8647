"""Alarms of a stream: each says what it means and what to do, and names its part of the runbook."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from aws_cdk import Duration, aws_cloudwatch as cloudwatch, aws_logs as logs, aws_sns as sns
from constructs import Construct

from config import Environment
from config.stream import noun
from datalake.alarms import LakeAlarms
from lake import streams

PERIOD = Duration.minutes(5)
RUNBOOK = "docs/runbook.md, Streams"
BEHIND_MINUTES = 15
SLOW_MINUTES = 30
BROKEN_PERCENT = 2  # clients make mistakes every day; more of them at once is a fault of somebody's


@dataclass(frozen=True)
class Watched:
    """A metric, above which value it is an alarm, and what that says."""

    what: str
    namespace: str
    metric: str
    says: str
    dimensions: Mapping[str, str]
    above: float = 0
    statistic: str = "Sum"
    periods: int = 1
    percent_of: str = ""  # another metric of the same dimensions, of which this one is taken as a part
    unless: Watched | None = None  # what makes this one nothing while it counts anything

    def over_time(self) -> cloudwatch.IMetric:
        metric = self._counted(self.metric)
        if self.unless:
            using = {"metric": metric, "other": self.unless._counted(self.unless.metric)}
            expression = "IF(FILL(other, 0) == 0, metric, 0)"
            return cloudwatch.MathExpression(expression=expression, using_metrics=using, period=PERIOD)
        if not self.percent_of:
            return metric
        using = {"part": metric, "whole": self._counted(self.percent_of)}
        return cloudwatch.MathExpression(expression="100 * part / whole", using_metrics=using, period=PERIOD)

    def _counted(self, name: str) -> cloudwatch.Metric:
        return cloudwatch.Metric(
            namespace=self.namespace,
            metric_name=name,
            dimensions_map=dict(self.dimensions),
            statistic=self.statistic,
            period=PERIOD,
        )


class WatchedAlarms(Construct):
    """An alarm for each, named `headwater-ENV-NAME-WHAT`, that tells the lake's topic."""

    def __init__(
        self, scope: Construct, construct_id: str, *, name: str, watched: Sequence[Watched], environment: Environment
    ) -> None:
        super().__init__(scope, construct_id)
        topic = sns.Topic.from_topic_arn(self, "Alerts", environment.topic_arn)
        alarms = LakeAlarms(self, "Alarms", environment=environment, topic=topic)
        for each in watched:
            description = f"{each.says} See {RUNBOOK}: {each.what}."
            alarms.alarm(f"{name}-{each.what}", each.over_time(), description, above=each.above, periods=each.periods)


def of_stream(dataset: str, mapping: str, environment: Environment) -> list[Watched]:
    """What is watched of a dataset's stream, its consumer and the mapping between them."""
    name = noun(dataset)
    stream = {"StreamName": environment.resource(name)}
    consumer = {"FunctionName": environment.resource(f"consume-{name}")}
    events, counted = {"Dataset": dataset}, {"EventSourceMappingUUID": mapping}
    return [
        Watched(
            "behind", "AWS/Lambda", "IteratorAge",
            f"Events of {dataset} wait longer than {BEHIND_MINUTES} minutes for their consumer. Find what holds it up.",
            consumer, BEHIND_MINUTES * 60_000, "Maximum", 2,
        ),
        Watched(
            "unread", "AWS/Kinesis", "IncomingRecords",
            f"Events of {dataset} come, and nobody reads them: no other alarm tells that. Look at the mapping's state.",
            stream, periods=3, unless=Watched("read", "AWS/Lambda", "PolledEventCount", "", counted),
        ),
        Watched(
            "slow", streams.NAMESPACE, streams.EVENT_TO_BRONZE,
            f"A tenth of the events of {dataset} reach bronze more than {SLOW_MINUTES} minutes after they happened. "
            "Ask whether clinics post late, or the stream is behind.",
            events, SLOW_MINUTES * 60, "p90", 3,
        ),
        Watched(
            "dead-letters", streams.NAMESPACE, streams.DEAD_LETTERS,
            f"More than {BROKEN_PERCENT} % of the events of {dataset} break its contract. Look at them with `headwater "
            f"dead-letter list {dataset}`.", events, BROKEN_PERCENT, periods=2, percent_of=streams.RECORDS,
        ),
        Watched(
            "not-written", streams.NAMESPACE, streams.FAILED_BATCHES,
            f"S3 did not take a batch of {dataset}; it is tried again until it is given up. Mend what S3 refuses.",
            events,
        ),
        Watched(
            "undelivered", "AWS/Lambda", "OnFailureDestinationDeliveredEventCount",
            f"The consumer of {dataset} could not take these records; bronze keeps them. Mend it and replay them.",
            counted,
        ),
        Watched(
            "lost", "AWS/Lambda", "DroppedEventCount",
            f"Records of {dataset} were given up and kept nowhere but in the stream. Read them from there in time.",
            counted,
        ),
        Watched(
            "not-kept", "AWS/Lambda", "DestinationDeliveryFailures",
            f"What the consumer of {dataset} could not take could not be kept either. Mend its role or the bucket.",
            consumer,
        ),
        Watched(
            "write-throttled", "AWS/Kinesis", "WriteProvisionedThroughputExceeded",
            f"The stream of {dataset} refuses records; clients send them again. Give it shards, or make it on demand.",
            stream,
        ),
        Watched(
            "consumer-throttled", "AWS/Lambda", "Throttles",
            f"The consumer of {dataset} may not start as often as its stream needs. Raise the concurrency.",
            consumer, periods=2,
        ),
        Watched(
            "consumer-errors", "AWS/Lambda", "Errors",
            f"The consumer of {dataset} failed; its batch is tried again. See its log /aws/lambda/"
            f"{consumer['FunctionName']}.", consumer,
        ),
    ]  # fmt: skip


def of_api(source: str, stage: str, environment: Environment) -> list[Watched]:
    """What is watched of the API through which a source's events come."""
    api = {"ApiName": environment.resource(source), "Stage": stage}
    return [
        Watched(
            "api-errors", "AWS/ApiGateway", "5XXError",
            f"The API {api['ApiName']} answers with its own errors; clients send again. Look at its access log.", api,
        ),
        Watched(
            "api-throttled", streams.NAMESPACE, throttled_metric(source),
            f"The API {api['ApiName']} answers 429. Raise requests_per_second, or ask who sends so much.",
            {}, periods=2,
        ),
    ]  # fmt: skip


def throttled_metric(source: str) -> str:
    return f"{source.title()}Throttled"


def count_throttled(scope: Construct, construct_id: str, *, source: str, access_log: logs.ILogGroup) -> None:
    """API Gateway counts all answers from 400 to 499 together; its access log tells which were 429."""
    logs.MetricFilter(
        scope,
        construct_id,
        log_group=access_log,
        filter_pattern=logs.FilterPattern.string_value("$.status", "=", "429"),
        metric_namespace=streams.NAMESPACE,
        metric_name=throttled_metric(source),
        metric_value="1",
    )
