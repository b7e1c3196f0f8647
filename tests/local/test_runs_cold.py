"""The same accidents where each job run has a JVM of its own, as on Glue."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.local.small_lake import SmallLake, small_lake
from tests.local.test_runs import assert_true, kill_at


@pytest.fixture(scope="module")
def lake(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SmallLake]:
    with small_lake(tmp_path_factory.mktemp("cold"), cold=True) as up:
        up.orders(1, 30, "n", "timestamp '2026-10-01' + n * interval '1 hour'")
        yield up


def test_a_jvm_killed_at_each_step_that_commits_leaves_the_same_tables(lake: SmallLake) -> None:
    kill_at(("refine", "model"), lake, "java")
    assert_true(lake)
