"""The state machine that lets all crawlers crawl, and the schedule that starts it."""

from __future__ import annotations

import json

from aws_cdk import aws_logs as logs, aws_scheduler as scheduler, aws_sqs as sqs, aws_stepfunctions as sfn
from constructs import Construct

from config import Environment
from datalake import crawlers
from datalake.access import Grant, on_our_behalf, role
from datalake.code import ROOT
from datalake.definition import check
from datalake.grants import LakeGrants

DEFINITION = ROOT / "state_machines" / "crawl_sources.asl.json"
NAME = "crawl"


class CrawlMachine(Construct):
    """State machine `headwater-ENV-crawl`, started by the environment's `crawl.schedule`."""

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        environment: Environment,
        lake: LakeGrants,
        group: logs.ILogGroup,
        dead_letters: sqs.IQueue,
    ) -> None:
        super().__init__(scope, construct_id)
        name, crawled = environment.resource(NAME), crawlers.names(environment)
        substitutions = {"Crawlers": ",".join(crawled)}
        text = DEFINITION.read_text()
        check(name, json.loads(text), substitutions)
        looks = Grant(
            ["glue:StartCrawler", "glue:GetCrawler"], [lake.arn("glue", f"crawler/{each}") for each in crawled]
        )
        machine = sfn.StateMachine(
            self,
            "StateMachine",
            state_machine_name=name,
            definition_body=sfn.DefinitionBody.from_string(text),
            definition_substitutions=substitutions,
            logs=sfn.LogOptions(destination=group, level=sfn.LogLevel.ALL),
            tracing_enabled=True,
            role=role(
                self,
                "Role",
                name=f"{name}-pipeline",
                description=f"What state machine {name} may do",
                principal=on_our_behalf("states", environment),
                grants=[looks, *lake.log_executions()],
            ),
        )
        if environment.crawl_schedule:
            self._schedule(environment, lake, machine, dead_letters)

    def _schedule(
        self, environment: Environment, lake: LakeGrants, machine: sfn.StateMachine, dead_letters: sqs.IQueue
    ) -> None:
        """Straight to the state machine: a crawl has no run in the ledger, and one more does no harm."""
        name = environment.resource(NAME)
        starts = role(
            self,
            "ScheduleRole",
            name=f"{name}-schedule",
            description=f"What the schedule of {name} may do",
            principal=on_our_behalf("scheduler", environment),
            grants=[
                Grant(["states:StartExecution"], [machine.state_machine_arn]),
                Grant(["sqs:SendMessage"], [dead_letters.queue_arn]),
                lake.use_key(),
            ],
        )
        scheduler.CfnSchedule(
            self,
            "Schedule",
            name=name,
            description="Starts all crawlers",
            schedule_expression=environment.crawl_schedule,
            schedule_expression_timezone="UTC",
            flexible_time_window=scheduler.CfnSchedule.FlexibleTimeWindowProperty(mode="OFF"),
            target=scheduler.CfnSchedule.TargetProperty(
                arn=machine.state_machine_arn,
                role_arn=starts.role_arn,
                input="{}",
                dead_letter_config=scheduler.CfnSchedule.DeadLetterConfigProperty(arn=dead_letters.queue_arn),
                retry_policy=scheduler.CfnSchedule.RetryPolicyProperty(
                    maximum_event_age_in_seconds=3600, maximum_retry_attempts=10
                ),
            ),
        )
