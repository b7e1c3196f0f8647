"""What an execution is asked to do: its input, as commands write it and as a person types it in the console."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from difflib import get_close_matches
from typing import Any, get_args

from lake.model import Lake, Pipeline
from lake.records import PIPELINE_STEPS, Mode, Step
from lake.runs import RunId, interval_start

KEYS = ("pipeline", "mode", "repeats", "first_step", "datasets")
MODES: tuple[Mode, ...] = get_args(Mode)


class ExecutionInputError(ValueError):
    """An execution's input that asks for what cannot be done."""


@dataclass(frozen=True)
class Asked:
    """A checked input. Of the datasets none named means all; gold is built whole in any case."""

    pipeline: str
    mode: Mode = "run"
    repeats: str = ""
    first_step: Step = "ingest"
    datasets: tuple[str, ...] = ()

    def to_input(self) -> str:
        """The input that says the same; what is not said is left out."""
        return json.dumps({name: value for name, value in asdict(self).items() if value and value != _UNSAID.get(name)})


_UNSAID = {"mode": "run", "first_step": "ingest"}


def read(given: Any, run: RunId, lake: Lake, now: datetime) -> Asked:
    """The input of the execution whose name is this run; raises a sentence for whatever is wrong with it."""
    pipeline = lake.pipeline(run.pipeline)
    said = _shape(given, pipeline)
    mode = _one_of("mode", said.get("mode", "run"), MODES)
    first_step = _one_of("first_step", said.get("first_step", "ingest"), PIPELINE_STEPS)
    repeats = said.get("repeats", "")
    if mode == "backfill":
        _check_interval(run, pipeline, now)
    if mode == "rerun":
        _check_repeats(repeats, run)
    elif repeats or first_step not in ("apply", "ingest"):
        name, value = ("repeats", repeats) if repeats else ("first_step", first_step)
        raise ExecutionInputError(
            f"The {name} '{value}' of a {mode}: expected only with mode rerun."
            ' Add "mode": "rerun" and "repeats": RUN, or leave it out.'
        )
    datasets = _datasets(said.get("datasets", []), pipeline, lake)
    if datasets and first_step == "model":
        raise ExecutionInputError(
            f"The datasets '{', '.join(datasets)}' of a rerun from step model: expected none, since gold is built"
            " whole. Leave them out, or begin at refine."
        )
    return Asked(pipeline.name, mode, repeats, first_step, datasets)


def _shape(given: Any, pipeline: Pipeline) -> Mapping[str, Any]:
    if not isinstance(given, Mapping):
        raise ExecutionInputError(
            f"The input '{json.dumps(given)[:100]}': expected a JSON object, such as {_example(pipeline)}."
        )
    if unknown := sorted(set(given) - set(KEYS)):
        raise ExecutionInputError(
            f"The field '{unknown[0]}' of the input: expected one of {', '.join(KEYS)}.{_near(unknown[0], KEYS)}"
        )
    if given.get("pipeline", pipeline.name) != pipeline.name:
        raise ExecutionInputError(
            f"The pipeline '{given['pipeline']}': expected '{pipeline.name}', which this state machine runs."
            " Leave it out, or start the other state machine."
        )
    return given


def _one_of(field: str, value: Any, known: tuple[Any, ...]) -> Any:
    if value not in known:
        raise ExecutionInputError(
            f"The {field} '{value}': expected one of {', '.join(known)}.{_near(value, known)} Correct the input."
        )
    return value


def _check_interval(run: RunId, pipeline: Pipeline, now: datetime) -> None:
    """A backfill loads an interval: one of the pipeline's, and over."""
    start, length = interval_start(run.logical, pipeline.interval_hours), timedelta(hours=pipeline.interval_hours)
    if start != run.logical:
        raise ExecutionInputError(
            f"The backfill '{run}': expected the start of an interval of {pipeline.interval_hours} h in the name, such"
            f" as {RunId(run.pipeline, start, run.number)}. Start it with `./headwater backfill {run.pipeline}`."
        )
    if start + length > now:
        raise ExecutionInputError(
            f"The backfill '{run}': expected an interval that is over, and this one ends at"
            f" {start + length:%Y-%m-%d %H:%M} UTC. Wait for it, or start a run of mode run."
        )


def _check_repeats(repeats: Any, run: RunId) -> None:
    if not isinstance(repeats, str) or not repeats:
        raise ExecutionInputError(
            f'The rerun \'{run}\': expected "repeats", the run that it is to repeat. Add "repeats": RUN, or start it'
            " with `./headwater rerun RUN`."
        )
    of = RunId.parse(repeats)
    if (of.pipeline, of.logical) != (run.pipeline, run.logical) or of == run:
        raise ExecutionInputError(
            f"The rerun '{run}' of '{repeats}': expected another run of {run.pipeline} over the interval"
            f" {run.logical_text}. Name the execution after the interval that it repeats."
        )


def _datasets(named: Any, pipeline: Pipeline, lake: Lake) -> tuple[str, ...]:
    """In the pipeline's order."""
    if not isinstance(named, list | tuple) or not all(isinstance(each, str) for each in named):
        raise ExecutionInputError(
            f"The datasets '{json.dumps(named)[:100]}': expected a list of ids, such as"
            f' ["{pipeline.datasets[0]}"]. Correct the input.'
        )
    for each in named:
        if each in pipeline.models:
            raise ExecutionInputError(
                f"The dataset '{each}' is gold, which is built whole: expected one of {', '.join(pipeline.datasets)}."
                " Leave it out; a rerun from step model builds gold alone."
            )
        if each not in pipeline.datasets:
            lake.dataset(each)  # one that no contract describes is refused in its own words
            raise ExecutionInputError(
                f"The dataset '{each}' is not of pipeline '{pipeline.name}': expected one of"
                f" {', '.join(pipeline.datasets)}. Start the pipeline that loads it."
            )
    return tuple(each for each in pipeline.datasets if each in named)


def _example(pipeline: Pipeline) -> str:
    return Asked(pipeline.name).to_input()


def _near(value: Any, known: tuple[str, ...]) -> str:
    near = get_close_matches(str(value), known, n=1)
    return f" Did you mean '{near[0]}'?" if near else ""
