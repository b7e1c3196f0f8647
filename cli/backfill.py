"""`backfill`: load the intervals of a range of days, some at a time; called again, it goes on with what is left."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Annotated

import typer

from cli.errors import CommandError
from cli.target import EnvOption, JsonOption, Target

if TYPE_CHECKING:
    from cli.execution import Ended
    from lake.ledger import Plan
    from lake.model import Pipeline

DAY, TIME = "%Y-%m-%d", "%Y-%m-%dT%H:%M"
MOST_INTERVALS = 1000


@dataclass(frozen=True)
class Interval:
    """One interval and how its backfill went: `run` is empty where nothing had to be done."""

    logical: str
    run: str
    status: str
    cause: str = ""


def backfill(
    pipeline: Annotated[str, typer.Argument(help="A file of pipelines/, without its ending.")],
    first: Annotated[
        str, typer.Option("--from", help="The first day, such as 2026-10-01, or time, such as 2026-10-01T05:00 (UTC).")
    ],
    last: Annotated[str, typer.Option("--to", help="The last day or time, whose intervals are loaded too.")],
    parallel: Annotated[int, typer.Option(help="Executions at a time.", min=1, max=20)] = 1,
    dataset: Annotated[list[str] | None, typer.Option(help="Only this dataset; may be said more than once.")] = None,
    again: Annotated[bool, typer.Option("--again", help="Load also what an earlier backfill has loaded.")] = False,
    env: EnvOption = "local",
    json: JsonOption = False,
) -> None:
    """Load past intervals of incremental datasets from their sources, and refine and publish them in turn."""
    import pipelines
    from cli.console import console, print_json, progress
    from cli.target import target

    lake = target(env)
    described = pipelines.load(pipeline, lake.root)
    wanted = intervals(described, first, last, datetime.now(UTC))
    done = load(lake, described, wanted, parallel, dataset or [], again)
    if json:
        print_json([asdict(each) for each in done])
    failed = [each for each in done if each.status not in ("SUCCEEDED", "loaded before")]
    for each in failed:
        progress.print(f"{each.logical} {each.status} {each.run}: {each.cause}", style="red", markup=False)
    if failed:
        dates = ", ".join(each.logical for each in failed)
        raise CommandError(
            f"{len(failed)} of {len(done)} intervals failed: {dates}. Mend the cause, then say the same command again:"
            f" what succeeded is not loaded twice. `./headwater explain RUN --env {env}` says why one failed."
        )
    if not json:
        fresh = sum(each.status == "SUCCEEDED" for each in done)
        console.print(f"{fresh} intervals loaded, {len(done) - fresh} were loaded before.")


def intervals(pipeline: Pipeline, first: str, last: str, now: datetime) -> list[datetime]:
    """The starts of the pipeline's intervals from the first day to the end of the last one, that are over."""
    from lake.runs import interval_start

    (begin, _), (at, lasts) = _span("from", first), _span("to", last)
    end = at + lasts
    length = timedelta(hours=pipeline.interval_hours)
    if end <= begin:
        raise CommandError(f"The range {first} to {last}: expected the first before the last. Turn them round.")
    start = interval_start(begin, pipeline.interval_hours)
    start += length if start < begin else timedelta()
    found = []
    while start < end:
        found.append(start)
        start += length
    if not found:
        raise CommandError(
            f"The range {first} to {last}: expected the start of an interval of {pipeline.interval_hours} h in it."
            f" The one before begins at {start - length:{TIME}}, the next at {start:{TIME}}."
        )
    if found[-1] + length > now:
        raise CommandError(
            f"The --to '{last}': expected an interval that is over, and the one of {found[-1]:%Y-%m-%d %H:%M} ends at"
            f" {found[-1] + length:%Y-%m-%d %H:%M} UTC. End the range before it; `./headwater run` loads what is new."
        )
    if len(found) > MOST_INTERVALS:
        raise CommandError(
            f"The range {first} to {last}: expected at most {MOST_INTERVALS} intervals, and it has {len(found)}."
            " Do it in parts, or replay whole tables."
        )
    return found


def load(
    lake: Target, pipeline: Pipeline, wanted: Sequence[datetime], parallel: int, datasets: Sequence[str], again: bool
) -> list[Interval]:
    """At most `parallel` executions at a time, in order of time; none for what a backfill has loaded already."""
    from botocore.exceptions import BotoCoreError, ClientError

    from cli.console import progress

    def one(logical: datetime) -> Interval:
        try:
            told = _one(lake, pipeline, logical, datasets, again)
        except (BotoCoreError, ClientError) as error:  # one refused call must not hide how the others went
            told = Interval(f"{logical:%Y-%m-%d %H:%M}", "", "NOT FOLLOWED", str(error))
        progress.print(f"  {told.logical}  {told.status:<14}{told.run}")
        return told

    with ThreadPoolExecutor(parallel) as pool, progress.status(f"{len(wanted)} intervals, {parallel} at a time"):
        started = [pool.submit(one, logical) for logical in wanted]
        try:
            return [each.result() for each in started]
        except BaseException:  # Ctrl-C: what runs is waited for, what waits is not begun
            pool.shutdown(wait=False, cancel_futures=True)
            raise


def _one(lake: Target, pipeline: Pipeline, logical: datetime, datasets: Sequence[str], again: bool) -> Interval:
    from cli import execution

    day = f"{logical:%Y-%m-%d %H:%M}"
    held = _earlier(lake, pipeline, logical, datasets)
    if held and not again and held[1] == "succeeded":
        return Interval(day, "", "loaded before")
    if held and held[1] == "running":  # an earlier call of this command was ended, its executions were not
        return _told(day, execution.follow(lake, held[0]))
    run = execution.start(lake, pipeline.name, logical=logical, mode="backfill", datasets=tuple(datasets))
    return _told(day, execution.follow(lake, run))


def _earlier(lake: Target, pipeline: Pipeline, logical: datetime, datasets: Sequence[str]) -> tuple[str, str] | None:
    """The best that a backfill of this interval and at least these datasets came to: its run and status."""
    from cli.execution import MOST_RUNS
    from lake.runs import RunId

    ledger, found = lake.ledger(), []
    for number in range(1, MOST_RUNS + 1):
        run = str(RunId(pipeline.name, logical, number))
        if (known := ledger.run(run)) is None:
            break
        planned = ledger.planned(run, known.attempt) is not None and ledger.reads_as(run) == "backfill"
        if planned and _covers(ledger.whole(run), pipeline, datasets):
            found.append((run, known.status))
    return next((each for status in ("succeeded", "running") for each in found if each[1] == status), None)


def _covers(plan: Plan, pipeline: Pipeline, datasets: Sequence[str]) -> bool:
    return set(datasets or pipeline.datasets) <= set(plan.datasets)


def _told(day: str, ended: Ended) -> Interval:
    return Interval(day, ended.run, ended.status, ended.cause or ended.error)


def _span(option: str, text: str) -> tuple[datetime, timedelta]:
    """The day that is meant, or the time, and how long either is."""
    for form, length in ((DAY, timedelta(days=1)), (TIME, timedelta(minutes=1))):
        with suppress(ValueError):
            return datetime.strptime(text, form).replace(tzinfo=UTC), length
    raise CommandError(
        f"The --{option} '{text}': expected a day such as 2026-10-01, or a time such as 2026-10-01T05:00 (UTC)."
        " Correct it."
    )
