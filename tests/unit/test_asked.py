"""An execution's input: what commands write is what a person may type, and a wrong one is refused in a sentence."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import pytest

from lake.asked import Asked, ExecutionInputError, read
from lake.model import Lake, UnknownDatasetError
from lake.runs import RunId, RunIdError
from tests.unit.compiled_lake import DATASETS, ENVIRONMENT, PIPELINE

NOW = datetime(2026, 11, 22, 3, tzinfo=UTC)
RUN = RunId.parse("tickit-20261121T0000-02")
FIRST = "tickit-20261121T0000-01"
OTHER = {**PIPELINE, "name": "other", "datasets": ["saas.users"], "models": []}
LAKE = Lake.from_dict({"environment": ENVIRONMENT, "datasets": DATASETS, "pipelines": [PIPELINE, OTHER]})


def asked(given: Any, run: str = str(RUN)) -> Asked:
    return read(given, RunId.parse(run), LAKE, NOW)


def test_an_execution_without_input_runs_the_pipeline() -> None:
    assert asked({}) == asked({"pipeline": "tickit"}) == Asked("tickit")


@pytest.mark.parametrize(
    "said",
    [
        Asked("tickit"),
        Asked("tickit", "backfill", datasets=("saas.users",)),
        Asked("tickit", "rerun", FIRST, "refine"),
        Asked("tickit", "replay", datasets=("saas.users", "ecommerce.sales")),
    ],
)
def test_what_commands_write_is_read_as_it_was_meant(said: Asked) -> None:
    assert asked(json.loads(said.to_input())) == said


REFUSED: list[tuple[Any, str]] = [
    ([], r"The input '\[\]': expected a JSON object"),
    ({"dataset": ["saas.users"]}, "The field 'dataset' .* Did you mean 'datasets'?"),
    ({"pipeline": "other"}, "'other': expected 'tickit'"),
    ({"mode": "re-run"}, "The mode 're-run': expected one of run, backfill, rerun, replay. Did you mean 'rerun'?"),
    ({"mode": 1}, "The mode '1'"),
    ({"mode": "rerun", "repeats": FIRST, "first_step": "modell"}, "The first_step 'modell'.* Did you mean 'model'?"),
    ({"mode": "rerun"}, 'expected "repeats"'),
    ({"mode": "rerun", "repeats": str(RUN)}, "expected another run"),
    ({"mode": "rerun", "repeats": "tickit-20261120T0000-01"}, "over the interval 20261121T0000"),
    ({"repeats": FIRST}, "The repeats .* expected only with mode rerun"),
    ({"mode": "backfill", "first_step": "model"}, "The first_step 'model' of a backfill"),
    ({"datasets": "saas.users"}, "expected a list of ids"),
    ({"datasets": ["gold.sales_by_date"]}, "is gold, which is built whole"),
    ({"mode": "rerun", "repeats": FIRST, "first_step": "model", "datasets": ["saas.users"]}, "expected none"),
]


@pytest.mark.parametrize(("given", "sentence"), REFUSED)
def test_a_wrong_input_is_refused_with_what_was_expected(given: Any, sentence: str) -> None:
    with pytest.raises(ExecutionInputError, match=sentence):
        asked(given)


def test_a_dataset_that_is_not_of_the_pipeline_is_refused() -> None:
    with pytest.raises(UnknownDatasetError, match=r"Did you mean 'saas\.users'"):
        asked({"datasets": ["saas.user"]})
    with pytest.raises(ExecutionInputError, match=r"'ecommerce\.sales' is not of pipeline 'other'"):
        asked({"datasets": ["ecommerce.sales"]}, "other-20261121T0000-01")
    with pytest.raises(RunIdError, match="'yesterday'"):
        asked({"mode": "rerun", "repeats": "yesterday"})


@pytest.mark.parametrize(
    ("name", "sentence"),
    [
        ("tickit-20261121T0130-01", "such as tickit-20261121T0000-01"),
        ("tickit-20261122T0000-01", "an interval that is over"),
    ],
)
def test_a_backfill_loads_a_whole_interval_that_is_over(name: str, sentence: str) -> None:
    assert asked({"mode": "backfill"}).mode == "backfill"
    with pytest.raises(ExecutionInputError, match=sentence):
        asked({"mode": "backfill"}, name)
