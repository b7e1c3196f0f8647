"""`run`, `status`, `explain`, `logs`: start a pipeline, and say what its runs did."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated, Any

import typer

from cli.errors import CommandError
from cli.target import EnvOption, JsonOption, Target

if TYPE_CHECKING:
    from cli.execution import Ended
    from lake.ledger import Outcome, Run

RunArgument = Annotated[
    str, typer.Argument(help="A run id, such as tickit-20261121T0000-01; `headwater status` lists them.")
]
COUNTS = ("read", "inserted", "updated", "unchanged", "superseded", "quarantined", "deleted")


def run(
    pipeline: Annotated[str, typer.Argument(help="A file of pipelines/, without its ending.")],
    env: EnvOption = "local",
    json: JsonOption = False,
) -> None:
    """Run a pipeline through Step Functions and wait for its end; exits 1 when a dataset failed."""
    from cli.console import print_json
    from cli.target import target

    lake = target(env)
    ended = follow(lake, pipeline)
    outcomes = lake.ledger().outcomes(ended.run)
    if json:
        print_json({**asdict(ended), "outcomes": [asdict(outcome) for outcome in outcomes]})
    else:
        show_outcomes(ended.run, outcomes)
    if ended.status != "SUCCEEDED":
        raise CommandError(f"The run '{ended.run}' {ended.status}: {ended.cause or ended.error}")


def follow(lake: Target, pipeline: str) -> Ended:
    """Start a run and wait, telling each state as it goes by."""
    from cli import execution
    from cli.console import progress

    name = execution.start(lake, pipeline)
    progress.print(f"  {name}", style="bold")
    with progress.status("Plan"):
        ended = execution.follow(lake, name, lambda state, seconds: progress.print(f"  {state:<44}{seconds:6.1f} s"))
    progress.print(
        f"  {ended.status:<44}{ended.seconds:6.1f} s", style="green" if ended.status == "SUCCEEDED" else "red"
    )
    return ended


def status(env: EnvOption = "local", json: JsonOption = False) -> None:
    """The latest runs of every pipeline, and what readers of each dataset see."""
    import pipelines
    from cli.console import print_json, table
    from cli.target import target

    ledger = target(env).ledger()
    known = pipelines.load_all()
    latest = [run for pipeline in known for run in ledger.runs(pipeline, limit=5)]
    heads = ledger.heads(dataset for each in known.values() for dataset in (*each.datasets, *each.models))
    if json:
        datasets = {dataset: asdict(head) for dataset, head in heads.items()}
        print_json({"runs": [asdict(run) for run in latest], "datasets": datasets})
        return
    rows = [(run.run, run.status, run.attempt, f"{run.started_at:%Y-%m-%d %H:%M:%S}", _took(run)) for run in latest]
    table("Runs", ("run", "status", "attempt", "started (UTC)", "seconds"), rows)
    published = [(name, head.run, f"{head.at:%Y-%m-%d %H:%M:%S}", str(head.snapshot)) for name, head in heads.items()]
    table("\nPublished", ("dataset", "by run", "at (UTC)", "snapshot"), sorted(published))


def explain(name: RunArgument, env: EnvOption = "local", json: JsonOption = False) -> None:
    """What a run loaded into each dataset, what it refused and why, and what to do."""
    from cli.console import print_json
    from cli.target import target

    lake = target(env)
    found = lake.ledger().run(name)
    outcomes = lake.ledger().outcomes(name)
    if found is None:
        raise CommandError(
            f"The run '{name}' is not in the ledger of '{env}'. `headwater status --env {env}` lists runs."
        )
    if json:
        print_json({"run": asdict(found), "outcomes": [asdict(outcome) for outcome in outcomes]})
        return
    show_outcomes(name, outcomes)
    if found.status == "failed":
        _show_redrive(lake, name)


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

    latest = {(each.dataset, each.step): each for each in outcomes}.values()
    worked = [each for each in latest if each.step in ("refine", "model")]
    if worked:
        rows = [(each.dataset, *(getattr(each, count) for count in COUNTS), each.status) for each in worked]
        table(f"\n{name}", ("dataset", *COUNTS, "status"), rows)
    broken = [(each.dataset, rule, count) for each in worked for rule, count in each.rules.items()]
    if broken:
        table("\nQuarantined, by the rule that was broken", ("dataset", "rule", "rows"), broken)
    for each in latest:
        for gate in each.gates:
            if not gate["passed"]:
                console.print(f"\n{each.dataset}: {gate['severity']}: {gate['name']} was {gate['value']}")
        if each.status == "failed":
            console.print(f"\n{each.dataset} failed in {each.step}: {each.cause}", style="red", markup=False)
            console.print(f"  {each.remedy}", markup=False)


def _show_redrive(lake: Target, name: str) -> None:
    from cli.console import console

    arn = lake.execution(name)
    console.print(
        "\nWhen the cause is mended, redrive the execution: it works only what failed.\n"
        f"  aws stepfunctions redrive-execution --execution-arn {arn}",
        soft_wrap=True,
    )


def _took(run: Run) -> float | None:
    return (run.finished_at - run.started_at).total_seconds() if run.finished_at else None


def _job_runs(lake: Target, name: str) -> list[dict[str, Any]]:
    glue = lake.client("glue")
    found: list[dict[str, Any]] = []
    for job in ("apply", "ingest", "refine", "model"):
        pages = glue.get_paginator("get_job_runs").paginate(JobName=lake.environment.resource(job))
        found += [each for page in pages for each in page["JobRuns"] if each.get("Arguments", {}).get("--run") == name]
    return sorted(found, key=lambda each: str(each["StartedOn"]))


def _events(client: Any, group: str, stream: str) -> list[dict[str, Any]]:
    pages = client.get_paginator("filter_log_events").paginate(logGroupName=group, logStreamNames=[stream])
    try:
        return [event for page in pages for event in page["events"]]
    except client.exceptions.ResourceNotFoundException:  # a job run that wrote nothing has no stream
        return []
