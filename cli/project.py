"""`test` and `lint`: the project's own checks."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import typer

ROOT = Path(__file__).parents[1]


def test(context: typer.Context) -> None:
    """Run the tests; arguments go to pytest, for instance `headwater test tests/unit -k ledger`."""
    from local import prerequisites

    prerequisites.fetch()
    arguments = context.args or ["tests", *_side_by_side()]
    raise typer.Exit(subprocess.call([sys.executable, "-m", "pytest", "--durations=10", *arguments], cwd=ROOT))


def _side_by_side() -> list[str]:
    """The whole suite in two processes or more, file by file; tests/conftest.py says in which order."""
    processes = min(max(os.cpu_count() or 2, 2), 4)
    return ["-n", str(processes), "--dist", "loadfile", "--no-loadscope-reorder"]


def lint() -> None:
    """Check contracts beside every environment's roles, style and types: ruff, mypy --strict."""
    failed = _refused()
    for command in (["ruff", "check", "."], ["ruff", "format", "--check", "."], ["mypy", "."]):
        failed |= subprocess.call([sys.executable, "-m", *command], cwd=ROOT) != 0
    raise typer.Exit(1 if failed else 0)


def _refused() -> bool:
    """Whether a contract, a role, or the two of them together are refused; says which, with file and line."""
    import config
    from config.positions import FileError
    from contracts import compile

    problems: dict[str, None] = {}
    for name in config.names():
        try:
            compile.read(config.load(name))
        except FileError as error:
            problems |= dict.fromkeys(map(str, error.problems))
    for each in problems:
        print(each, file=sys.stderr)
    return bool(problems)
