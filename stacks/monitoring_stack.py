"""Who is told what: alerts of failed executions, late data, pipelines that never start, and the month's cost."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from aws_cdk import Duration, Stack, aws_events as events, aws_events_targets as targets
from constructs import Construct

from config import Environment
from datalake.access import Grant
from datalake.alarms import LakeAlarms
from datalake.alerts import AlertTopic
from datalake.budget import MonthlyBudget
from datalake.code import RuntimeCode
from datalake.dead_letters import dead_letters
from datalake.encryption import shared_key
from datalake.function import LakeFunction
from datalake.grants import LakeGrants
from lake.alerts import LATE_NAMESPACE

ENDED = ["FAILED", "TIMED_OUT", "ABORTED", "SUCCEEDED"]  # one that succeeded may have warned


class MonitoringStack(Stack):
    def __init__(
        self, scope: Construct, construct_id: str, *, environment: Environment, archive: Path, **kwargs: Any
    ) -> None:
        super().__init__(scope, construct_id, **kwargs)
        self._environment = environment
        self._key = shared_key(self, "Key", environment=environment)
        self._lake = LakeGrants(environment, key_arn=self._key.key_arn)
        self._publish = Grant(["sns:Publish"], [environment.topic_arn])
        self._code = RuntimeCode(self, "Code", archive=archive)
        self._not_told = dead_letters(self, "NotTold", queue_name=environment.resource("not-told"), key=self._key)
        alerts = AlertTopic(self, "Alerts", environment=environment, key=self._key)
        self._alert()
        self._freshness()
        alarms = LakeAlarms(self, "Alarms", environment=environment, topic=alerts.topic)
        alarms.late()
        alarms.function_errors(["start", "plan", "conclude", "alert", "freshness"])
        alarms.dead_letters(
            {"not-started": "A pipeline was due and did not start.", "not-told": "An alert could not be sent."}
        )
        MonthlyBudget(self, "Month", environment=environment).node.add_dependency(alerts)

    def _alert(self) -> None:
        ours = self._lake.arn("states", f"stateMachine:{self._environment.resource('')}")
        executions = self._lake.arn("states", f"execution:{self._environment.resource('')}*")
        why = "An alert is about any execution of any pipeline."
        function = self._function(
            "alert",
            "Says which dataset of which run failed, why, and what to do",
            [
                self._lake.write_ledger(),
                self._publish,
                Grant(["states:GetExecutionHistory"], [executions], why=why),
            ],
        )
        pattern = events.EventPattern(
            source=["aws.states"],
            detail_type=["Step Functions Execution Status Change"],
            detail={"status": ENDED, "stateMachineArn": [{"prefix": ours}]},
        )
        self._rule("Ended", "ended", function, event_pattern=pattern)

    def _freshness(self) -> None:
        grants = [self._lake.write_ledger(), self._publish, self._lake.put_metrics(LATE_NAMESPACE)]
        function = self._function("freshness", "How late each dataset is, against its contract", grants)
        self._rule("Hourly", "hourly", function, schedule=events.Schedule.rate(Duration.hours(1)))

    def _function(self, name: str, description: str, grants: Sequence[Grant]) -> LakeFunction:
        return LakeFunction(
            self,
            name.title(),
            name=name,
            description=description,
            environment=self._environment,
            code=self._code,
            key=self._key,
            grants=grants,
            dead_letters=self._not_told,
        )

    def _rule(self, construct_id: str, noun: str, function: LakeFunction, **when: Any) -> None:
        target = targets.LambdaFunction(function.function, dead_letter_queue=self._not_told, retry_attempts=10)
        events.Rule(self, construct_id, rule_name=self._environment.resource(noun), targets=[target], **when)
