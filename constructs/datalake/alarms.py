"""Alarms for what no execution can report: a pipeline that never started, a function that failed, data that is late."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from aws_cdk import Duration, aws_cloudwatch as cloudwatch, aws_cloudwatch_actions as actions, aws_sns as sns
from constructs import Construct

from config import Environment
from lake.alerts import LATE_METRIC, LATE_NAMESPACE


class LakeAlarms(Construct):
    """Alarms that publish to the topic, named `headwater-ENV-WHAT`."""

    def __init__(self, scope: Construct, construct_id: str, *, environment: Environment, topic: sns.ITopic) -> None:
        super().__init__(scope, construct_id)
        self._environment = environment
        self._action = actions.SnsAction(topic)

    def late(self) -> None:
        """Some dataset is older than its contract says, or nobody has looked for two hours."""
        metric = cloudwatch.Metric(
            namespace=LATE_NAMESPACE,
            metric_name=LATE_METRIC,
            dimensions_map={"Environment": self._environment.name},
            statistic="Maximum",
            period=Duration.hours(1),
        )
        description = (
            "A dataset is older than its contract promises, or freshness is not measured. See docs/runbook.md."
        )
        self.alarm("late", metric, description, periods=2, missing=cloudwatch.TreatMissingData.BREACHING)

    def function_errors(self, names: Sequence[str]) -> None:
        for name in names:
            function = self._environment.resource(name)
            metric = _sum("AWS/Lambda", "Errors", {"FunctionName": function})
            self.alarm(f"{name}-errors", metric, f"Function {function} failed. See its log /aws/lambda/{function}.")

    def dead_letters(self, queues: Mapping[str, str]) -> None:
        """By the queue's noun: what it means that something lies there."""
        for noun, meaning in queues.items():
            queue = self._environment.resource(noun)
            metric = _sum("AWS/SQS", "ApproximateNumberOfMessagesVisible", {"QueueName": queue}, statistic="Maximum")
            self.alarm(noun, metric, f"{meaning} The event lies in queue {queue}.")

    def alarm(
        self,
        noun: str,
        metric: cloudwatch.IMetric,
        description: str,
        *,
        above: float = 0,
        periods: int = 1,
        missing: cloudwatch.TreatMissingData = cloudwatch.TreatMissingData.NOT_BREACHING,
    ) -> None:
        """Tell the topic when the metric is above that, so many periods in a row."""
        alarm = cloudwatch.Alarm(
            self,
            "".join(word.title() for word in noun.split("-")),
            alarm_name=self._environment.resource(noun),
            alarm_description=description,
            metric=metric,
            threshold=above,
            comparison_operator=cloudwatch.ComparisonOperator.GREATER_THAN_THRESHOLD,
            evaluation_periods=periods,
            treat_missing_data=missing,
        )
        alarm.add_alarm_action(self._action)


def _sum(namespace: str, name: str, dimensions: Mapping[str, str], *, statistic: str = "Sum") -> cloudwatch.Metric:
    return cloudwatch.Metric(
        namespace=namespace,
        metric_name=name,
        dimensions_map=dict(dimensions),
        statistic=statistic,
        period=Duration.minutes(5),
    )
