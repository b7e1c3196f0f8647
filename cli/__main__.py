"""`headwater COMMAND`: gathers the commands, and turns what a user can mend into one sentence on stderr."""

from __future__ import annotations

import sys

import typer

from cli import (
    access,
    api,
    backfill,
    bench,
    bi,
    contract,
    contract_drift,
    contract_import,
    dead_letter,
    demo,
    deploy,
    explain,
    forget,
    laptop,
    ledger,
    maintain,
    preview,
    project,
    quarantine,
    query,
    runs,
    shell,
    status,
)
from cli.errors import said

app = typer.Typer(
    name="headwater",
    help="A data lake on AWS that also runs whole on a laptop. Start with `headwater demo`.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)
app.command()(demo.demo)
app.command()(laptop.up)
app.command()(laptop.down)
app.command()(runs.run)
app.command()(runs.rerun)
app.command()(runs.redrive)
app.command()(backfill.backfill)
app.command()(status.runs)
app.command()(status.status)
app.command()(explain.explain)
app.command()(runs.logs)
app.add_typer(ledger.app, name="ledger")
app.command()(query.query)
app.command()(shell.shell)
app.command()(preview.preview)
app.command()(bi.bi)
app.command()(api.api)
app.command()(maintain.maintain)
app.command()(forget.forget)
app.add_typer(quarantine.app, name="quarantine")
app.add_typer(dead_letter.app, name="dead-letter")
app.add_typer(contract.app, name="contract")
app.add_typer(access.app, name="access")
contract.app.command("import")(contract_import.import_)
contract.app.command("drift")(contract_drift.drift)
contract.app.command("accept")(contract_drift.accept)
app.command()(deploy.synth)
app.command()(deploy.deploy)
app.command()(deploy.diff)
app.command()(deploy.destroy)
app.command(context_settings={"allow_extra_args": True, "ignore_unknown_options": True})(project.test)
app.command()(project.lint)
app.command()(bench.bench)


def main() -> None:
    try:
        app(prog_name="headwater")
    except Exception as error:
        sentence = said(error)
        if sentence is None:
            raise
        print(f"headwater: {sentence}", file=sys.stderr)
        sys.exit(1)


if __name__ == "__main__":
    main()
