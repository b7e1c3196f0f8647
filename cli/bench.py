"""`bench NAME`: the project's benchmarks, each a module of benchmarks/."""

from __future__ import annotations

import importlib
from typing import Annotated

import typer

from cli.errors import CommandError
from cli.target import ROOT, JsonOption


def bench(
    name: Annotated[str, typer.Argument(help="A benchmark: pipeline, synth.")],
    json: JsonOption = False,
) -> None:
    """Measure, and print a table of figures; ratios hold on any machine, seconds only on this one."""
    known = sorted(path.stem for path in (ROOT / "benchmarks").glob("*.py") if "def measure" in path.read_text())
    if name not in known:
        raise CommandError(f"The benchmark '{name}': expected one of {', '.join(known)}.")
    from cli.console import print_json, table
    from local import prerequisites

    prerequisites.fetch()
    figures = importlib.import_module(f"benchmarks.{name}").measure()
    if json:
        print_json(figures)
        return
    table(f"bench {name}", ("figure", "value"), [(figure, _figure(value)) for figure, value in figures.items()])


def _figure(value: object) -> str:
    return f"{value:,.2f}" if isinstance(value, float) else str(value)
