"""The run ledger, as jobs, functions and the command line see it."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from threading import Barrier
from typing import Any

import pytest
from hypothesis import given, strategies as st

from lake.ledger import (
    IntentConflictError,
    LeaseLostError,
    Ledger,
    Load,
    LoadConflictError,
    NotPlannedError,
    Outcome,
    OutcomeConflictError,
    OutcomeError,
    RunNotFoundError,
)
from lake.records import STEPS
from tests.unit.ledger_table import Clock

RUN, NEXT = "tickit-20261121T0000-01", "tickit-20261122T0000-01"
USERS, VENUE, GOLD = "saas.users", "saas.venue", "gold.sales_by_date"
Make = Callable[[], Ledger]

counts = st.integers(0, 10**12)
texts = st.text(max_size=50)


@st.composite
def outcomes(draw: st.DrawFn) -> Outcome:
    numbers: dict[str, Any] = {
        name: draw(counts) for name in ("inserted", "updated", "unchanged", "superseded", "quarantined")
    }
    gate = {"name": draw(texts), "value": draw(st.floats(allow_nan=False) | counts | st.none() | texts), "passed": True}
    return Outcome(
        RUN,
        draw(st.integers(0, 5)),
        draw(st.sampled_from(STEPS)),
        draw(st.sampled_from([USERS, VENUE])),
        "succeeded",
        read=sum(numbers.values()),
        **numbers,
        rules=draw(st.dictionaries(st.text(min_size=1, max_size=20), counts, max_size=3)),
        gates=(gate,),
        files=tuple(draw(st.lists(texts, max_size=5))),
        snapshot_to=draw(st.none() | st.integers(-(2**63), 2**63 - 1)),
        seconds=draw(st.floats(0, 1e6).map(lambda value: round(value, 3))),
        at="2026-11-21T03:00:00+00:00",
    )


def failed(dataset: str, step: Any = "refine", attempt: int = 0, cause: str = "Gate broken.") -> Outcome:
    return Outcome(RUN, attempt, step, dataset, "failed", cause=cause, remedy="Mend it.")


def refined(dataset: str, attempt: int = 0, rows: int = 1) -> Outcome:
    return Outcome(RUN, attempt, "refine", dataset, "succeeded", read=rows, inserted=rows)


@given(outcomes())
def test_every_row_of_a_refined_dataset_is_accounted_for(outcome: Outcome) -> None:
    with pytest.raises(OutcomeError, match="Rows were lost or counted twice"):
        replace(outcome, step="refine", read=outcome.read + 1)


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"step": "publish"}, "expected one of apply, ingest, refine, mask, model"),
        ({"status": "done"}, "expected succeeded or failed"),
        ({"quarantined": -1}, "expected 0 or more"),
        ({"status": "failed"}, "expected a cause"),
    ],
)
def test_an_outcome_that_cannot_be_is_refused(changes: dict[str, Any], expected: str) -> None:
    with pytest.raises(OutcomeError, match=expected):
        replace(refined(USERS), **changes)


class Memory:
    """As much of DynamoDB as one outcome needs, without its time."""

    def put_item(self, Item: Any, **_: Any) -> dict[str, Any]:
        self.items = [Item]
        return {}

    def get_paginator(self, operation: str) -> Memory:
        return self

    def paginate(self, **_: Any) -> list[dict[str, Any]]:
        return [{"Items": self.items}]


@given(outcomes())
def test_an_outcome_reads_back_as_it_was_recorded(outcome: Outcome) -> None:
    ledger = Ledger("ledger", Memory())
    assert [ledger.record(outcome)] == ledger.outcomes(RUN) == [outcome]


def test_an_outcome_of_every_kind_of_value_passes_through_dynamodb(ledger: Ledger) -> None:
    gate = {"name": "share", "value": 0.25, "passed": False, "severity": "warn"}
    rich = replace(
        refined(USERS), rules={"type_price": 3}, gates=(gate,), files=("a",), snapshot_to=2**63 - 1, seconds=1.5
    )
    assert [ledger.record(rich)] == ledger.outcomes(RUN)


def test_a_long_cause_is_cut(ledger: Ledger) -> None:
    assert len(ledger.record(failed(USERS, cause="x" * 500_000)).cause) == 2000


def test_ten_thousand_files_fit_into_a_load(ledger: Ledger) -> None:
    files = [f"s3://bronze/saas/users/logical=20261121T0000/run={RUN}-0/part-{n:05}-7f3c.avro" for n in range(10_000)]
    ledger.commit_load(USERS, Load(RUN, 0, tuple(files), 10**9))
    assert ledger.latest_load(USERS) == Load(RUN, 0, tuple(files), 10**9)


def test_outcomes_come_oldest_first_over_all_attempts(ledger: Ledger, clock: Clock) -> None:
    for outcome in (failed(VENUE), failed(USERS), refined(VENUE, attempt=1), refined(USERS, attempt=2)):
        clock.sleep(1)
        ledger.record(outcome)
    assert [(each.attempt, each.dataset) for each in ledger.outcomes(RUN)] == [
        (0, VENUE),
        (0, USERS),
        (1, VENUE),
        (2, USERS),
    ]


def test_a_failure_gives_way_to_a_success_in_the_same_attempt(ledger: Ledger) -> None:
    ledger.record(failed(USERS))
    ledger.record(refined(USERS))
    assert ledger.succeeded(RUN, "refine") == {USERS}


@pytest.mark.parametrize("late", [failed(USERS), refined(USERS, rows=2)])
def test_a_success_stands_against_a_job_that_comes_late(ledger: Ledger, late: Outcome) -> None:
    ledger.record(refined(USERS))
    with pytest.raises(OutcomeConflictError, match="Two jobs"):
        ledger.record(late)
    assert [each.read for each in ledger.outcomes(RUN)] == [1]


def test_a_success_may_be_said_twice(ledger: Ledger, clock: Clock) -> None:
    first = ledger.record(refined(USERS))
    clock.sleep(5)
    assert ledger.record(replace(refined(USERS), seconds=3.0)) == first


def test_of_two_different_successes_one_is_kept(make_ledger: Make) -> None:
    ledgers, start = [make_ledger(), make_ledger()], Barrier(2)

    def record(number: int) -> bool:
        start.wait(10)
        try:
            ledgers[number].record(refined(USERS, rows=number))
        except OutcomeConflictError:
            return False
        return True

    with ThreadPoolExecutor(2) as pool:
        assert sorted(pool.map(record, range(2))) == [False, True]


def test_the_failed_are_those_whose_latest_step_failed(ledger: Ledger) -> None:
    ledger.record(failed(USERS))
    ledger.record(failed(VENUE, step="ingest"))
    ledger.record(Outcome(RUN, 1, "ingest", VENUE, "succeeded"))
    ledger.record(failed(VENUE, attempt=1))
    ledger.record(refined(USERS, attempt=1))
    assert [(each.dataset, each.step, each.attempt) for each in ledger.failed(RUN)] == [(VENUE, "refine", 1)]


def test_a_failure_that_a_later_attempt_has_come_past_is_none(ledger: Ledger) -> None:
    ledger.record(failed(USERS, step="apply"))
    ledger.record(Outcome(RUN, 1, "ingest", USERS, "succeeded"))
    assert ledger.failed(RUN) == []


def test_a_plan_holds_until_the_next_attempt_is_planned(ledger: Ledger) -> None:
    assert ledger.planned(RUN, 5) is None
    first = ledger.plan(RUN, 0, [USERS, VENUE], [GOLD])
    second = ledger.plan(RUN, 2, [VENUE], [])
    assert [ledger.planned(RUN, attempt) for attempt in (0, 1, 2, 3)] == [first, first, second, second]


def test_an_attempt_is_planned_once(ledger: Ledger, clock: Clock) -> None:
    first = ledger.plan(RUN, 0, [USERS], [])
    clock.sleep(5)
    assert ledger.plan(RUN, 0, [VENUE], []) == first


def test_what_remains_of_a_run_is_what_no_attempt_has_finished(ledger: Ledger) -> None:
    ledger.plan(RUN, 0, [USERS, VENUE], [GOLD])
    ledger.record(refined(USERS))
    ledger.record(Outcome(RUN, 0, "ingest", VENUE, "succeeded"))
    ledger.plan(RUN, 1, [VENUE], [GOLD])
    ledger.record(failed(VENUE, attempt=1))
    remaining = ledger.remaining(RUN)
    assert (remaining.datasets, remaining.models) == ((VENUE,), (GOLD,))


def test_what_was_made_anew_and_could_not_be_scrubbed_of_a_person_remains(ledger: Ledger) -> None:
    ledger.plan(RUN, 0, [USERS], [GOLD])
    ledger.record(Outcome(RUN, 0, "forget", USERS, "succeeded"))
    ledger.record(Outcome(RUN, 0, "model", GOLD, "succeeded"))
    ledger.record(failed(GOLD, "forget"))
    remaining = ledger.remaining(RUN)
    assert (remaining.datasets, remaining.models) == ((), (GOLD,))
    assert [each.dataset for each in ledger.failed(RUN)] == [GOLD]
    ledger.record(Outcome(RUN, 1, "forget", GOLD, "succeeded"))
    assert not ledger.remaining(RUN).models


def test_a_run_without_a_plan_says_so(ledger: Ledger) -> None:
    with pytest.raises(NotPlannedError, match=RUN):
        ledger.remaining(RUN)


def test_runs_come_newest_first(ledger: Ledger, clock: Clock) -> None:
    for number in range(1, 5):
        ledger.start(f"tickit-20261121T0000-{number:02}", "tickit")
        clock.sleep(1)
    ledger.start("other-20261121T0000-01", "other")
    assert [each.run[-2:] for each in ledger.runs("tickit", limit=3)] == ["04", "03", "02"]


def test_a_redriven_run_runs_again_and_a_success_is_final(ledger: Ledger) -> None:
    def status() -> tuple[str, int]:
        run = ledger.run(RUN)
        assert run
        assert (run.finished_at is None) == (run.status == "running")
        return run.status, run.attempt

    ledger.start(RUN, "tickit")
    ledger.finish(RUN, "failed")
    ledger.start(RUN, "tickit")
    assert status() == ("failed", 0)
    ledger.start(RUN, "tickit", attempt=1)
    assert status() == ("running", 1)
    ledger.finish(RUN, "succeeded")
    ledger.finish(RUN, "failed")
    ledger.start(RUN, "tickit", attempt=2)
    assert status() == ("succeeded", 1)


def test_a_run_that_never_started_cannot_finish(ledger: Ledger) -> None:
    with pytest.raises(RunNotFoundError, match=RUN):
        ledger.finish(RUN, "succeeded")


def test_a_load_is_that_of_the_latest_attempt_and_a_backfill_is_not_the_latest_load(ledger: Ledger) -> None:
    ledger.commit_load(USERS, Load(NEXT, 0, tuple(["n0"]), 1))
    ledger.commit_load(USERS, Load(RUN, 0, tuple(["r0"]), 1))
    ledger.commit_load(USERS, Load(RUN, 10, tuple(["r10"]), 1))
    ledger.commit_load(USERS, Load(RUN, 9, tuple(["r9"]), 1))
    load, latest = ledger.load(USERS, RUN), ledger.latest_load(USERS)
    assert load
    assert latest
    assert (load.files, latest.files) == (("r10",), ("n0",))
    assert ledger.load(VENUE, RUN) is None
    assert ledger.latest_load(VENUE) is None


def test_a_load_is_committed_once(ledger: Ledger) -> None:
    ledger.commit_load(USERS, Load(RUN, 0, tuple(["a"]), 1))
    ledger.commit_load(USERS, Load(RUN, 0, tuple(["a"]), 1))
    with pytest.raises(LoadConflictError, match="other files"):
        ledger.commit_load(USERS, Load(RUN, 0, tuple(["b"]), 1))


def test_a_head_moves_under_the_latest_lease_only(ledger: Ledger) -> None:
    ledger.publish_head(USERS, 1, RUN, "w", fence=1)
    published = ledger.publish_head(USERS, 2, NEXT, "w", fence=3)
    with pytest.raises(LeaseLostError, match="a later holder"):
        ledger.publish_head(USERS, 3, RUN, "w", fence=2)
    assert ledger.head(USERS) == published
    assert ledger.head(VENUE) is None


def test_a_dataset_without_rows_has_a_head_without_a_snapshot(ledger: Ledger) -> None:
    assert ledger.publish_head(USERS, None, RUN, "w", fence=1) == ledger.head(USERS)


def test_many_datasets_are_read_at_once(ledger: Ledger) -> None:
    names = [f"saas.table_{number}" for number in range(250)]
    for name in names[::2]:
        ledger.set_applied(name, f"hash of {name}", fence=1)
    assert ledger.all_applied([*names, *names]) == {name: f"hash of {name}" for name in names[::2]}
    assert ledger.applied(names[0]) == f"hash of {names[0]}"
    assert ledger.applied(names[1]) is None


def test_an_apply_that_lost_its_lease_cannot_say_that_it_applied(ledger: Ledger) -> None:
    ledger.set_applied(USERS, "new", fence=2)
    with pytest.raises(LeaseLostError):
        ledger.set_applied(USERS, "old", fence=1)
    assert ledger.applied(USERS) == "new"


def test_an_unfinished_publication_is_found_until_it_is_settled(ledger: Ledger) -> None:
    moves = [{"table": "lake.gold.a", "dataset": GOLD, "from": None, "to": 2**63 - 1}]
    intent = ledger.intend(RUN, moves)
    assert ledger.intend(RUN, moves) == intent
    assert ledger.intents() == [intent]
    with pytest.raises(IntentConflictError, match="Roll it forward"):
        ledger.intend(RUN, [{**moves[0], "to": 1}])
    ledger.settle(RUN)
    ledger.settle(RUN)
    assert ledger.intents() == []


def test_something_is_said_once(make_ledger: Make) -> None:
    with make_ledger().once(RUN, "late") as mine, make_ledger().once(RUN, "late") as theirs:
        assert (mine, theirs) == (True, False)
    with make_ledger().once(RUN, "late") as again, make_ledger().once(NEXT, "late") as other:
        assert (again, other) == (False, True)


def test_what_could_not_be_said_is_said_by_the_next(make_ledger: Make, clock: Clock) -> None:
    with pytest.raises(ZeroDivisionError), make_ledger().once(RUN, "late"):
        raise ZeroDivisionError
    crashed = make_ledger().once(RUN, "late")
    assert crashed.__enter__()
    with make_ledger().once(RUN, "late") as too_early:
        assert not too_early
    clock.sleep(16 * 60)
    with make_ledger().once(RUN, "late") as mine:
        assert mine


def test_a_schedule_is_seen_from_the_first_look_on(ledger: Ledger, clock: Clock) -> None:
    first = ledger.first_seen("tickit", "cron(0 3 * * ? *)")
    clock.sleep(60)
    assert ledger.first_seen("tickit", "cron(0 3 * * ? *)") == first
    assert ledger.first_seen("tickit", "cron(0 4 * * ? *)") > first
