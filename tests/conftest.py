"""How the suite is shared out among processes: file by file, the long ones first, so that none is left over."""

from __future__ import annotations

from typing import Any

import pytest
from xdist.scheduler import LoadFileScheduling

LONGEST = (
    "test_ticket_lake",
    "test_runs",
    "test_forget",
    "test_client_dbt",
    "test_runs_cold",
    "test_contract_apply",
    "test_contract_import",
    "test_model",
    "test_increments",
    "test_stream",
    "test_governance_attacks",
    "test_kill",
)


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    if hasattr(config, "workerinput"):  # one of several processes, of which each takes the next file
        order = {name: place for place, name in enumerate(LONGEST)}
        items.sort(key=lambda item: order.get(item.path.stem, len(order)))


class Scheduling(LoadFileScheduling):  # type: ignore[misc]
    """The app takes seconds to synthesize: all tests that look at its templates are one process's."""

    def _split_scope(self, nodeid: str) -> str:
        folder = "tests/synth/"
        return folder if nodeid.startswith(folder) else super()._split_scope(nodeid)


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Scheduling:
    return Scheduling(config, log)
