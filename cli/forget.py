"""`forget`: a person's rows out of the lake, and the certificate of what was done and what expires when."""

from __future__ import annotations

import json as json_
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated, Any

import typer

from cli.errors import CommandError
from cli.target import EnvOption, JsonOption, Target

if TYPE_CHECKING:
    from lake.ledger import Outcome


def forget(
    subject: Annotated[
        str, typer.Option(help="The person's id; - reads it from stdin, so that no shell remembers it.")
    ],
    dataset: Annotated[
        str | None, typer.Option(help="The dataset whose subjectId it is; needed where several have one.")
    ] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only count what would go.")] = False,
    env: EnvOption = "local",
    json: JsonOption = False,
) -> None:
    """Take a person's rows out of every table, file and snapshot, and print the certificate; exits 1 when one stays."""
    from cli import execution
    from cli.console import print_json, progress
    from cli.target import target

    lake = target(env)
    if subject == "-":
        subject = typer.get_text_stream("stdin").read().strip()
    run = start(lake, subject, dataset, dry_run)
    progress.print(f"  {run}", style="bold")
    with progress.status("Forget"):
        ended = execution.follow(lake, run)
    if ended.status != "SUCCEEDED":
        raise CommandError(
            f"The run '{run}' {ended.status}: {ended.cause or ended.error}"
            f" Cure that, then: `./headwater redrive {run}`."
        )
    told = counted(lake.ledger().outcomes(run)) if dry_run else certificate(lake, run)
    print_json(told) if json else show(told)


def start(lake: Target, subject: str, dataset: str | None, dry_run: bool) -> str:
    """Start the erasure. Who is meant goes where its job alone reads it, and is deleted with its end."""
    from cli import execution
    from lake.certificate import request_key
    from lake.runs import ERASURE, RunId
    from lake.subjects import canonical, root_of

    root = root_of(lake.lake(), dataset)
    asked = {"subject": canonical(root, subject), "dataset": root.id, "dry_run": dry_run}
    run = str(execution.free(lake, RunId(ERASURE, datetime.now(UTC).replace(second=0, microsecond=0))))
    place = {"Bucket": lake.environment.bucket("scratch"), "Key": request_key(run)}
    lake.client("s3").put_object(**place, Body=json_.dumps(asked).encode())
    states = lake.client("stepfunctions")
    try:
        given = json_.dumps({"dry_run": dry_run})
        states.start_execution(stateMachineArn=lake.state_machine(ERASURE), name=run, input=given)
    except Exception as error:  # whatever it is, nobody will work the request
        lake.client("s3").delete_object(**place)
        if not isinstance(error, states.exceptions.StateMachineDoesNotExist):
            raise
        name = lake.environment.name
        raise CommandError(
            f"Erasure is not deployed to '{name}'. Deploy it: `./headwater deploy --env {name}`."
        ) from error
    return run


def certificate(lake: Target, run: str) -> dict[str, Any]:
    from lake.certificate import key_of

    found = lake.client("s3").get_object(Bucket=lake.environment.bucket("logs"), Key=key_of(run))
    made: dict[str, Any] = json_.load(found["Body"])
    return made


def counted(outcomes: list[Outcome]) -> dict[str, Any]:
    """What a dry run has found."""
    from lake.certificate import nameless

    tables = [each for outcome in outcomes for each in outcome.tables]
    found = [{"store": each["table"], "rule": "would be rewritten", **each["done"]} for each in tables]
    return {"stores": [*found, *nameless(tables)]}


def show(told: dict[str, Any]) -> None:
    from cli.console import console, table

    if "certificate" in told:
        console.print(f"\n{told['certificate']}, {told['at']}, run {told['run']}", markup=False)
        console.print(f"{told['subject_of']}: {told['subject']}", markup=False, soft_wrap=True)
    rows = [
        (each["store"], each["rule"], each.get("by", ""), _said(each), each.get("why", "")) for each in told["stores"]
    ]
    table("", ("store", "rule", "by", "done", "why"), rows)


def _said(store: dict[str, Any]) -> str:
    counts = ((name, count) for name, count in store.items() if isinstance(count, int) and count)
    return ", ".join(f"{count:,} {name}" for name, count in counts)
