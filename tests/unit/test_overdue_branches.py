"""Which branches maintenance removes: those of runs, a week after their last commit, however they came to be."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from glue_jobs.expiry import overdue_branches

NOW = datetime(2026, 11, 21, tzinfo=UTC)
WEEK = 7 * 24 * 3600 * 1000


@dataclass
class Ref:
    snapshot: int
    age: int | None

    def snapshotId(self) -> int:
        return self.snapshot

    def maxRefAgeMs(self) -> int | None:
        return self.age


@dataclass
class Snapshot:
    days: int

    def timestampMillis(self) -> int:
        return int((NOW - timedelta(days=self.days)).timestamp() * 1000)


@dataclass
class Table:
    """Branches by name: how many days ago the last commit was, and the age that they are kept."""

    branches: dict[str, tuple[int, int | None]]

    def refs(self) -> dict[str, Ref]:
        return {name: Ref(days, age) for name, (days, age) in self.branches.items()}

    def snapshot(self, days: int) -> Snapshot:
        return Snapshot(days)


def test_a_branch_that_a_dead_attempt_made_late_goes_as_its_first_one_would_have() -> None:
    run = "run_tickit_20261101T0000_01_A"
    table = Table(
        {
            "main": (30, None),
            f"{run}0": (8, WEEK),
            f"{run}1": (6, WEEK),
            f"{run}2": (8, None),
            f"{run}3": (6, None),
            "somebody_else_s": (30, None),
        }
    )
    assert overdue_branches(table, NOW) == [f"{run}0", f"{run}2"]
