"""The streams: where events come in and are kept, who takes them to bronze, and who is told when that fails."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from aws_cdk import Stack
from constructs import Construct

from config import Environment
from config.stream import STAGE, noun
from datalake.api import EventApi
from datalake.code import RuntimeCode
from datalake.deletion import removal_policy
from datalake.encryption import shared_key
from datalake.layer import PackagesLayer
from datalake.stream import EventStream
from datalake.stream_alarms import WatchedAlarms, count_throttled, of_api, of_stream


class StreamStack(Stack):
    def __init__(
        self, scope: Construct, construct_id: str, *, environment: Environment, archive: Path, **kwargs: Any
    ) -> None:
        super().__init__(scope, construct_id, **kwargs)
        key = shared_key(self, "Key", environment=environment)
        code = RuntimeCode(self, "Code", archive=archive)
        packages = PackagesLayer(self, "Packages", environment=environment)
        policy = removal_policy(self, keep_data=environment.keep_data)
        self.streams = {
            dataset: EventStream(
                self,
                f"Stream-{dataset.replace('.', '-')}",
                dataset=dataset,
                environment=environment,
                code=code,
                key=key,
                layers=[packages.layer],
                removal_policy=policy,
            )
            for dataset in environment.streams
        }
        self.apis = {
            dataset: EventApi(
                self,
                f"Api-{dataset.partition('.')[0]}",
                environment=environment,
                source=dataset.partition(".")[0],
                settings=settings,
                stream_name=environment.resource(noun(dataset)),
                key=key,
            )
            for dataset, settings in environment.streams.items()
        }
        self._alarms(environment)

    def _alarms(self, environment: Environment) -> None:
        for dataset, made in self.streams.items():
            name = noun(dataset)
            of_theirs = of_stream(dataset, made.mapping.attr_id, environment)
            WatchedAlarms(self, f"Alarms-{name}", name=name, watched=of_theirs, environment=environment)
        for dataset, api in self.apis.items():
            source = dataset.partition(".")[0]
            count_throttled(self, f"Throttled-{source}", source=source, access_log=api.access_log)
            of_its = of_api(source, STAGE, environment)
            WatchedAlarms(self, f"Alarms-{source}", name=source, watched=of_its, environment=environment)
