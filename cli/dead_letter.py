"""`dead-letter list`, `show`, `replay`: which records of a stream came to nothing and why, and how they come in."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Annotated, Any

import typer

from cli.errors import CommandError
from cli.target import EnvOption, JsonOption, Target

if TYPE_CHECKING:
    from cli.letters import Letter, Letters
    from lake.model import Dataset

COLUMNS = ("dataset", "rule", "records", "first arrived", "last arrived")

app = typer.Typer(
    help="Records of a stream that came to nothing: which, why, and how they come in.", no_args_is_help=True
)
DatasetArgument = Annotated[str, typer.Argument(help="SOURCE.NAME of a stream; all of them, when left out.")]
DaysOption = Annotated[int, typer.Option("--days", min=1, help="Only records that arrived in the last so many days.")]
RuleOption = Annotated[str, typer.Option("--rule", help="Only records that broke this rule; `undelivered`: batches.")]


@app.command("list")
def list_(
    dataset: DatasetArgument = "", days: DaysOption = 7, env: EnvOption = "local", json: JsonOption = False
) -> None:
    """How many records broke which rule, by dataset, without what they hold; one that broke two counts for both."""
    from cli.console import print_json, progress, table
    from cli.target import target

    rows = [row for letters in _streams(target(env), dataset) for row in _counts(letters.found(_since(days)))]
    if json:
        print_json([dict(zip((each.replace(" ", "_") for each in COLUMNS), row, strict=True)) for row in rows])
    elif rows:
        table("", COLUMNS, rows)
    else:
        progress.print(f"There is no dead letter{f' of {dataset}' if dataset else ''} of the last {days} days.")


@app.command()
def show(
    dataset: DatasetArgument = "",
    rule: RuleOption = "",
    limit: Annotated[int, typer.Option("--limit", min=1, help="At most so many records, the last first.")] = 10,
    days: DaysOption = 7,
    env: EnvOption = "local",
    json: JsonOption = False,
) -> None:
    """Records as they came, with the rules that they broke and their place in the stream; they may hold health data."""
    from cli.console import print_json, progress
    from cli.target import target

    found = [each for letters in _streams(target(env), dataset) for each in _asked(letters, days, rule)]
    shown = [record for letter in reversed(found) for record in _shown(letter)][:limit]
    if json:
        print_json(shown)
        return
    for record in shown:
        _print(record)
    if not shown:
        progress.print(f"There is no dead letter{f' with rule {rule!r}' if rule else ''} of the last {days} days.")


@app.command()
def replay(
    dataset: DatasetArgument = "",
    rule: RuleOption = "",
    days: DaysOption = 7,
    env: EnvOption = "local",
    json: JsonOption = False,
) -> None:
    """Put records back on their stream once contract or consumer are mended; those that still break a rule stay."""
    from cli.console import print_json, progress
    from cli.letters import sound
    from cli.target import target

    told = []
    for letters in _streams(target(env), dataset):
        asked = _asked(letters, days, rule)
        mended = sound(letters.dataset, asked)
        letters.replay(mended)
        records = sum(len(each.records) for each in mended)
        told.append({"dataset": letters.dataset.id, "replayed": records, "still_broken": len(asked) - len(mended)})
    if json:
        print_json(told)
        return
    for each in told:
        progress.print(
            f"{each['dataset']}: {each['replayed']} records are on the stream again, "
            f"{each['still_broken']} still break a rule of the contract here and stay."
        )


def _streams(at: Target, dataset: str) -> list[Letters]:
    from cli.letters import Letters

    lake = at.lake()
    every = [each for each in map(lake.dataset, lake.dataset_ids()) if each.is_stream]
    wanted = [_known(lake.dataset(dataset), every)] if dataset else every
    return [Letters(at, each) for each in wanted if each.id in at.environment.streams]


def _known(dataset: Dataset, streams: list[Dataset]) -> Dataset:
    if dataset not in streams:
        names = ", ".join(each.id for each in streams)
        raise CommandError(f"The dataset '{dataset.id}' is no stream: expected one of {names}. See `quarantine list`.")
    return dataset


def _since(days: int) -> datetime:
    return datetime.now(UTC) - timedelta(days=days)


def _asked(letters: Letters, days: int, rule: str) -> list[Letter]:
    return [each for each in letters.found(_since(days)) if not rule or rule in each.rules]


def _counts(found: list[Letter]) -> list[tuple[Any, ...]]:
    records: Counter[tuple[str, str]] = Counter()
    arrived: dict[tuple[str, str], list[str]] = {}
    for letter in found:
        for rule in letter.rules:
            records[letter.dataset, rule] += len(letter.records)
            times = arrived.setdefault((letter.dataset, rule), [])
            times += [f"{record.arrived:%Y-%m-%d %H:%M:%S}" for record in letter.records]
    return [(*key, records[key], min(arrived[key]), max(arrived[key])) for key in sorted(records)]


def _shown(letter: Letter) -> list[dict[str, Any]]:
    return [
        {
            "dataset": letter.dataset,
            "rules": list(letter.rules),
            "reason": letter.reason,
            "arrived": record.arrived.isoformat(),
            "shard": letter.shard,
            "sequence": letter.sequence,
            "partition_key": record.key,
            "record": record.data.decode(errors="backslashreplace"),
        }
        for record in letter.records
    ]


def _print(record: dict[str, Any]) -> None:
    from cli.console import console

    place = f"{record['dataset']}, {record['shard']} {record['sequence']}, arrived {record['arrived']}"
    console.print(f"\n{place}", style="bold", markup=False, soft_wrap=True)
    told = f"  {', '.join(record['rules'])}: {record['reason']}"
    console.print(told, style="red", markup=False, soft_wrap=True)
    console.print(f"    {record['record']}", markup=False, soft_wrap=True)
