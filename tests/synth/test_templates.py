"""Rules that hold for every template of every environment."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

import contracts
from tests.synth.synthesized import ROOT, Synthesize, Synthesized

NAMES = {
    "ApiGateway::RestApi": "Name",
    "Athena::WorkGroup": "Name",
    "CloudWatch::Alarm": "AlarmName",
    "DynamoDB::Table": "TableName",
    "Events::Rule": "Name",
    "Glue::Job": "Name",
    "Glue::SecurityConfiguration": "Name",
    "IAM::Role": "RoleName",
    "Lambda::Function": "FunctionName",
    "SNS::Topic": "TopicName",
    "SQS::Queue": "QueueName",
    "Scheduler::Schedule": "Name",
    "StepFunctions::StateMachine": "StateMachineName",
}
UNTAGGED = {  # CloudFormation takes no tags for these
    "AWS::ApiGateway::Deployment",
    "AWS::ApiGateway::UsagePlanKey",
    "AWS::Athena::NamedQuery",
    "AWS::Budgets::Budget",
    "AWS::Glue::Connection",
    "AWS::Glue::Database",
    "AWS::Glue::SecurityConfiguration",
    "AWS::IAM::ManagedPolicy",
    "AWS::KMS::Alias",
    "AWS::LakeFormation::PrincipalPermissions",
    "AWS::LakeFormation::Resource",
    "AWS::LakeFormation::Tag",
    "AWS::LakeFormation::TagAssociation",
    "AWS::Lambda::LayerVersion",
    "AWS::Lambda::Permission",
    "AWS::Logs::MetricFilter",
    "AWS::S3::BucketPolicy",
    "AWS::SNS::Subscription",
    "AWS::SNS::TopicPolicy",
    "AWS::SQS::QueuePolicy",
    "AWS::Scheduler::Schedule",
}


def test_stacks_neither_export_nor_import(lake: Synthesized) -> None:
    text = json.dumps(lake.templates)
    assert not re.search(r'"Fn::ImportValue"|"Fn::GetStackOutput"|"Export"', text)


def test_there_are_no_custom_resources(lake: Synthesized) -> None:
    types = {each["Type"] for each in lake.resources()}
    assert not {each for each in types if each.startswith("Custom::") or each == "AWS::CloudFormation::CustomResource"}


def test_the_environment_is_named_where_it_is_deployed(lake: Synthesized) -> None:
    manifest = json.loads((lake.folder / "manifest.json").read_text())["artifacts"].values()
    places = {each["environment"] for each in manifest if each["type"] == "aws:cloudformation:stack"}
    assert places == {f"aws://{lake.environment.account}/{lake.environment.region}"}


def test_stacks_are_deployed_in_the_order_in_which_they_need_each_other(lake: Synthesized) -> None:
    artifacts = json.loads((lake.folder / "manifest.json").read_text())["artifacts"]
    needed = {}
    for stack in lake.templates:
        name = lake.environment.resource(stack)
        needed[stack] = {
            each.rpartition("-")[2] for each in artifacts[name]["dependencies"] if not each.endswith(".assets")
        }
    assert needed == {
        "storage": set(),
        "catalog": {"storage"},
        "pipeline": {"catalog"},
        "governance": {"pipeline"},
        "monitoring": {"pipeline"},
        "stream": {"monitoring"},
    }


@pytest.mark.parametrize("resource_type", NAMES)
def test_names_follow_the_rule(synthesize: Synthesize, resource_type: str) -> None:
    names = [each[NAMES[resource_type]] for each in synthesize("prod").properties(resource_type)]
    assert names
    assert all(name.startswith("headwater-prod-") for name in names)


def test_everything_that_takes_tags_has_those_of_the_environment(lake: Synthesized) -> None:
    wanted = dict(lake.environment.tags)
    for each in lake.resources():
        if each["Type"] in UNTAGGED:
            continue
        tags = each["Properties"].get("Tags", {})
        found = tags if isinstance(tags, dict) else {tag["Key"]: tag["Value"] for tag in tags}
        assert wanted.items() <= found.items(), each["Type"]


def test_no_check_of_cdk_nag_fails(lake: Synthesized) -> None:
    nag = next(plugin for plugin in lake.report if plugin["pluginName"] == "AwsSolutions")
    assert (nag["conclusion"], nag["violations"]) == ("success", [])


def test_each_accepted_finding_is_accepted_at_its_own_construct_with_a_reason(lake: Synthesized) -> None:
    for plugin in lake.report:
        for finding in plugin["suppressedViolations"]:
            path = finding["violatingConstructs"][0]["constructPath"]
            assert path in (finding["acknowledgedAt"], f"{finding['acknowledgedAt']}/Resource")
            assert len(finding["reason"].split()) >= 5, finding["reason"]


def test_cfn_lint_finds_nothing(synthesize: Synthesize) -> None:
    folders = [synthesize(environment).folder for environment in ("dev", "prod")]
    templates = [str(path) for folder in folders for path in sorted(folder.glob("*.template.json"))]
    done = subprocess.run(
        [Path(sys.executable).with_name("cfn-lint"), *templates], cwd=ROOT, capture_output=True, text=True
    )
    assert (done.returncode, done.stdout) == (0, "")


def test_nothing_in_a_template_grows_with_datasets(lake: Synthesized) -> None:
    """Tables, partitions and the like are made from contracts, at run time."""
    tables = {dataset.replace(".", "_") for dataset in contracts.ids(ROOT)}
    others = [each for each in lake.resources() if each["Type"] != "AWS::Athena::NamedQuery"]
    assert not [table for table in tables if table in json.dumps(others)]
    assert not lake.resources("Glue::Table", "Glue::Partition", "Glue::DataQualityRuleset")
