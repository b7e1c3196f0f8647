"""What Lake Formation is told by templates: from contracts and roles, and nothing that is not ours."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import replace
from pathlib import Path
from typing import Any

import aws_cdk as cdk
import pytest
from aws_cdk.assertions import Template

import config
from contracts import compile
from lake.parts import Dataset
from lake.rights import Plan
from stacks.governance_stack import GovernanceStack
from tests.synth.synthesized import ROOT, Synthesize, Synthesized
from tests.unit.lake_root import BY_CATEGORY, change, shipped

FORMATION = "AWS::LakeFormation::"
TRAIL = "AWS::CloudTrail::Trail"


@pytest.fixture(scope="module")
def prod(synthesize: Synthesize) -> Synthesized:
    return synthesize("prod")


def grants(lake: Synthesized) -> list[dict[str, Any]]:
    return lake.properties("LakeFormation::PrincipalPermissions")


def by_tags(lake: Synthesized, role: str) -> dict[str, dict[str, set[str]]]:
    """What a role is granted by tags: by kind and permission, the values of each tag."""
    arn = f"arn:aws:iam::{lake.environment.account}:role/{lake.environment.role(role)}"
    return {
        f"{each['Resource']['LFTagPolicy']['ResourceType']} {each['Permissions'][0]}": {
            tag["TagKey"].rpartition("-")[2]: set(tag["TagValues"])
            for tag in each["Resource"]["LFTagPolicy"]["Expression"]
        }
        for each in grants(lake)
        if each["Principal"]["DataLakePrincipalIdentifier"] == arn
    }


def test_the_accounts_settings_are_left_alone(lake: Synthesized) -> None:
    assert not lake.resources("LakeFormation::DataLakeSettings")


def test_in_mode_iam_lake_formation_is_told_nothing() -> None:
    environment = replace(config.load("local"), governance="iam")
    made = compile.read(environment)
    app = cdk.App(builtin_cloud_formation_validation=False)  # Node takes seconds for it
    stack = GovernanceStack(app, "Iam", environment=environment, plan=made.plan, readable=made.readable)
    template = Template.from_stack(stack).to_json()["Resources"].values()
    assert len([each for each in template if each["Type"] == "AWS::IAM::Role"]) == len(environment.roles)
    assert not [each for each in template if each["Type"].startswith(FORMATION)]
    assert [each for each in template if each["Type"] == TRAIL], "accesses are logged in every mode"


def test_a_role_sees_its_classes_in_its_layers_and_no_table_that_has_row_filters(prod: Synthesized) -> None:
    for name, role in prod.environment.roles.items():
        found = by_tags(prod, name).get("TABLE SELECT")
        if not role.classes or role.limits:
            assert found is None
            continue
        assert found == {"access": {"tags"}, "classification": set(role.sees), "layer": set(role.reads)}
    assert by_tags(prod, "auditor")["TABLE DESCRIBE"] == {"layer": {"bronze", "silver", "gold"}}


def test_each_grant_is_one_permission_so_that_replacing_it_takes_no_other_away(prod: Synthesized) -> None:
    made = [json.dumps(each, sort_keys=True) for each in grants(prod)]
    assert all(len(each["Permissions"]) == 1 for each in grants(prod))
    assert len(made) == len(set(made))


def test_grants_are_made_one_after_the_other(prod: Synthesized) -> None:
    resources = prod.templates["governance"]["Resources"]
    chain = {key for key, each in resources.items() if each["Type"].startswith(FORMATION)}
    followed = Counter(earlier for key in chain for earlier in resources[key].get("DependsOn", ()) if earlier in chain)
    assert len(followed) == len(chain) - 1
    assert set(followed.values()) == {1}


def test_jobs_have_their_layers_by_name_and_none_by_tags(prod: Synthesized) -> None:
    jobs = [each for each in grants(prod) if each["Principal"]["DataLakePrincipalIdentifier"].endswith("-job")]
    assert jobs
    assert not [each for each in jobs if "LFTagPolicy" in each["Resource"]]
    grantable = [each for each in jobs if each["PermissionsWithGrantOption"]]
    assert {each["Principal"]["DataLakePrincipalIdentifier"].rpartition("/")[2] for each in grantable} == {
        "headwater-prod-apply-job"
    }


def by_iam(lake: Synthesized, *verbs: str) -> dict[str, set[str]]:
    """The layers in which each role of a job or function may do such things to tables, as its policies say."""
    layers = {lake.environment.database(each): each for each in ("bronze", "silver", "gold")}
    found: dict[str, set[str]] = {}
    for name, role in lake.named("IAM::Role", "RoleName").items():
        for policy in role.get("Policies", ()):
            for said in policy["PolicyDocument"]["Statement"]:
                tables = {str(each).split("/")[1] for each in said["Resource"] if ":table/" in str(each)}
                if any(str(each).removeprefix("glue:").startswith(verbs) for each in said["Action"]) and tables:
                    found.setdefault(name, set()).update(layers[each] for each in tables & layers.keys())
    consumer = lake.environment.role("")
    return {name: held for name, held in found.items() if held and not name.startswith(consumer)}


def by_name(lake: Synthesized, kind: str, *permissions: str) -> dict[str, set[str]]:
    """The same as Lake Formation grants it by name."""
    layers = {lake.environment.database(each): each for each in ("bronze", "silver", "gold")}
    layers |= {f"arn:aws:s3:::{lake.environment.bucket(each)}": each for each in ("bronze", "silver", "gold")}
    found: dict[str, set[str]] = {}
    for each in grants(lake):
        told = each["Resource"].get(kind)
        if told and each["Permissions"][0] in permissions:
            place = told.get("DatabaseName") or told.get("Name") or told["ResourceArn"]
            found.setdefault(each["Principal"]["DataLakePrincipalIdentifier"].rpartition("/")[2], set()).add(
                layers[place]
            )
    return found


def test_lake_formation_lets_jobs_and_functions_write_and_read_the_layers_that_iam_does(prod: Synthesized) -> None:
    writers = by_iam(prod, "Create", "Update", "Delete", "BatchCreate", "BatchUpdate")
    assert {each.rpartition("-")[2] for each in writers} == {"job"}
    assert by_name(prod, "Table", "ALL") == by_name(prod, "Database", "ALL") == writers
    assert by_name(prod, "DataLocation", "DATA_LOCATION_ACCESS") == writers
    readers = by_iam(prod, "Get")
    assert by_name(prod, "Table", "ALL", "SELECT", "DESCRIBE") == readers
    assert by_name(prod, "Database", "ALL", "DESCRIBE") == readers


def test_every_principal_is_a_role_of_these_stacks(prod: Synthesized) -> None:
    known = set(prod.named("IAM::Role", "RoleName"))
    named = {each["Principal"]["DataLakePrincipalIdentifier"].rpartition("/")[2] for each in grants(prod)}
    assert named <= known


def test_databases_are_closed_before_anything_is_in_them(prod: Synthesized) -> None:
    tagged: dict[str, dict[str, list[str]]] = {}
    for each in prod.properties("LakeFormation::TagAssociation"):
        [tag] = each["LFTags"]
        tagged.setdefault(each["Resource"]["Database"]["Name"], {})[tag["TagKey"].rpartition("-")[2]] = tag["TagValues"]
    for layer in ("bronze", "silver", "gold"):
        way = "tags" if layer == "bronze" else "filters"  # bronze is raw: its class closes it
        wanted = {"layer": [layer], "classification": ["unclassed"], "access": [way]}
        assert tagged[prod.environment.database(layer)] == wanted


@pytest.mark.parametrize(("environment", "shared"), [("dev", True), ("prod", False), ("local", False)])
def test_locations_are_registered_with_a_role_that_reads_and_does_not_write(
    synthesize: Synthesize, environment: str, shared: bool
) -> None:
    lake = synthesize(environment)
    found = lake.properties("LakeFormation::Resource")
    assert {each["ResourceArn"] for each in found} == {
        f"arn:aws:s3:::{lake.environment.bucket(layer)}" for layer in ("bronze", "silver", "gold")
    }
    assert all(each["HybridAccessEnabled"] is shared and not each["UseServiceLinkedRole"] for each in found)
    registrar = lake.named("IAM::Role", "RoleName")[lake.environment.resource("lake-formation")]
    actions = {a for s in registrar["Policies"][0]["PolicyDocument"]["Statement"] for a in s["Action"]}
    assert not {each for each in actions if each.startswith("s3:") and not each.startswith(("s3:Get", "s3:List"))}


def test_the_role_of_locations_serves_lake_formation_for_this_account_and_opens_nothing_but_objects(
    prod: Synthesized,
) -> None:
    environment = prod.environment
    role = prod.named("IAM::Role", "RoleName")[environment.resource("lake-formation")]
    [trust] = role["AssumeRolePolicyDocument"]["Statement"]
    assert trust["Principal"] == {"Service": "lakeformation.amazonaws.com"}
    assert trust["Condition"] == {
        "StringEquals": {"aws:SourceAccount": environment.account},
        "ArnLike": {"aws:SourceArn": f"arn:aws:lakeformation:{environment.region}:{environment.account}:*"},
    }
    [key] = [each for each in role["Policies"][0]["PolicyDocument"]["Statement"] if "kms" in str(each["Action"])]
    assert key["Action"] == "kms:Decrypt"
    assert key["Condition"] == {"StringEquals": {"kms:ViaService": f"s3.{environment.region}.amazonaws.com"}}


def test_reads_and_writes_of_data_and_of_what_people_keep_are_logged_where_nobody_of_the_lake_writes(
    prod: Synthesized,
) -> None:
    (trail,) = prod.properties("CloudTrail::Trail")
    [selector] = trail["AdvancedEventSelectors"]
    watched = next(each["StartsWith"] for each in selector["FieldSelectors"] if each["Field"] == "resources.ARN")
    layers = ("landing", "bronze", "silver", "gold", "results", "sandbox")
    assert set(watched) == {f"arn:aws:s3:::{prod.environment.bucket(layer)}/" for layer in layers}
    assert trail["S3BucketName"] == prod.environment.bucket("logs")


def compiled(root: Path) -> tuple[Plan, dict[str, Dataset]]:
    made = compile.read(config.load("prod"), root)
    return made.plan, {name: each for name, each in made.files.items() if name.startswith("datasets/")}


def test_a_column_of_another_class_moves_the_plan_that_templates_and_jobs_both_follow(
    synthesize: Synthesize, tmp_path: Path
) -> None:
    """One place says it: what is deployed by template stays, and the column goes where its new class is seen."""
    root = shipped(tmp_path)
    before, _ = compiled(root)
    change(root, BY_CATEGORY, "classification: public", "classification: pii")
    after, datasets = compiled(root)
    table = "sales_by_category"
    moved = [each for each in after.tables if each not in before.tables]
    assert [each.table for each in moved] == [table]
    old, new = (dict(next(t for t in plan.tables if t.table == table).columns) for plan in (before, after))
    [column] = set(old["public"]) - set(new["public"])
    assert column in new["pii"]
    assert {c.name: c.classification for c in datasets[f"datasets/gold.{table}.json"].columns}[column] == "pii"
    assert before.tag_grants == after.tag_grants
    plain = synthesize("prod").templates["governance"]
    changed = synthesize("prod", lake_root=str(root)).templates["governance"]
    assert plain["Resources"].keys() == changed["Resources"].keys()


def test_what_a_role_may_see_moves_its_own_grants_in_the_template_alone(
    synthesize: Synthesize, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    text = (ROOT / "config" / "prod.yaml").read_text()
    text = text.replace("  clinics:", "  tools: { gigabytes_per_query: 100 }\n  clinics:")
    text = text.replace("  bi: { team: analysts,", "  bi: { team: tools,")  # nobody of a team sees more than another
    line = next(each for each in text.splitlines() if each.startswith("  bi:"))
    (tmp_path / "widened.yaml").write_text(text.replace(line, line.replace("[public, internal]", "[public, pii]")))
    (tmp_path / "twin.yaml").write_text(text)
    monkeypatch.setattr(config, "FOLDER", tmp_path)
    (tmp_path / "environment.schema.json").write_text((ROOT / "config" / "environment.schema.json").read_text())
    twin, widened = (
        json.loads(json.dumps(synthesize(name).templates["governance"]["Resources"]).replace(name, "prod"))
        for name in ("twin", "widened")
    )
    assert twin.keys() == widened.keys()
    assert [key for key in twin if twin[key] != widened[key]] == [key for key in twin if "RolebiTableSelect" in key]
