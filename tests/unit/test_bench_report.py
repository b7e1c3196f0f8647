"""docs/benchmarks.md: each command owns its figures there, people own the words around them."""

from __future__ import annotations

from pathlib import Path

from benchmarks import report

PAGE = """\
# Benchmarks

## `./headwater bench synth`

Words about synth.

## `./headwater demo`

Words about the demo.
"""


def test_a_command_writes_its_figures_once_and_replaces_them_when_it_is_run_again(tmp_path: Path) -> None:
    page = tmp_path / "benchmarks.md"
    page.write_text(PAGE)
    report.write("synth", "", {"ratio": 2.5, "runs": 5}, page)
    report.write("rows", "How fast.", {"ratio": 0.123456}, page)
    once = page.read_text()
    assert "| `ratio` | 2.500 |" in once
    assert "## `./headwater bench rows`\n\nHow fast.\n" in once

    report.write("synth", "", {"ratio": 3.5, "runs": 5}, page)
    report.write("rows", "How fast.", {"ratio": 0.123456}, page)
    again = page.read_text()
    assert "| `ratio` | 3.500 |" in again
    for part in ("Words about synth.", "Words about the demo.", "| `runs` | 5 |", "| `ratio` | 0.123 |", "How fast."):
        assert again.count(part) == 1, part
    assert "2.500" not in again
    assert again.index("3.500") < again.index("## `./headwater demo`")


def test_the_machine_is_described_by_its_cores_and_memory() -> None:
    assert " cores, " in report.machine()
    assert " GiB, " in report.machine()
