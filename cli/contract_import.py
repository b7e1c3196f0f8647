"""`contract import`: a contract from what a crawler found, ready to run and to review."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Annotated

import typer

from cli.errors import CommandError
from cli.target import EnvOption, Target

if TYPE_CHECKING:
    from cli.discovered import FoundTable

NAME = re.compile(r"[a-z][a-z0-9_]{0,62}")
LiveOption = Annotated[
    bool | None,
    typer.Option("--live/--no-live", help="Ask the source itself for keys and samples too; so done for local."),
]


def import_(
    table: Annotated[str, typer.Option("--from", help="CONNECTION.TABLE or SOURCE.TABLE, as its crawler found it.")],
    name: Annotated[str | None, typer.Option(help="The dataset's NAME, where the table's own will not do.")] = None,
    crawl: Annotated[bool, typer.Option("--crawl", help="Let the crawler look first.")] = False,
    live: LiveOption = None,
    env: EnvOption = "local",
) -> None:
    """Write contracts/SOURCE/NAME.odcs.yaml from a table that a crawler found, its guesses marked for review."""
    from cli.console import console
    from cli.target import target

    lake = target(env)
    dataset, notes = imported(lake, table, name, crawl=crawl, live=env == "local" if live is None else live)
    for note in notes:
        console.print(note, markup=False, soft_wrap=True)
    file = f"contracts/{dataset.replace('.', '/')}.odcs.yaml"
    console.print(
        f"Wrote {file}. Review its lines marked `# review`, then add '{dataset}' to a pipeline.", soft_wrap=True
    )


def imported(lake: Target, table: str, name: str | None, *, crawl: bool, live: bool) -> tuple[str, list[str]]:
    """The dataset whose contract was written, and what a person should know of it."""
    from cli import discovered
    from contracts import load
    from contracts.contract import SUFFIX, ContractError
    from contracts.draft import draft, lake_name

    source, wanted = _asked(lake, table)
    if crawl and (ended := discovered.crawl(lake, source)).status != "SUCCEEDED":
        raise CommandError(ended.sentence)
    found = _table(lake, source, wanted)
    own = found.path[-1]
    dataset = f"{source}.{name or lake_name(own, ())}"
    if not NAME.fullmatch(dataset.partition(".")[2]):
        raise CommandError(f"The name '{name}': expected lower-case letters, digits and _, a letter first. Change it.")
    path = lake.root / "contracts" / source / f"{dataset.partition('.')[2]}{SUFFIX}"
    if path.exists():
        raise CommandError(
            f"The contract '{path.relative_to(lake.root)}' is there already. Edit it, accept drift into it with"
            f" `headwater contract accept {dataset}`, or say another --name."
        )
    columns, note = discovered.columns(lake, source, found, live=live)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(draft(source, dataset.partition(".")[2], own, columns), encoding="utf-8")
    try:
        load(dataset, lake.root)
    except ContractError:
        path.unlink()  # a contract that cannot be read would stop every other command
        raise
    return dataset, [note] if note else []


def _asked(lake: Target, table: str) -> tuple[str, str]:
    """The source and the table that CONNECTION.TABLE means."""
    connection, _, wanted = table.partition(".")
    known = {lake.environment.resource(source): source for source in lake.environment.sources}
    known |= {source: source for source in lake.environment.sources}
    if connection == "landing":
        raise CommandError(
            f"The table '{table}': expected one of a database. What lands as files is crawled, and no pipeline"
            " loads it yet. Name a table of a source."
        )
    if connection in {each.partition(".")[0] for each in lake.environment.streams} - set(known):
        raise CommandError(
            f"The table '{table}': expected one of a database. What is posted to an API has no table to look at."
            f" Write contracts/{connection}/NAME.odcs.yaml beside those that are there."
        )
    if not wanted or connection not in known:
        sources = ", ".join(sorted(lake.environment.sources))
        raise CommandError(f"The table '{table}': expected CONNECTION.TABLE with CONNECTION one of {sources}.")
    return known[connection], wanted


def _table(lake: Target, source: str, wanted: str) -> FoundTable:
    from cli import discovered
    from config.positions import suggestion

    every = discovered.tables(lake, source)
    found = discovered.find([each for each in every if not each.gone], wanted)
    if found is None:
        last = discovered.last_crawl(lake, source)
        told = f"The table '{wanted}' of source '{source}': expected one that its crawler has found."
        if last.status == "NEVER":
            raise CommandError(f"{told} {last.sentence}")
        known = suggestion(wanted, [each.path[-1] for each in every if not each.gone])
        new = "If it is new, run the crawler: add --crawl."
        raise CommandError(" ".join(filter(None, (told, last.sentence, known, new))))
    return found
