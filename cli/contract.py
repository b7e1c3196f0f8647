"""`contract`: check what changed in contracts, and apply a major version to its tables."""

from __future__ import annotations

import typer

app = typer.Typer(help="Contracts: what changed in them, and what that means for their tables.", no_args_is_help=True)


@app.callback()
def _group() -> None:
    """Contracts: what changed in them, and what that means for their tables."""
