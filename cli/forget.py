"""`forget`: a person's rows out of the lake, and the certificate of what was done and what expires when."""

from __future__ import annotations

import json as json_
import sys
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated, Any

import typer

from cli.errors import CommandError
from cli.target import EnvOption, JsonOption, Target

if TYPE_CHECKING:
    from cli.execution import Ended
    from lake.ledger import Outcome

COUNTS = ("rows", "objects", "letters", "versions")


def forget(
    subject: Annotated[
        str | None, typer.Option(help="The person's id; - asks for it, or reads it from stdin: no shell remembers it.")
    ] = None,
    dataset: Annotated[
        str | None, typer.Option(help="The dataset whose subjectId it is; needed where several have one.")
    ] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only count what would go.")] = False,
    run: Annotated[
        str | None, typer.Option(help="Of an erasure that was begun: wait for its end, and print its certificate.")
    ] = None,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
    env: EnvOption = "local",
    json: JsonOption = False,
) -> None:
    """Take a person's rows out of every table, file and snapshot, and print the certificate; exits 1 when one stays."""
    from cli import execution
    from cli.console import progress
    from cli.target import target
    from lake.runs import ERASURE, RunId

    if (subject is None) == (run is None):
        raise CommandError("Expected --subject ID, or --run RUN of an erasure that was begun. Give one of them.")
    if run is not None and RunId.parse(run).pipeline != ERASURE:
        raise CommandError(f"The run '{run}': expected one of an erasure. `./headwater runs forget` lists them.")
    lake = target(env)
    if subject is not None:
        request = asked(lake, given(subject), dataset, dry_run)
        if not (dry_run or yes or agreed(env)):
            raise typer.Abort
        run = start(lake, request)
    assert run is not None
    progress.print(f"  {run}", style="bold")
    try:
        with progress.status("Forget"):
            ended = execution.follow(lake, run)
    except KeyboardInterrupt:
        again = f"./headwater forget --run {run} --env {env}"
        progress.print(f"  It goes on. `{again}` waits for its end, and prints the certificate.", markup=False)
        raise typer.Exit(130) from None
    conclude(lake, ended, json)


def conclude(lake: Target, ended: Ended, json: bool) -> None:
    """The certificate of an erasure that has ended, or what it counted where it was to do no more."""
    from cli.console import print_json

    if ended.status != "SUCCEEDED":
        raise CommandError(
            f"The run '{ended.run}' {ended.status}: {ended.cause or ended.error}"
            f" Cure that, then: `./headwater redrive {ended.run} --env {lake.environment.name}`."
        )
    told = certificate(lake, ended.run) or counted(lake.ledger().outcomes(ended.run))
    print_json(told) if json else show(told)


def given(subject: str) -> str:
    if subject != "-":
        return subject
    if sys.stdin.isatty():
        return str(typer.prompt("The person's id", hide_input=True, err=True))
    return sys.stdin.read().strip()


def agreed(env: str) -> bool:
    """On a terminal somebody has to say so: nothing brings the rows back."""
    return not sys.stdin.isatty() or typer.confirm(f"Delete every row of this person in {env}, for good?", err=True)


def asked(lake: Target, subject: str, dataset: str | None, dry_run: bool) -> dict[str, Any]:
    """The request, with the id as the lake writes it; refused where it cannot be one."""
    from lake.subjects import canonical, root_of

    root = root_of(lake.lake(), dataset)
    return {"subject": canonical(root, subject), "dataset": root.id, "dry_run": dry_run}


def start(lake: Target, request: dict[str, Any]) -> str:
    """Start the erasure. Who is meant goes where its job alone reads it, and is deleted with its end."""
    from cli import execution
    from lake.certificate import request_key
    from lake.runs import ERASURE, RunId

    run = str(execution.free(lake, RunId(ERASURE, datetime.now(UTC).replace(second=0, microsecond=0))))
    place = {"Bucket": lake.environment.bucket("scratch"), "Key": request_key(run)}
    lake.client("s3").put_object(**place, Body=json_.dumps(request).encode())
    states = lake.client("stepfunctions")
    try:
        given = json_.dumps({"dry_run": request["dry_run"]})
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


def certificate(lake: Target, run: str) -> dict[str, Any] | None:
    """None of a dry run."""
    from lake.certificate import key_of

    s3 = lake.client("s3")
    try:
        found = s3.get_object(Bucket=lake.environment.bucket("logs"), Key=key_of(run))
    except s3.exceptions.NoSuchKey:
        return None
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
    taken = [each for each in told["stores"] if "why" not in each]
    counts = [name for name in COUNTS if any(name in each for each in taken)]
    rows = [(each["store"], *(each.get(name, 0) for name in counts)) for each in taken]
    table(f"\n{taken[0]['rule'].capitalize()}" if taken else "", ("store", *counts), rows)
    if left := [each for each in told["stores"] if "why" in each]:  # a dry run may have none
        table("\nNot rewritten", ("store", "rule", "by", "why"), [_left(each) for each in left])


def _left(store: dict[str, Any]) -> tuple[str, ...]:
    counts = [f"{count:,} {name}: " for name, count in store.items() if isinstance(count, int)]
    return store["store"], store["rule"], store.get("by", ""), "".join(counts) + store["why"]
