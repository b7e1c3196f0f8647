"""How the suite is shared out among processes: what shares a Spark or a synth stays together, the long comes first."""

from __future__ import annotations

from pathlib import Path

import pytest

TESTS = Path(__file__).parent
TOGETHER = ("spark", "synth")  # folders whose tests share what is dear to make
LONGEST = ("test_ticket_failures", "spark", "test_ticket_lake", "test_runs", "test_runs_cold", "test_kill")


@pytest.hookimpl(tryfirst=True)  # xdist reads the groups in the same hook
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """With `-n`, each group of tests is a unit of work; those that take long begin first, so that none is left over."""
    if not config.pluginmanager.hasplugin("dsession") and not hasattr(config, "workerinput"):
        return
    for item in items:
        item.add_marker(pytest.mark.xdist_group(_group(item)))
    order = {name: place for place, name in enumerate(LONGEST)}
    items.sort(key=lambda item: order.get(_group(item), len(order)))


def _group(item: pytest.Item) -> str:
    folder = item.path.relative_to(TESTS).parts[0]
    return folder if folder in TOGETHER else item.path.stem
