"""`run`, `rerun`, `redrive`, `logs`: start a pipeline, start it again, go on with it, and read what its jobs wrote."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated, Any

import typer

from cli.errors import CommandError
from cli.target import EnvOption, JsonOption, Target

if TYPE_CHECKING:
    from cli.execution import Ended
    from lake.ledger import Outcome

RunArgument = Annotated[
    str, typer.Argument(help="A run id, such as tickit-20261121T0000-01; `headwater runs` lists them.")
]
COUNTS = ("read", "inserted", "updated", "unchanged", "superseded", "quarantined", "deleted")


def run(
    pipeline: Annotated[str, typer.Argument(help="A file of pipelines/, without its ending.")],
    env: EnvOption = "local",
    json: JsonOption = False,
) -> None:
    """Run a pipeline through Step Functions and wait for its end; exits 1 when a dataset failed."""
    from cli.target import target

    lake = target(env)
    conclude(lake, follow(lake, pipeline), json)


def rerun(
    name: RunArgument,
    step: Annotated[
        str, typer.Option("--from", help="ingest reads the sources, refine takes the run's loads, model builds gold.")
    ] = "ingest",
    env: EnvOption = "local",
    json: JsonOption = False,
) -> None:
    """Do again what a run did, in a new execution over the same interval; its outcome is as `run` tells it."""
    from cli.target import target
    from lake.runs import RunId

    lake, of = target(env), RunId.parse(name)
    known(lake, name)
    conclude(lake, follow(lake, of.pipeline, logical=of.logical, mode="rerun", repeats=name, first_step=step), json)


def redrive(name: RunArgument, env: EnvOption = "local", json: JsonOption = False) -> None:
    """Go on with a run that failed or was stopped, from the state that failed: it works only what is not done."""
    from cli import forget
    from cli.console import progress
    from cli.target import target
    from lake.runs import ERASURE, RunId

    lake = target(env)
    states = lake.client("stepfunctions")
    try:
        states.redrive_execution(executionArn=lake.execution(name))
    except states.exceptions.ExecutionDoesNotExist as error:
        raise CommandError(
            f"The run '{name}': expected an execution in '{env}'. `headwater runs --env {env}` lists runs."
        ) from error
    except states.exceptions.ExecutionNotRedrivable as error:
        reason = error.response["Error"]["Message"]
        raise CommandError(
            f"The run '{name}': expected one that failed in the last 14 days. {reason}."
            f" Do it again: `./headwater rerun {name} --env {env}`."
        ) from error
    progress.print(f"  {name}", style="bold")
    ended = wait(lake, name)
    (forget.conclude if RunId.parse(name).pipeline == ERASURE else conclude)(lake, ended, json)


def known(lake: Target, name: str) -> None:
    """Refuses a run that the ledger does not have."""
    if lake.ledger().run(name) is None:
        env = lake.environment.name
        raise CommandError(
            f"The run '{name}' is not in the ledger of '{env}'. `headwater runs --env {env}` lists runs."
        )


def follow(lake: Target, pipeline: str, **asked: Any) -> Ended:
    """Start a run and wait, telling each state as it goes by."""
    from cli import execution
    from cli.console import progress

    name = execution.start(lake, pipeline, **asked)
    progress.print(f"  {name}", style="bold")
    return wait(lake, name)


def wait(lake: Target, name: str) -> Ended:
    from cli import execution
    from cli.console import progress

    with progress.status("working"):
        ended = execution.follow(lake, name, lambda state, seconds: progress.print(f"  {state:<44}{seconds:6.1f} s"))
    progress.print(
        f"  {ended.status:<44}{ended.seconds:6.1f} s", style="green" if ended.status == "SUCCEEDED" else "red"
    )
    return ended


def conclude(lake: Target, ended: Ended, json: bool) -> None:
    """What the run did; an error where it did not succeed."""
    from cli.console import print_json

    outcomes = lake.ledger().outcomes(ended.run)
    if json:
        print_json({**asdict(ended), "outcomes": [asdict(outcome) for outcome in outcomes]})
    else:
        show_outcomes(ended.run, outcomes)
    if ended.status != "SUCCEEDED":
        raise CommandError(f"The run '{ended.run}' {ended.status}: {ended.cause or ended.error}")


def logs(name: RunArgument, env: EnvOption = "local") -> None:
    """What the job runs of a run wrote, oldest first."""
    from cli.console import console
    from cli.target import target

    lake = target(env)
    job_runs = _job_runs(lake, name)
    if not job_runs:
        raise CommandError(f"The run '{name}' started no job in '{env}'. `headwater explain {name}` says what it did.")
    client = lake.client("logs")
    for job_run in job_runs:
        console.print(f"{job_run['JobName']} {job_run['Id']} {job_run['JobRunState']}", style="bold")
        for group in ("output", "error"):
            for event in _events(client, f"{lake.environment.job_log_groups}/{group}", job_run["Id"]):
                console.print(event["message"].rstrip("\n"), markup=False, soft_wrap=True)


def show_outcomes(name: str, outcomes: Sequence[Outcome]) -> None:
    """Counts by dataset, then every refusal with its cause and what to do."""
    from cli.console import console, table
    from lake.gates import told

    latest = {(each.dataset, each.step): each for each in outcomes}.values()
    worked = [each for each in latest if each.step in ("refine", "model")]
    if worked:
        rows = [(each.dataset, *(getattr(each, count) for count in COUNTS), each.status) for each in worked]
        table(f"\n{name}", ("dataset", *COUNTS, "status"), rows)
    elif not any(each.status == "failed" for each in latest):
        console.print(f"\n{name}: no dataset was loaded, and no gold table built.", markup=False)
        for each in latest:
            console.print(f"  {each.dataset}: {each.step} {each.status}", markup=False)
    broken = [(each.dataset, rule, count) for each in worked for rule, count in each.rules.items()]
    if broken:
        table("\nQuarantined, by the rule that was broken", ("dataset", "rule", "rows"), broken)
    for each in latest:
        for gate in each.gates:
            if not gate["passed"]:
                console.print(f"\n{each.dataset}: {gate['severity']}: the gate {told(gate)}", markup=False)
        if each.status == "failed":
            console.print(f"\n{each.dataset} failed in {each.step}: {each.cause}", style="red", markup=False)
            console.print(f"  {each.remedy}", markup=False)


def _job_runs(lake: Target, name: str) -> list[dict[str, Any]]:
    from lake.records import STEPS

    glue = lake.client("glue")
    found: list[dict[str, Any]] = []
    for job in STEPS:
        pages = glue.get_paginator("get_job_runs").paginate(JobName=lake.environment.resource(job))
        found += [each for page in pages for each in page["JobRuns"] if each.get("Arguments", {}).get("--run") == name]
    return sorted(found, key=lambda each: str(each["StartedOn"]))


def _events(client: Any, group: str, stream: str) -> list[dict[str, Any]]:
    pages = client.get_paginator("filter_log_events").paginate(logGroupName=group, logStreamNames=[stream])
    try:
        return [event for page in pages for event in page["events"]]
    except client.exceptions.ResourceNotFoundException:  # a job run that wrote nothing has no stream
        return []
