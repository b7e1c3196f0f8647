# ruff: noqa: E501  (a case reads best in one line)
"""Pipelines, and the compiled lake: what jobs and functions read is what contracts, pipelines and config say."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

import config
import contracts
import pipelines
from benchmarks.many_contracts import make
from config import ConfigError
from contracts import compile
from lake.model import Lake
from pipelines import PipelineError
from tests.unit.lake_root import change, shipped

TICKIT = "pipelines/tickit.yaml"


@pytest.fixture
def lake(tmp_path: Path) -> Lake:
    return compiled(tmp_path)


def compiled(folder: Path, environment: str = "local", root: Path = contracts.ROOT) -> Lake:
    compile.write(folder, config.load(environment), root)
    package = folder / "compiled"
    return Lake(
        lambda name: (package / name).read_text(encoding="utf-8"),
        lambda part: [path.name for path in (package / part).iterdir()],
    )


def test_a_compiled_dataset_is_what_its_contract_says(lake: Lake) -> None:
    datasets = contracts.load_all()
    assert [each for each in lake.dataset_ids() if not lake.dataset(each).masked_of] == sorted(datasets)
    assert {each: replace(lake.dataset(each), governed="") for each in datasets} == datasets


def test_a_masked_dataset_has_a_table_beside_it_of_a_lower_class(lake: Lake) -> None:
    """And the pipeline that loads it makes it; no other file says so."""
    users, shown = lake.dataset("saas.users"), lake.dataset("saas.users__masked")
    assert (shown.table, shown.layer, shown.contract) == ("saas_users__masked", "silver", users.id)
    assert {each.classification for each in shown.columns} == {"internal"}
    assert not {"email", "first_name", "last_name", "city"} & {each.name for each in shown.columns}
    [user_id] = [each for each in shown.columns if each.name == "user_id"]
    assert (user_id.type, shown.key) == ("string", ("user_id",))
    assert user_id.description.startswith(
        "A hash under a secret key, alike wherever it is masked as saas_users.user_id."
    )
    assert shown.id in lake.pipeline("tickit").models
    assert (len(shown.rules), len(shown.references)) == (0, 0)
    assert not shown.cursor


def test_the_compiled_environment_holds_the_names_that_config_makes(lake: Lake) -> None:
    local, known = config.load("local"), lake.environment
    assert known.buckets["gold"] == local.bucket("gold")
    assert known.databases["silver"] == local.database("silver")
    assert known.connections == {name: f"headwater-local-{name}" for name in ("saas", "ecommerce", "crm")}
    assert known.resources["tickit"] == "headwater-local-tickit"
    assert lake.location(lake.dataset("gold.dim_event")) == f"s3://{local.bucket('gold')}/dim_event/"


def test_an_environment_may_switch_a_schedule_off(tmp_path: Path, lake: Lake) -> None:
    assert pipelines.load("tickit").schedule == "cron(0 3 * * ? *)"
    assert lake.pipeline("tickit").schedule == ""
    assert compiled(tmp_path / "prod", "prod").pipeline("tickit").schedule == "cron(0 3 * * ? *)"


def test_compiling_twice_gives_the_same_bytes(tmp_path: Path) -> None:
    for name in ("first", "second"):
        compile.write(tmp_path / name, config.load("dev"))
    first, second = (
        {path.relative_to(tmp_path / name): path.read_bytes() for path in (tmp_path / name).rglob("*.*")}
        for name in ("first", "second")
    )
    assert first == second


def test_the_hash_is_the_same_in_every_environment(tmp_path: Path, lake: Lake) -> None:
    prod = compiled(tmp_path / "prod", "prod")
    assert all(prod.dataset(each).hash == lake.dataset(each).hash for each in lake.dataset_ids())


def test_a_grown_lake_compiles_with_all_its_datasets_in_pipelines(tmp_path: Path) -> None:
    root = make(tmp_path / "root", datasets=40, pipelines_wanted=5)
    grown = compiled(tmp_path / "compiled", root=root)
    masks = sum(bool(grown.dataset(each).masked_of) for each in grown.dataset_ids())
    assert len(grown.dataset_ids()) == 40 + masks
    assert sum(len(each.datasets) + len(each.models) for each in grown.pipelines()) == 40 + masks
    assert len(grown.pipeline_names()) == 5


def test_a_source_without_a_database_is_refused(tmp_path: Path) -> None:
    root = shipped(tmp_path)
    text = (root / "contracts/saas/category.odcs.yaml").read_text().replace("urn:headwater:saas:", "urn:headwater:erp:")
    (root / "contracts/erp").mkdir()
    (root / "contracts/erp/category.odcs.yaml").write_text(text)
    with pytest.raises(ConfigError, match=r"config/dev.yaml:\d+: sources: 'erp': expected among sources"):
        compile.write(tmp_path / "out", config.load("dev"), root)


def test_a_dataset_of_events_without_a_stream_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"streams: 'clinic.immunizations': expected among streams, since its"):
        compile.write(tmp_path / "out", replace(config.load("dev"), streams={}))


def test_a_stream_whose_dataset_is_loaded_in_another_way_is_refused(tmp_path: Path) -> None:
    dev = config.load("dev")
    streams = {**dev.streams, "saas.users": dev.streams["clinic.immunizations"]}
    with pytest.raises(ConfigError, match=r"'saas.users': expected a dataset whose contract says loadMode stream"):
        compile.write(tmp_path / "out", replace(dev, streams=streams))


def test_a_schedule_for_no_pipeline_is_refused(tmp_path: Path) -> None:
    root = shipped(tmp_path)
    (root / TICKIT).rename(root / "pipelines/tickets.yaml")
    with pytest.raises(ConfigError, match=r"schedules.tickit: 'tickit': expected a pipeline. Did you mean 'tickets'\?"):
        compile.write(tmp_path / "out", config.load("dev"), root)


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        ("saas.users", "saas.user", "datasets[0]: 'saas.user': expected a dataset that has a contract. Did you mean 'saas.users'?"),
        ("saas.users", "gold.dim_event", "datasets[0]: 'gold.dim_event': expected a dataset that has a contract."),
        ("gold.dim_seller", "gold.seller", "models[2]: 'gold.seller': expected a gold dataset that has a contract. Did you mean 'gold.dim_seller'?"),
        ("saas.venue", "saas.users", "datasets[1]: 'saas.users': expected each once. Remove one of the two."),
        ("cron(0 3 * * ? *)", "daily", "schedule: 'daily': expected off, or a schedule such as cron(0 3 * * ? *), in UTC."),
        ("sla_minutes", "sla_minute", "'sla_minute': expected a name that is known here. Did you mean 'sla_minutes'?"),
        ("interval_hours: 24", "interval_hours: 0", "interval_hours: '0': expected how many hours of data"),
    ],
)  # fmt: skip
def test_a_pipeline_that_names_what_is_not_there_is_refused(tmp_path: Path, old: str, new: str, says: str) -> None:
    root = shipped(tmp_path)
    change(root, TICKIT, old, new)
    with pytest.raises(PipelineError) as caught:
        pipelines.load_all(root)
    assert says in str(caught.value)
    assert str(caught.value).startswith(f"{TICKIT}:")


def test_an_unknown_pipeline_names_the_nearest() -> None:
    with pytest.raises(PipelineError, match=r"'ticket': expected a pipeline. Did you mean 'tickit'\?"):
        pipelines.load("ticket")


def test_a_model_comes_after_those_that_it_reads(tmp_path: Path) -> None:
    root = shipped(tmp_path)
    change(root, "models/sales_by_category.sql", "FROM ecommerce_sales", "FROM gold_dim_seller AS g, ecommerce_sales")
    with pytest.raises(PipelineError, match=r"models\[0\]: 'gold.sales_by_category': expected after 'gold.dim_seller'"):
        compile.write(tmp_path / "out", config.load("dev"), root)


def test_a_pipeline_is_at_most_twenty_lines() -> None:
    for name in pipelines.names():
        assert len((contracts.ROOT / "pipelines" / f"{name}.yaml").read_text().splitlines()) <= 20
