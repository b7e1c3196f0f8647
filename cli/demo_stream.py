"""`demo stream`: a few minutes' worth of immunization events over HTTP, into bronze, silver, gold and dead letters."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from cli.errors import CommandError
from cli.target import Target

if TYPE_CHECKING:
    from lake.model import Lake
    from local.clinic import Load
    from local.clinic.trial import Trial

EVENTS = 3000
Row = tuple[str, int, int]  # what, as it was sent, as it is in the lake


def show(lake: Target, phases: dict[str, float], *, events: int = EVENTS) -> None:
    """Post, watch arrive, load, and compare; whatever is not as it was sent fails the command."""
    from cli.console import console, table
    from cli.runs import show_outcomes
    from local.clinic import Load
    from local.clinic.faults import THROUGH_HTTP
    from local.clinic.trial import PIPELINE, Trial

    trial = Trial(lake)
    if not _has_bronze(trial):
        console.print("\nThe first run of the pipeline makes its tables; there are no events yet", style="bold")
        with _timed(phases, "first run"):
            _run(lake, PIPELINE)
    began = datetime.now(UTC)
    # each demo has events of its own, so that it can be shown again
    load = Load(events, ending=began, kinds=THROUGH_HTTP, seed=time.time_ns() % 2**32)
    with _timed(phases, "post and consume"):
        _post(trial, load)
    with _timed(phases, "query bronze"):
        bronze = _bronze(trial, load, began)
    console.print("\nLoading silver and gold", style="bold")
    with _timed(phases, "run"):
        run = _run(lake, PIPELINE)
    show_outcomes(run, lake.ledger().outcomes(run))
    rows = [*bronze, *_silver(trial, load), *_gold(trial)]
    rules = _letters(trial, load)
    table("\nWhat was sent, and what the lake holds of it", ("what", "sent", "held"), rows)
    table("\nDead letters by rule", ("rule", "sent", "held"), rules)
    if wrong := [what for what, sent, held in (*rows, *rules) if sent != held]:
        raise CommandError(f"The lake does not hold what was sent: {', '.join(wrong)}. See the tables above.")
    console.print(
        "\nEvery event is there once, every malformed one among the dead letters. Try next:\n"
        "  ./headwater dead-letter list                  what was refused, by rule\n"
        "  ./headwater dead-letter show --limit 1        a record as it came\n"
        "  ./headwater query 'select * from coverage_by_cohort order by cohort desc limit 5'",
        style="green",
        soft_wrap=True,
    )


def _post(trial: Trial, load: Load) -> None:
    from cli.console import console

    console.print(
        f"\nA clinic's system posts {load.count:,} events of the last five minutes to the API: {load.duplicates}"
        f" copies, {load.corrections} corrections, {load.late} late by up to three days, {load.malformed} malformed",
        style="bold",
        soft_wrap=True,
    )
    delivered = trial.deliver(load, trial.api())
    sent = delivered.sent
    console.print(
        f"  {sent.requests} requests, {sent.again} events sent again that Kinesis did not take at first;"
        f" all of them consumed after {delivered.seconds:.1f} s",
        soft_wrap=True,
    )


def _has_bronze(trial: Trial) -> bool:
    glue, name = trial.at.client("glue"), trial.dataset.table
    found = glue.get_tables(DatabaseName=trial.at.environment.database("bronze"), Expression=f"^{name}$")
    return bool(found["TableList"])


def _bronze(trial: Trial, load: Load, began: datetime) -> list[Row]:
    """As Athena sees it at once, without a crawler or a run."""
    name = f"{trial.at.environment.database('bronze')}.{trial.dataset.table}"
    asked = f"day >= '{began:%Y/%m/%d}' AND \"_arrived_at\" >= '{began:%Y-%m-%dT%H:%M:%S}'"
    [found] = _fetch(trial, f"SELECT count(*), count(DISTINCT event_id) FROM {name} WHERE {asked}")
    return [
        ("valid events in bronze, copies among them", load.count - load.malformed, found[0]),
        ("their ids in bronze", load.ids, found[1]),
    ]


def _silver(trial: Trial, load: Load) -> list[Row]:
    """Rows that are just as the latest event of their id says, in every column."""
    import pyarrow as pa
    import pyarrow.compute as pc

    from local.clinic import checking

    ids = [event.event_id for event in load.expected()]
    malformed = [record.key for record, _ in load.malformed_records()]
    found = trial.silver()
    ours = found.filter(pc.is_in(found["event_id"], pa.array([*ids, *malformed])))
    difference = checking.silver([load], ours)
    return [
        ("rows in silver", load.ids, ours.num_rows),
        ("of them as the id's latest event says", load.ids, ours.num_rows - difference.unexpected),
    ]


def _gold(trial: Trial) -> list[Row]:
    """Gold leaves out groups of fewer patients than its contracts allow, and so does what it is compared with."""
    silver = f"{trial.at.environment.database('silver')}.{trial.dataset.table}"
    lake, doses, coverage = trial.at.lake(), "doses_by_vaccine_site_week", "coverage_by_cohort"
    given = (
        f"SELECT sum(n) FROM (SELECT count(*) n FROM {silver} WHERE status = 'completed' "
        f"GROUP BY vaccine_code, site_id, date_trunc('week', administered_at) {_enough(lake, doses)})"
    )
    begun = (
        f"WITH born AS (SELECT patient_id AS id, year(max_by(birth_date, event_time)) AS cohort FROM {silver} "
        "WHERE status <> 'entered_in_error' GROUP BY patient_id) "
        f"SELECT sum(n) FROM (SELECT count(DISTINCT patient_id) n FROM {silver} JOIN born ON id = patient_id "
        f"WHERE status = 'completed' GROUP BY cohort, vaccine_code {_enough(lake, coverage)})"
    )
    return [
        _compared(trial, "doses in gold (of silver's)", given, f"SELECT sum(doses) FROM {doses}"),
        _compared(trial, "begun series in gold (of silver's)", begun, f"SELECT sum(begun) FROM {coverage}"),
    ]


def _enough(lake: Lake, table: str) -> str:
    """SQL that leaves out groups of fewer patients than the table's contract allows."""
    [least] = [each.threshold for each in lake.dataset(f"gold.{table}").gates if each.name == "smallest_group"]
    return f"HAVING count(DISTINCT patient_id) >= {least}"


def _compared(trial: Trial, what: str, expected: str, held: str) -> Row:
    [[sent]], [[found]] = _fetch(trial, expected), _fetch(trial, held)
    return what, sent, found


def _letters(trial: Trial, load: Load) -> list[Row]:
    expected = {(record.key, kind.rule) for record, kind in load.malformed_records()}
    keys = {key for key, _ in expected}
    sent = Counter(rule for _, rule in expected)
    held: Counter[str] = Counter()
    for (key, rule), count in trial.dead_letters().items():
        if key in keys:
            held[rule] += count
    return [(rule, sent[rule], held[rule]) for rule in sorted({*sent, *held})]


def _fetch(trial: Trial, sql: str) -> list[list[int]]:
    from cli.query import fetch

    return [[int(value or 0) for value in row] for row in fetch(trial.at, sql)[1]]


def _run(lake: Target, pipeline: str) -> str:
    from cli.runs import follow

    ended = follow(lake, pipeline)
    if ended.status != "SUCCEEDED":
        raise CommandError(f"The run '{ended.run}' ended {ended.status}: {ended.cause or ended.error}")
    return str(ended.run)


@contextmanager
def _timed(phases: dict[str, float], phase: str) -> Iterator[None]:
    began = time.monotonic()
    yield
    phases[phase] = time.monotonic() - began
