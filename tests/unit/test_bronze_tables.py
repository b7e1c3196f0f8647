"""A stream's tables in bronze: made from the contract, kept to it, and missed when they are gone."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import boto3
import pytest
from moto import mock_aws

import config
import contracts
from contracts.compile import describe
from glue_jobs import projection
from lake.model import Dataset, Lake
from lake.parts import Column
from lambdas.plan.handler import must_apply, tables_of

EVENTS = contracts.load("clinic.immunizations")
ENVIRONMENT = describe(config.load("local"))
NAMES = ["clinic_immunizations", "clinic_immunizations__dead_letters"]


class NamedLake(Lake):
    """Names alone: no dataset is read."""

    environment = ENVIRONMENT


LAKE = NamedLake(lambda path: "", lambda folder: [])
DATABASE = ENVIRONMENT.databases["bronze"]


@pytest.fixture
def glue() -> Iterator[Any]:
    with pytest.MonkeyPatch.context() as patch, mock_aws():
        for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
            patch.setenv(name, "testing")
        patch.delenv("AWS_ENDPOINT_URL", raising=False)
        client = boto3.client("glue", region_name="us-east-1")
        client.create_database(DatabaseInput={"Name": DATABASE})
        yield client


def columns(glue: Any, name: str) -> dict[str, str]:
    table = glue.get_table(DatabaseName=DATABASE, Name=name)["Table"]
    return {each["Name"]: each["Type"] for each in table["StorageDescriptor"]["Columns"]}


def versions(glue: Any) -> list[int]:
    return [len(glue.get_table_versions(DatabaseName=DATABASE, TableName=name)["TableVersions"]) for name in NAMES]


def grown() -> Dataset:
    return replace(EVENTS, columns=(*EVENTS.columns, Column("route", "string", "route")))


def test_every_field_and_place_of_an_event_is_a_column_of_text(glue: Any) -> None:
    projection.register(glue, LAKE, EVENTS)
    assert projection.present(glue, LAKE) == set(NAMES)
    found = columns(glue, NAMES[0])
    assert list(found) == [*(each.source for each in EVENTS.columns), "_arrived_at", "_shard", "_sequence"]
    assert set(found.values()) == {"string"}


def test_each_field_carries_what_the_contract_says_of_it(glue: Any) -> None:
    projection.register(glue, LAKE, EVENTS)
    table = glue.get_table(DatabaseName=DATABASE, Name=NAMES[0])["Table"]
    said = {each["Name"]: each.get("Comment") for each in table["StorageDescriptor"]["Columns"]}
    for column in EVENTS.columns:
        assert said[column.source.lower()] == column.description


def test_what_is_as_the_contract_says_is_not_written_again(glue: Any) -> None:
    for _ in range(2):
        projection.register(glue, LAKE, EVENTS)
    assert versions(glue) == [1, 1]


def test_a_new_field_of_the_contract_is_a_new_column(glue: Any) -> None:
    for each in (EVENTS, grown()):
        projection.register(glue, LAKE, each)
    assert versions(glue) == [2, 1]
    assert "route" in columns(glue, NAMES[0])


def test_a_field_spelt_with_capitals_is_found_by_the_column_that_is_not() -> None:
    mixed = replace(EVENTS, columns=(Column("route", "string", "routeOfShot"),))
    for dataset, told in ((EVENTS, "false"), (mixed, "true")):
        table = projection.tables(LAKE, dataset)[0]
        assert table["StorageDescriptor"]["SerdeInfo"]["Parameters"]["case.insensitive"] == told
    assert "routeofshot" in {each["Name"] for each in table["StorageDescriptor"]["Columns"]}


def test_a_run_applies_contracts_where_a_table_of_bronze_is_gone() -> None:
    there = set(tables_of(EVENTS))
    applied = {EVENTS.id: EVENTS.hash}
    assert not must_apply([EVENTS], applied, there)
    assert must_apply([EVENTS], applied, there - {f"bronze.{NAMES[1]}"})
