"""The batch pipelines: their jobs and functions, and a state machine and a schedule for each."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from aws_cdk import Stack, aws_glue as glue
from constructs import Construct

from config import Environment
from datalake.access import Grant
from datalake.code import RuntimeCode
from datalake.crawl_machine import CrawlMachine
from datalake.dead_letters import dead_letters
from datalake.encryption import shared_key
from datalake.function import LakeFunction
from datalake.grants import LakeGrants
from datalake.job import LakeJobs
from datalake.job_grants import job_definitions
from datalake.logs import log_group
from datalake.pipeline import ERASURE_MACHINE, MAINTENANCE_MACHINE, Machine, PipelineMachine, PipelineSchedule
from lake.parts import GOVERNED
from lake.runs import MAINTENANCE


class PipelineStack(Stack):
    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        environment: Environment,
        schedules: Mapping[str, str],
        archive: Path,
        **kwargs: Any,
    ) -> None:
        super().__init__(scope, construct_id, **kwargs)
        self._environment = environment
        self._key = shared_key(self, "Key", environment=environment)
        self._lake = LakeGrants(environment, key_arn=self._key.key_arn)
        self._code = RuntimeCode(self, "Code", archive=archive)
        self._not_started = dead_letters(
            self, "NotStarted", queue_name=environment.resource("not-started"), key=self._key
        )
        self._jobs()
        look = [self._lake.write_ledger(), self._lake.read_tables(*GOVERNED)]
        self._function("plan", "What a run has to do", look)
        self._function("conclude", "Whether a run did all it had to do", [self._lake.write_ledger()])
        self._pipelines(schedules)

    def _jobs(self) -> None:
        jobs = LakeJobs(self, "Jobs", environment=self._environment, code=self._code, key=self._key)
        for each in job_definitions(self._lake, self._environment):
            jobs.add(each, connections=self._connections(self._environment.sources) if each.connects else ())

    def _connections(self, sources: Iterable[str]) -> list[glue.IConnection]:
        """A connection on a job puts the job into its network; where there is none, the job only reads it."""
        if self._environment.network is None:
            return []
        names = [(source, self._environment.resource(source)) for source in sources]
        return [glue.Connection.from_connection_name(self, f"Connection-{source}", name) for source, name in names]

    def _function(self, name: str, description: str, grants: Sequence[Grant], **options: Any) -> LakeFunction:
        return LakeFunction(
            self,
            name.title(),
            name=name,
            description=description,
            environment=self._environment,
            code=self._code,
            key=self._key,
            grants=grants,
            **options,
        )

    def _pipelines(self, schedules: Mapping[str, str]) -> None:
        """By the name of each pipeline: when it starts, or nothing where it is started by hand."""
        environment, lake = self._environment, self._lake
        maintenance = {MAINTENANCE: environment.maintenance_schedule}
        started = [*schedules, *maintenance]
        startable = [lake.arn("states", f"stateMachine:{environment.resource(name)}") for name in started]
        start = self._function(
            "start",
            "Starts a pipeline's run under the name that its scheduled time gives it",
            [Grant(["states:StartExecution"], startable)],
            dead_letters=self._not_started,
        )
        group = log_group(self, "Executions", name=environment.states_log_group, environment=environment, key=self._key)
        CrawlMachine(self, "Crawl", environment=environment, lake=lake, group=group, dead_letters=self._not_started)
        machines = {"Maintenance": MAINTENANCE_MACHINE, "Erasure": ERASURE_MACHINE}
        for construct_id, machine in {**machines, **{f"Pipeline-{name}": Machine(name) for name in schedules}}.items():
            PipelineMachine(self, construct_id, machine=machine, environment=environment, lake=lake, group=group)
        for name, expression in {**schedules, **maintenance}.items():
            if expression:
                PipelineSchedule(
                    self,
                    f"Schedule-{name}",
                    name=name,
                    expression=expression,
                    environment=environment,
                    lake=lake,
                    start=start.function,
                    dead_letters=self._not_started,
                )
