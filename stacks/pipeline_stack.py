"""The batch pipelines: their jobs and functions, and a state machine and a schedule for each."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
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
from datalake.grants import LakeGrants, network_interfaces
from datalake.job import LakeJobs
from datalake.logs import log_group
from datalake.pipeline import ERASURE_MACHINE, MAINTENANCE_MACHINE, Machine, PipelineMachine, PipelineSchedule
from lake.masking import MASKING_KEY
from lake.parts import GOVERNED
from lake.runs import MAINTENANCE
from lake.subjects import ERASURE_KEY


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
        lake, sources = self._lake, list(self._environment.sources)
        jobs = LakeJobs(self, "Jobs", environment=self._environment, code=self._code, key=self._key)
        jobs.add(
            "apply",
            description="Makes tables from contracts, and lets them grow",
            grants=[
                lake.make_tables(*GOVERNED),
                lake.remove_views("silver", "gold"),
                *lake.write_objects("silver", "gold"),
                lake.register_rulesets(),
                *lake.govern_tables(),
            ],
        )
        jobs.add(
            "ingest",
            description="Brings datasets from their sources to bronze as they are",
            grants=[
                *lake.connect(*sources),
                lake.register_loads("bronze"),
                *lake.write_objects("bronze"),
                lake.read_secret(ERASURE_KEY),
                *self._reach(),
            ],
            connections=self._connections(sources),
        )
        jobs.add(
            "refine",
            description="Conforms bronze to its contracts and publishes it to silver",
            grants=[
                *lake.read_objects("bronze"),
                lake.commit_tables("silver"),
                *lake.write_objects("silver"),
                lake.read_secret(ERASURE_KEY),
            ],
        )
        jobs.add(
            "mask",
            description="Shows silver to others as its contracts say, in tables beside it",
            grants=[lake.commit_tables("silver"), *lake.write_objects("silver"), lake.read_secret(MASKING_KEY)],
            time_of="refine",
        )
        jobs.add(
            "maintain",
            description="Compacts tables, expires their snapshots and removes files that none of them names",
            grants=[lake.commit_tables("silver", "gold"), *lake.write_objects("silver", "gold")],
        )
        jobs.add(
            "forget",
            description="Takes a person's rows out of every table and file",
            grants=[
                lake.commit_tables("silver", "gold"),
                *lake.erase_objects(*GOVERNED),
                lake.write_certificates(),
                lake.read_secret(ERASURE_KEY),
            ],
            time_of="refine",
        )
        jobs.add(
            "model",
            description="Builds gold from silver and publishes all of a pipeline or none",
            grants=[
                lake.read_tables("silver"),
                *lake.read_objects("silver"),
                lake.commit_tables("gold"),
                *lake.write_objects("gold"),
            ],
        )

    def _connections(self, sources: Sequence[str]) -> list[glue.IConnection]:
        """A connection on a job puts the job into its network; where there is none, the job only reads it."""
        if self._environment.network is None:
            return []
        names = [(source, self._environment.resource(source)) for source in sources]
        return [glue.Connection.from_connection_name(self, f"Connection-{source}", name) for source, name in names]

    def _reach(self) -> list[Grant]:
        return network_interfaces(self._environment) if self._environment.network else []

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
