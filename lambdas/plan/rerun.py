"""What a rerun works on: the datasets of the run that it repeats, and that run's loads where ingest is left out."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from lake.asked import Asked
from lake.ledger import Ledger, Load, Outcome, RunNotFoundError
from lake.model import Pipeline
from lake.runs import RunId


class CannotRepeatError(ValueError):
    """A rerun from a step whose input the repeated run never made."""


def datasets_of(ledger: Ledger, asked: Asked, pipeline: Pipeline) -> tuple[str, ...]:
    """Those asked for, else those of the repeated run; none where gold alone is built."""
    if ledger.run(asked.repeats) is None:
        raise RunNotFoundError(
            f"The run '{asked.repeats}': expected in the ledger. `./headwater runs {pipeline.name}` lists its runs."
        )
    whole = ledger.whole(asked.repeats)
    repeated = tuple(each for each in whole.datasets if each in pipeline.datasets)
    if asked.first_step != "model":
        return asked.datasets or repeated or pipeline.datasets
    refined = ledger.succeeded(asked.repeats, "refine")
    if missing := [each for each in repeated if each not in refined]:
        raise CannotRepeatError(
            f"The run '{asked.repeats}' did not refine {', '.join(missing)}: expected all of silver before gold is"
            f" built. Rerun it from an earlier step: `./headwater rerun {asked.repeats} --from ingest`."
        )
    return ()


def adopt(ledger: Ledger, asked: Asked, run: RunId, attempt: int, datasets: Iterable[str]) -> None:
    """The repeated run's loads count as this run's, as if it had ingested the same files; twice is as once."""
    loads = {each: ledger.load(each, asked.repeats) for each in datasets}
    if missing := [dataset for dataset, load in loads.items() if load is None]:
        raise CannotRepeatError(
            f"The run '{asked.repeats}' has no load of {', '.join(missing)}: expected one to refine again."
            f" Rerun it from ingest: `./headwater rerun {asked.repeats} --from ingest`."
        )
    for dataset, load in loads.items():
        if load is not None:
            _adopt(ledger, dataset, replace(load, run=str(run), attempt=attempt))


def _adopt(ledger: Ledger, dataset: str, load: Load) -> None:
    ledger.commit_load(dataset, load)
    ledger.record(
        Outcome(
            load.run,
            load.attempt,
            "ingest",
            dataset,
            "succeeded",
            read=load.rows,
            inserted=load.rows,
            files=load.files,
        )
    )
