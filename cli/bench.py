"""`bench NAME`: the project's benchmarks, each a module of benchmarks/."""

from __future__ import annotations

import importlib
import inspect
from collections.abc import Callable
from typing import Annotated, Any

import typer

from cli.errors import CommandError
from cli.target import ROOT, JsonOption


def benchmarks() -> list[str]:
    """The modules of benchmarks/ that measure something."""
    return sorted(path.stem for path in (ROOT / "benchmarks").glob("*.py") if "\ndef measure(" in path.read_text())


def bench(
    name: Annotated[str, typer.Argument(help=f"A benchmark: {', '.join(benchmarks())}.")],
    events: Annotated[int, typer.Option(min=0, help="Of `stream`: how many; 1000000 are the whole.")] = 0,
    over: Annotated[str, typer.Option(help="Of `stream`: the way of the events: http, kinesis or handler.")] = "",
    rate: Annotated[int, typer.Option(min=0, help="Of `stream`: events a second; as many as go, when left out.")] = 0,
    json: JsonOption = False,
) -> None:
    """Measure, print a table of figures and write them to docs/benchmarks.md; ratios hold on any machine."""
    if name not in benchmarks():
        raise CommandError(f"The benchmark '{name}': expected one of {', '.join(benchmarks())}. Name one of them.")
    from benchmarks import report
    from cli.console import print_json, table
    from local import prerequisites

    prerequisites.fetch()
    module = importlib.import_module(f"benchmarks.{name}")
    figures = module.measure(**_given(module.measure, name, events=events, over=over, rate=rate))
    report.write(name, module.__doc__ or "", figures)
    if json:
        print_json(figures)
        return
    table(f"bench {name}", ("figure", "value"), [(figure, report.shown(value)) for figure, value in figures.items()])


def _given(measure: Callable[..., Any], name: str, **options: Any) -> dict[str, Any]:
    """The options that were said, which the benchmark must know."""
    given = {option: value for option, value in options.items() if value}
    for option in given.keys() - inspect.signature(measure).parameters.keys():
        raise CommandError(f"The option --{option} of benchmark '{name}': expected only of `stream`. Leave it out.")
    return given
