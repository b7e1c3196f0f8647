"""Run ids, and the intervals that schedules ask for."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, strategies as st

from lake.runs import RunId, RunIdError, interval_start

NOON = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)
minutes = st.datetimes(datetime(2000, 1, 1), datetime(2100, 1, 1), timezones=st.just(UTC)).map(
    lambda at: at.replace(second=0, microsecond=0)
)
runs = st.builds(RunId, st.from_regex(r"[a-z0-9_]{1,20}", fullmatch=True), minutes, st.integers(1, 99))


@given(runs)
def test_a_run_id_reads_back_as_the_run_it_names(run: RunId) -> None:
    assert RunId.parse(str(run)) == run


@given(st.lists(runs.map(lambda run: RunId("tickit", run.logical, run.number)), max_size=9))
def test_the_run_ids_of_a_pipeline_sort_as_its_intervals(found: list[RunId]) -> None:
    assert [str(run) for run in sorted(found)] == sorted(map(str, found))


@pytest.mark.parametrize(
    "text",
    [
        "",
        "manual-test",
        "tickit-20261121-01",
        "tickit-20261321T0000-01",
        "tickit-20261121T0000-1",
        "Tickit-20261121T0000-01",
        "tickit-20261121T0000-01\n",
        "x" * 70 + "-20261121T0000-01",
    ],
)
def test_any_other_text_is_refused_with_an_example(text: str) -> None:
    with pytest.raises(RunIdError, match="tickit-20261121T0000-01"):
        RunId.parse(text)


def test_a_time_without_a_zone_is_refused() -> None:
    with pytest.raises(RunIdError):
        RunId("tickit", datetime(2026, 11, 21))


@pytest.mark.parametrize(
    ("hours", "expected"),
    [(1, "20261121T0200"), (6, "20261120T1800"), (24, "20261120T0000"), (168, "20261109T0000")],
)
def test_a_schedule_asks_for_the_last_interval_complete_when_it_fires(hours: int, expected: str) -> None:
    scheduled = datetime(2026, 11, 21, 3, 7, tzinfo=UTC)
    assert str(RunId.due("tickit", scheduled, hours)) == f"tickit-{expected}-01"


@given(minutes, st.sampled_from([1, 6, 12, 24, 168]))
def test_every_instant_lies_in_exactly_one_interval(at: datetime, hours: int) -> None:
    start = interval_start(at, hours)
    assert start <= at < start + timedelta(hours=hours)
    assert interval_start(start, hours) == start
    assert (start.hour * 60 + start.minute) % (60 * min(hours, 24)) == 0


def test_a_time_in_another_zone_is_the_same_run() -> None:
    east = datetime.fromisoformat("2026-11-21T14:00:00+02:00")
    assert RunId.due("tickit", east, 24) == RunId.due("tickit", NOON, 24)


def test_each_attempt_has_a_branch_of_its_own() -> None:
    run = RunId("tickit", NOON)
    assert run.branch(0) == "run_tickit_20261121T1200_01_A0"
    assert len({run.branch(0), run.branch(1), run.next().branch(0)}) == 3
