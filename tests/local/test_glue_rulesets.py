"""Glue Data Quality at the endpoint: rulesets are kept, and what would evaluate them is refused by name."""

from __future__ import annotations

import pytest
from botocore.exceptions import ClientError

from tests.local.conftest import RunningEndpoint

RULES = 'Rules = [ IsComplete "order_id" ]'
TABLE = {"DatabaseName": "lake_silver", "TableName": "shop_orders"}


def test_a_ruleset_is_made_changed_listed_and_deleted(endpoint: RunningEndpoint) -> None:
    glue = endpoint.client("glue")
    glue.create_data_quality_ruleset(Name="orders", Ruleset=RULES, Description="first", TargetTable=TABLE)
    with pytest.raises(glue.exceptions.AlreadyExistsException):
        glue.create_data_quality_ruleset(Name="orders", Ruleset=RULES)
    glue.update_data_quality_ruleset(Name="orders", Description="second")
    held = glue.get_data_quality_ruleset(Name="orders")
    assert (held["Ruleset"], held["Description"], held["TargetTable"]) == (RULES, "second", TABLE)
    assert held["LastModifiedOn"] >= held["CreatedOn"]
    listed = glue.list_data_quality_rulesets(Filter={"TargetTable": TABLE})["Rulesets"]
    assert [each["Name"] for each in listed] == ["orders"]
    assert glue.list_data_quality_rulesets(Filter={"TargetTable": {**TABLE, "TableName": "x"}})["Rulesets"] == []
    glue.delete_data_quality_ruleset(Name="orders")
    with pytest.raises(glue.exceptions.EntityNotFoundException):
        glue.get_data_quality_ruleset(Name="orders")


def test_a_ruleset_longer_than_glue_keeps_is_refused(endpoint: RunningEndpoint) -> None:
    glue = endpoint.client("glue")
    with pytest.raises(ClientError, match="expected 1 to 65536"):
        glue.create_data_quality_ruleset(Name="too long", Ruleset="#" * 65_537)


def test_an_evaluation_is_refused_by_name(endpoint: RunningEndpoint) -> None:
    with pytest.raises(ClientError, match=r"StartDataQualityRulesetEvaluationRun.*does not do it"):
        endpoint.client("glue").start_data_quality_ruleset_evaluation_run(
            DataSource={"GlueTable": TABLE}, Role="x", RulesetNames=["orders"]
        )
