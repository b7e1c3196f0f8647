"""Leases: one writer at a time, and a late one learns that it is late."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest
from hypothesis import HealthCheck, given, settings, strategies as st

from lake.ledger import LeaseHeldError, LeaseLostError, Ledger
from tests.unit.ledger_table import Clock

TABLE = "lake.silver.saas_users"
Make = Callable[[], Ledger]


def test_a_second_writer_is_refused_by_the_holder_s_name(make_ledger: Make) -> None:
    with make_ledger().lease(TABLE, "run-1"), pytest.raises(LeaseHeldError, match="run-1 holds it"):  # noqa: SIM117
        with make_ledger().lease(TABLE, "run-2", wait=5):
            pytest.fail("two writers")


def test_a_lease_is_free_again_after_its_body_even_a_failing_one(ledger: Ledger) -> None:
    with pytest.raises(ZeroDivisionError), ledger.lease(TABLE, "run-1"):
        raise ZeroDivisionError
    with ledger.lease(TABLE, "run-2", wait=0) as lease:
        assert lease.fence == 2


def test_different_tables_have_different_leases(ledger: Ledger) -> None:
    with ledger.lease(TABLE, "run-1"), ledger.lease("other", "run-2", wait=0) as other:
        other.check()


def test_a_writer_waits_for_a_lease_that_runs_out(make_ledger: Make, clock: Clock) -> None:
    with make_ledger().lease(TABLE, "run-1", seconds=30), make_ledger().lease(TABLE, "run-2", wait=60) as taken:
        assert taken.fence == 2
    assert clock.now.minute == 0
    assert clock.now.second >= 30


def test_another_run_takes_over_what_a_crash_left_within_two_minutes(make_ledger: Make, clock: Clock) -> None:
    crashed, before, told = make_ledger(), clock.now, list[str]()
    left = crashed.lease(TABLE, "run-1", attempt=0)
    left.__enter__()
    with make_ledger().lease(TABLE, "run-2", attempt=0, wait=300, waiting=told.append):
        assert (clock.now - before).total_seconds() <= 121
    assert told == ["run-1, attempt 0"]  # once, however long it waited


def test_holders_are_those_that_hold_a_lease_now(make_ledger: Make, clock: Clock) -> None:
    ledger = make_ledger()
    with ledger.lease(TABLE, "run-1", seconds=30, attempt=2), ledger.lease("other", "headwater ledger repair"):
        held = ledger.holders([TABLE, "other", "free"])
        assert {name: (each.owner, each.attempt) for name, each in held.items()} == {
            TABLE: ("run-1", 2),
            "other": ("headwater ledger repair", None),
        }
        clock.sleep(31)
        assert set(ledger.holders([TABLE, "other"])) == {"other"}
    assert ledger.holders([TABLE, "other"]) == {}


def test_whoever_lost_a_lease_may_write_no_more(make_ledger: Make, clock: Clock) -> None:
    late, next_ = make_ledger(), make_ledger()
    with late.lease(TABLE, "run-1", seconds=30) as lost:
        clock.sleep(31)
        with next_.lease(TABLE, "run-2") as held:
            assert held.fence > lost.fence
            with pytest.raises(LeaseLostError, match="went to run-2"):
                lost.check()
            held.check()


def test_the_end_of_a_lost_lease_leaves_the_new_holder_alone(make_ledger: Make, clock: Clock) -> None:
    first, second = make_ledger(), make_ledger()
    outer = first.lease(TABLE, "run-1", seconds=30)
    outer.__enter__()
    clock.sleep(31)
    with second.lease(TABLE, "run-2") as held:
        outer.__exit__(None, None, None)
        held.check()
        with pytest.raises(LeaseHeldError), make_ledger().lease(TABLE, "run-3", wait=0):
            pytest.fail("two writers")


def test_a_check_renews_the_lease(make_ledger: Make, clock: Clock) -> None:
    with make_ledger().lease(TABLE, "run-1", seconds=30) as lease:
        for _ in range(5):
            clock.sleep(20)
            lease.check()
        with pytest.raises(LeaseHeldError), make_ledger().lease(TABLE, "run-2", wait=0):
            pytest.fail("two writers")


def test_a_lease_that_ran_out_and_that_nobody_took_is_still_ours(ledger: Ledger, clock: Clock) -> None:
    with ledger.lease(TABLE, "run-1", seconds=30) as lease:
        clock.sleep(3600)
        lease.check()


def test_a_lease_is_renewed_while_its_body_is_busy(make_ledger: Make, clock: Clock) -> None:
    from threading import Event

    ledger, beats = make_ledger(), Event()
    renew = ledger._renew
    ledger._renew = lambda *args: (renew(*args), beats.set())[0]  # type: ignore[method-assign, func-returns-value]
    with ledger.lease(TABLE, "run-1", seconds=0.3):
        assert beats.wait(5)


def test_the_next_attempt_takes_over_at_once_what_a_killed_one_left(make_ledger: Make, clock: Clock) -> None:
    killed, before = make_ledger(), clock.now
    with killed.lease(TABLE, "run-1", attempt=0) as lost, make_ledger().lease(TABLE, "run-1", attempt=1) as held:
        assert held.fence > lost.fence
        assert clock.now == before
        with pytest.raises(LeaseLostError, match="attempt 1"):
            lost.check()


@pytest.mark.parametrize(("owner", "attempt"), [("run-1", 1), ("run-1", 0), ("run-2", 2), ("run-1", None)])
def test_no_other_attempt_does(make_ledger: Make, owner: str, attempt: int | None) -> None:
    with (
        make_ledger().lease(TABLE, "run-1", attempt=1),
        pytest.raises(LeaseHeldError),
        make_ledger().lease(TABLE, owner, wait=3, attempt=attempt),
    ):
        pytest.fail("two writers")


def test_a_call_that_is_sent_twice_takes_one_lease(ledger: Ledger) -> None:
    call = ledger._client.update_item
    twice = iter([True])

    def again(**request: object) -> object:
        if next(twice, False):
            call(**request)
        return call(**request)

    ledger._client.update_item = again
    with ledger.lease(TABLE, "run-1", wait=0) as lease:
        lease.check()


def test_of_two_that_race_one_wins(make_ledger: Make) -> None:
    ledgers, start = [make_ledger() for _ in range(2)], Barrier(2)

    def race(number: int, table: str) -> bool:
        start.wait(10)
        try:
            with ledgers[number].lease(table, f"run-{number}", wait=0):
                done.wait(10)
                return True
        except LeaseHeldError:
            done.wait(10)
            return False

    with ThreadPoolExecutor(2) as pool:
        for turn in range(10):
            done = Barrier(2)
            assert sorted(pool.map(race, range(2), [f"table-{turn}"] * 2)) == [False, True]


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.tuples(st.integers(0, 2), st.integers(0, 40)), max_size=8), st.uuids())
def test_at_any_time_at_most_one_lease_passes_its_check(
    make_ledger_once: Make, clock: Clock, steps: list[tuple[int, int]], table: object
) -> None:
    """Writers come one after another, hold on, and time passes: fences only rise, and only the last may write."""
    ledger, entered, held, lost, fences = make_ledger_once(), [], [], [], []
    for owner, seconds in steps:
        entered.append(ledger.lease(str(table), f"run-{owner}", seconds=30, wait=0))
        try:
            held.append(entered[-1].__enter__())
            fences.append(held[-1].fence)
        except LeaseHeldError:
            entered.pop()
        lost += [each for each in held if not _passes(each)]
        held = [each for each in held if each not in lost]
        assert len(held) <= 1
        clock.sleep(seconds)
    assert not [each for each in lost if _passes(each)]
    assert fences == sorted(set(fences))
    for each in entered:
        each.__exit__(None, None, None)


@pytest.fixture
def make_ledger_once(make_ledger: Make) -> Make:
    ledger = make_ledger()
    return lambda: ledger


def _passes(lease: object) -> bool:
    try:
        lease.check()  # type: ignore[attr-defined]
    except LeaseLostError:
        return False
    return True
