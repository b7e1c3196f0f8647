"""A pipeline: one state machine of the one definition, its role, and the schedule that starts it."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from aws_cdk import (
    aws_lambda as lambda_,
    aws_logs as logs,
    aws_scheduler as scheduler,
    aws_sqs as sqs,
    aws_stepfunctions as sfn,
)
from constructs import Construct

from config import Environment
from datalake.access import Grant, on_our_behalf, role
from datalake.code import ROOT
from datalake.definition import check
from datalake.grants import LakeGrants
from lake.runs import ERASURE, MAINTENANCE

DEFINITION = ROOT / "state_machines" / "load_pipeline.asl.json"
JOBS = ("apply", "ingest", "refine", "mask", "model")
FUNCTIONS = ("plan", "conclude")


@dataclass(frozen=True)
class Machine:
    """A state machine's name, and what its definition names; of a pipeline, unless something else is said."""

    name: str
    definition: Path = DEFINITION
    functions: Sequence[str] = FUNCTIONS
    jobs: Sequence[str] = JOBS


# Their runs are in the ledger like those of pipelines of these names.
MAINTENANCE_MACHINE = Machine(
    MAINTENANCE, ROOT / "state_machines" / "maintain_tables.asl.json", ["conclude"], ["maintain"]
)
ERASURE_MACHINE = Machine(
    ERASURE, ROOT / "state_machines" / "forget_subject.asl.json", ["conclude"], ["forget", "mask", "model"]
)


class PipelineMachine(Construct):
    """State machine `headwater-ENV-NAME`, which logs every state and passes ids, never data."""

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        machine: Machine,
        environment: Environment,
        lake: LakeGrants,
        group: logs.ILogGroup,
    ) -> None:
        super().__init__(scope, construct_id)
        name = environment.resource(machine.name)
        functions = {each: lake.arn("lambda", f"function:{environment.resource(each)}") for each in machine.functions}
        jobs = {each: environment.resource(each) for each in machine.jobs}
        substitutions = {"Pipeline": machine.name}
        substitutions |= {f"{each.title()}Function": arn for each, arn in functions.items()}
        substitutions |= {f"{each.title()}Job": job for each, job in jobs.items()}
        text = machine.definition.read_text()
        check(name, json.loads(text), substitutions)
        sfn.StateMachine(
            self,
            "StateMachine",
            state_machine_name=name,
            # Inline, not a file asset: `cdk diff` then shows the states that change.
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
                grants=_machine_grants(lake, list(functions.values()), list(jobs.values())),
            ),
        )


class PipelineSchedule(Construct):
    """Starts a pipeline by its start function: the run's name holds the scheduled time, so a second start is none."""

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        name: str,
        expression: str,
        environment: Environment,
        lake: LakeGrants,
        start: lambda_.IFunction,
        dead_letters: sqs.IQueue,
    ) -> None:
        super().__init__(scope, construct_id)
        schedule_role = role(
            self,
            "Role",
            name=f"{environment.resource(name)}-schedule",
            description=f"What the schedule of {environment.resource(name)} may do",
            principal=on_our_behalf("scheduler", environment),
            grants=[
                Grant(["lambda:InvokeFunction"], [start.function_arn]),
                Grant(["sqs:SendMessage"], [dead_letters.queue_arn]),
                lake.use_key(),
            ],
        )
        scheduler.CfnSchedule(
            self,
            "Schedule",
            name=environment.resource(name),
            description=f"Starts pipeline {name}",
            schedule_expression=expression,
            schedule_expression_timezone="UTC",
            flexible_time_window=scheduler.CfnSchedule.FlexibleTimeWindowProperty(mode="OFF"),
            target=scheduler.CfnSchedule.TargetProperty(
                arn=start.function_arn,
                role_arn=schedule_role.role_arn,
                input=json.dumps({"pipeline": name, "scheduled": "<aws.scheduler.scheduled-time>"}),
                dead_letter_config=scheduler.CfnSchedule.DeadLetterConfigProperty(arn=dead_letters.queue_arn),
                retry_policy=scheduler.CfnSchedule.RetryPolicyProperty(
                    maximum_event_age_in_seconds=3600, maximum_retry_attempts=10
                ),
            ),
        )


def _machine_grants(lake: LakeGrants, functions: list[str], jobs: list[str]) -> list[Grant]:
    job_actions = ["glue:StartJobRun", "glue:GetJobRun", "glue:GetJobRuns", "glue:BatchStopJobRun"]
    return [
        Grant(["lambda:InvokeFunction"], functions),
        Grant(job_actions, [lake.arn("glue", f"job/{job}") for job in jobs]),
        *lake.log_executions(),
    ]
