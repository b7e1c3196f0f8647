"""`contract drift` and `contract accept`: where sources are not what contracts say, and additive drift taken up."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Annotated, Any

import typer

from cli.contract_import import LiveOption
from cli.errors import CommandError
from cli.target import EnvOption, JsonOption, Target

if TYPE_CHECKING:
    from cli.discovered import LastCrawl
    from contracts.drift import Drift

DatasetArgument = Annotated[str | None, typer.Argument(help="SOURCE.NAME; all datasets of sources when left out.")]


@dataclass(frozen=True)
class Report:
    """The drift of some datasets, beside the crawls that it is known by."""

    drifts: tuple[Drift, ...]
    crawls: tuple[LastCrawl, ...]

    @property
    def trouble(self) -> list[str]:
        """Why nobody can rely on the sources being as the contracts say."""
        broken = [f"{each.dataset}: {each}" for each in self.drifts if each.grade == "breaking"]
        return broken + [each.sentence for each in self.crawls if each.status != "SUCCEEDED"]


def drift(
    dataset: DatasetArgument = None,
    check: Annotated[bool, typer.Option("--check", help="Exit 1 where drift breaks, or a crawl is missing.")] = False,
    crawl: Annotated[bool, typer.Option("--crawl", help="Let the crawlers look first.")] = False,
    env: EnvOption = "local",
    json: JsonOption = False,
) -> None:
    """Compare contracts with what the crawlers last found in the sources: additive drift, and what breaks."""
    from cli.console import print_json
    from cli.target import target

    lake = target(env)
    report = reported(lake, dataset, crawl=crawl)
    if json:
        print_json({"drift": list(map(asdict, report.drifts)), "crawls": list(map(_plain, report.crawls))})
    else:
        _show(report)
    if check and report.trouble:
        raise CommandError("The sources are not as the contracts say:\n" + "\n".join(report.trouble))


def accept(
    dataset: Annotated[str, typer.Argument(help="SOURCE.NAME: a dataset that has a contract.")],
    live: LiveOption = None,
    env: EnvOption = "local",
) -> None:
    """Write a source's additive drift into its contract, guesses marked for review, as the next minor version."""
    from cli.console import console
    from cli.target import target

    lake = target(env)
    taken = accepted(lake, dataset, live=env == "local" if live is None else live)
    for each in taken:
        console.print(f"  {each}", markup=False)
    file = f"contracts/{dataset.replace('.', '/')}.odcs.yaml"
    told = f"Wrote {file}. Review its lines marked `# review`." if taken else f"{dataset} is as its contract says."
    console.print(told, soft_wrap=True)


def reported(lake: Target, dataset: str | None, *, crawl: bool = False) -> Report:
    from cli import discovered

    wanted = _datasets(lake, dataset)
    sources = sorted({each.source for each in wanted})
    looked = [*sources, *([] if dataset else [discovered.LANDING])]
    look = discovered.crawl if crawl else discovered.last_crawl
    crawls = tuple(look(lake, source) for source in looked)
    known = {source for source, each in zip(looked, crawls, strict=True) if each.status != "NEVER"}
    drifts = [drift for each in wanted if each.source in known for drift in _drifts(lake, each)]
    return Report(tuple(drifts), crawls)


def accepted(lake: Target, dataset: str, *, live: bool) -> Sequence[Drift]:
    """The drift that is now in the contract."""
    from cli import discovered
    from contracts import ContractError, load
    from contracts.amend import accept as written
    from contracts.contract import SUFFIX

    (known,) = _datasets(lake, dataset)
    last = discovered.last_crawl(lake, known.source)
    if last.status != "SUCCEEDED":
        raise CommandError(last.sentence)
    drifts = _drifts(lake, known)
    if not drifts:
        return ()
    found = discovered.find(discovered.tables(lake, known.source), known.source_object)
    columns, _ = discovered.columns(lake, known.source, found, live=live) if found else ([], "")
    path = lake.root / "contracts" / known.source / f"{known.name}{SUFFIX}"
    text = written(path, str(path.relative_to(lake.root)), known.source_object, drifts, columns)
    before = path.read_text(encoding="utf-8")
    path.write_text(text, encoding="utf-8")
    try:
        load(dataset, lake.root)
    except ContractError:
        path.write_text(before, encoding="utf-8")
        raise
    return drifts


def _drifts(lake: Target, dataset: Any) -> list[Drift]:
    from cli import discovered
    from contracts.contract import SUFFIX, open_file
    from contracts.drift import compare

    table = discovered.find(discovered.tables(lake, dataset.source), dataset.source_object)
    path = lake.root / "contracts" / dataset.source / f"{dataset.name}{SUFFIX}"
    properties = open_file(path, dataset.id).properties
    cast = frozenset(each["name"] for each in properties if "transformDescription" in each)
    return compare(dataset, None if table is None or table.gone else table.columns, cast)


def _datasets(lake: Target, dataset: str | None) -> list[Any]:
    import contracts

    wanted = [dataset] if dataset else contracts.ids(lake.root)
    loaded = [contracts.load(each, lake.root) for each in wanted if not each.startswith("gold.")]
    found = [each for each in loaded if not each.is_stream]  # what is posted has no source that could drift
    if not found:
        raise CommandError(f"The dataset '{dataset or ''}': expected one that comes from a source. Name another.")
    return found


def _show(report: Report) -> None:
    from cli.console import console, table

    if report.drifts:
        told = [(each.dataset, each.grade, each.kind, str(each)) for each in report.drifts]
        table("Drift", ("dataset", "class", "what", "in the source"), told)
    elif any(each.status == "SUCCEEDED" for each in report.crawls):
        console.print("No drift: the sources are as the contracts say, as far as crawlers have looked.")
    rows = [(each.crawler, each.status, f"{each.at:%Y-%m-%d %H:%M:%S}" if each.at else "") for each in report.crawls]
    table("\nLast crawls", ("crawler", "status", "at"), rows)
    for each in report.crawls:
        if each.sentence:
            console.print(each.sentence, markup=False, soft_wrap=True)
    if any(each.grade == "additive" for each in report.drifts):
        console.print("Additive drift is taken up by `headwater contract accept SOURCE.NAME`.")


def _plain(each: LastCrawl) -> dict[str, Any]:
    return {**asdict(each), "sentence": each.sentence}
