"""Crawlers and the state machine that runs them, as they are deployed."""

from __future__ import annotations

import dataclasses
from typing import Any

import aws_cdk as cdk
import pytest

import config
from datalake.crawlers import CrawlerNameError, LakeCrawlers
from datalake.grants import LakeGrants
from tests.synth.synthesized import Synthesize, Synthesized


def test_each_source_and_the_landing_bucket_have_a_crawler(lake: Synthesized) -> None:
    crawlers = lake.named("Glue::Crawler", "Name")
    assert set(crawlers) == {
        lake.environment.resource(f"crawl-{each}") for each in (*lake.environment.sources, "landing")
    }
    assert len({each["TablePrefix"] for each in crawlers.values()}) == len(crawlers)
    for source, described in lake.environment.sources.items():
        (target,) = crawlers[lake.environment.resource(f"crawl-{source}")]["Targets"]["JdbcTargets"]
        assert target["ConnectionName"] == lake.environment.resource(source)
        assert target["Path"].startswith(f"{described.database}/")


def test_crawlers_find_out_and_never_delete(lake: Synthesized) -> None:
    for each in lake.properties("Glue::Crawler"):
        assert each["DatabaseName"] == lake.environment.database("discovered")
        assert each["SchemaChangePolicy"]["DeleteBehavior"] != "DELETE_FROM_DATABASE"


def test_a_crawler_may_write_no_table_but_its_own_finds(lake: Synthesized) -> None:
    roles = _crawler_roles(lake)
    assert roles
    for role in roles:
        written = [
            resource
            for each in _statements(role)
            if {"glue:CreateTable", "glue:UpdateTable"} & set(_listed(each["Action"]))
            for resource in _listed(each["Resource"])
            if ":table/" in str(resource)
        ]
        noun = role["RoleName"].partition("-crawl-")[2]
        assert [each.partition(":table/")[2] for each in written] == [
            f"{lake.environment.database('discovered')}/{noun}_*"
        ]
        assert not [each for each in _statements(role) if "glue:DeleteTable" in _listed(each["Action"])]


def test_the_state_machine_is_started_when_the_environment_says(synthesize: Synthesize) -> None:
    assert synthesize("local").environment.crawl_schedule == ""
    prod = synthesize("prod")
    schedule = prod.named("Scheduler::Schedule", "Name")["headwater-prod-crawl"]
    assert schedule["ScheduleExpression"] == prod.environment.crawl_schedule
    machine = prod.named("StepFunctions::StateMachine", "StateMachineName")["headwater-prod-crawl"]
    started = machine["DefinitionSubstitutions"]["Crawlers"].split(",")
    assert set(started) == set(prod.named("Glue::Crawler", "Name"))


def test_a_source_that_would_take_the_landing_crawlers_name_is_refused() -> None:
    environment = config.load("local")
    sources = {**environment.sources, "landing": environment.sources["saas"]}
    taken = dataclasses.replace(environment, sources=sources)
    with pytest.raises(CrawlerNameError, match="The source 'landing': expected another name"):
        LakeCrawlers(cdk.Stack(), "Crawlers", environment=taken, lake=LakeGrants(taken, key_arn="arn:aws:kms:::key/1"))


def _crawler_roles(lake: Synthesized) -> list[dict[str, Any]]:
    crawlers = lake.named("Glue::Crawler", "Name")
    return [each for each in lake.properties("IAM::Role") if each["RoleName"] in crawlers]


def _statements(role: dict[str, Any]) -> list[dict[str, Any]]:
    return [each for policy in role["Policies"] for each in policy["PolicyDocument"]["Statement"]]


def _listed(value: str | list[str]) -> list[str]:
    return value if isinstance(value, list) else [value]
