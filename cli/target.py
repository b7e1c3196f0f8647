"""Where a command goes: the laptop's lake for `--env local`, an AWS account for every other environment."""

from __future__ import annotations

import threading
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from cli.errors import CommandError

if TYPE_CHECKING:
    from cli.assumed import Assumed
    from config import Environment
    from lake.ledger import Ledger
    from lake.model import Lake

ROOT = Path(__file__).parents[1]
_MAKING = threading.Lock()  # boto3's default session makes one client at a time

EnvOption = Annotated[str, typer.Option("--env", help="Environment: a file of config/, `local` being this laptop.")]
JsonOption = Annotated[bool, typer.Option("--json", help="One JSON document on stdout, for scripts.")]


@dataclass(frozen=True)
class Target:
    """An environment, the way to its AWS APIs, and the folder whose contracts and pipelines are deployed there.

    `assumed` is the role that the calls are made as, where they are not the person's own.
    """

    environment: Environment
    endpoint_url: str | None
    root: Path = ROOT
    assumed: Assumed | None = None

    @property
    def own(self) -> Target:
        """As the person has it, whatever role is assumed: for what only finds out which statement is meant."""
        return self if self.assumed is None else self.assumed.own

    def client(self, service: str) -> Any:
        import boto3

        given: dict[str, Any] = {"region_name": self.environment.region}
        if self.endpoint_url is not None:
            from local.laptop import USER

            given |= {"endpoint_url": self.endpoint_url, **USER.client_arguments()}
        if self.assumed is not None:
            given |= self.assumed.client_arguments()
        with _MAKING:
            return boto3.client(service, **given)

    def ledger(self) -> Ledger:
        from lake.ledger import Ledger

        return Ledger(self.environment.resource("ledger"), self.client("dynamodb"))

    def lake(self) -> Lake:
        """The lake as its files say it here; what is deployed may be an earlier version."""
        import contracts
        import pipelines
        from contracts.compile import describe
        from lake.masking import with_masked
        from lake.model import Lake

        runs = pipelines.load_all(self.root)
        datasets = [asdict(each) for each in with_masked(contracts.load_all(self.root)).values()]
        environment = asdict(describe(self.environment, runs))
        plain = [asdict(each) for each in runs.values()]
        return Lake.from_dict({"environment": environment, "datasets": datasets, "pipelines": plain})

    def state_machine(self, pipeline: str) -> str:
        place = f"{self.environment.region}:{self.environment.account}"
        return f"arn:aws:states:{place}:stateMachine:{self.environment.resource(pipeline)}"

    def execution(self, run: str) -> str:
        from lake.runs import RunId

        pipeline = RunId.parse(run).pipeline
        return f"{self.state_machine(pipeline).replace(':stateMachine:', ':execution:')}:{run}"


def target(env: str) -> Target:
    """The environment `env`; for the laptop its endpoint must be up."""
    import config

    environment = config.load(env)
    if env != "local":
        return Target(environment, None)
    from local import laptop

    running = laptop.running()
    if running is None:
        raise CommandError("The lake is not up on this laptop. Start it with `./headwater up`, or name another --env.")
    return Target(config.load(env, running.source_ports), running.url)
