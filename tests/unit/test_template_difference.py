"""What a pull request is told about its templates."""

from __future__ import annotations

import copy
import json
from pathlib import Path
from typing import Any

import pytest

from cli.template_difference import LONGEST_COMMENT, TemplateFolderError, compare, load, main, markdown

ROLE: dict[str, Any] = {
    "Type": "AWS::IAM::Role",
    "Properties": {
        "PermissionsBoundary": "arn:aws:iam::1:policy/boundary",
        "Policies": [
            {
                "PolicyName": "Access",
                "PolicyDocument": {
                    "Statement": [{"Effect": "Allow", "Action": "s3:GetObject", "Resource": "arn:aws:s3:::a/*"}]
                },
            }
        ],
    },
}
BUCKET = {"Type": "AWS::S3::Bucket", "DeletionPolicy": "Retain", "Properties": {"BucketName": "a", "Tags": []}}
JOB = {"Type": "AWS::Glue::Job", "Properties": {"Name": "refine", "Timeout": 10, "Role": "r"}}
BASE = {"storage": {"Bucket": BUCKET}, "pipeline": {"Role": ROLE, "Job": JOB}}


def _told(**changed: dict[str, Any] | None) -> str:
    """What is told when these resources, by logical id, are other than in the base; None takes one away."""
    head = copy.deepcopy(BASE)
    for name, resource in changed.items():
        stack = next((stack for stack, resources in head.items() if name in resources), "pipeline")
        head[stack].pop(name, None)
        if resource is not None:
            head[stack][name] = resource
    return markdown(compare(BASE, head))


def _changed(resource: dict[str, Any], **properties: Any) -> dict[str, Any]:
    return {**resource, "Properties": {**resource["Properties"], **properties}}


def _with_statement(statement: dict[str, Any]) -> dict[str, Any]:
    role: dict[str, Any] = copy.deepcopy(ROLE)
    role["Properties"]["Policies"][0]["PolicyDocument"]["Statement"].append(statement)
    return role


def test_where_nothing_differs_that_is_said() -> None:
    assert "No resource differs" in _told()


def test_a_changed_property_is_named() -> None:
    told = _told(Job=_changed(JOB, Timeout=20))
    assert "| changed | `Job` | AWS::Glue::Job | `Timeout` |" in told
    assert "Look at these first" not in told


def test_a_property_that_is_set_at_creation_replaces() -> None:
    assert "| replaced | `Job` | AWS::Glue::Job | `Name` |" in _told(Job=_changed(JOB, Name="other"))


def test_an_added_resource_is_listed() -> None:
    assert "| added | `Other` | AWS::Glue::Job |" in _told(Other=JOB)


def test_data_that_goes_comes_before_permissions_that_widen() -> None:
    wider = _with_statement({"Effect": "Allow", "Action": "s3:PutObject", "Resource": "*"})
    told = _told(Bucket={**BUCKET, "DeletionPolicy": "Delete"}, Role=wider)
    assert told.index("Would no longer outlive its stack") < told.index("Allows `s3:PutObject` on `*`")


@pytest.mark.parametrize(("policy", "sentence"), [("Retain", "its data stays"), ("Delete", "Is deleted with its data")])
def test_a_removed_bucket_is_told_first(policy: str, sentence: str) -> None:
    base = {"storage": {"Bucket": {**BUCKET, "DeletionPolicy": policy}}}
    assert sentence in markdown(compare(base, {"storage": {}}))


def test_a_bucket_under_a_new_name_is_an_empty_one() -> None:
    assert "Is replaced by an empty one, the old one stays" in _told(Bucket=_changed(BUCKET, BucketName="b"))


def test_only_what_is_newly_allowed_is_told() -> None:
    told = _told(
        Role=_with_statement(
            {"Effect": "Allow", "Action": ["s3:GetObject", "s3:PutObject"], "Resource": "arn:aws:s3:::a/*"}
        )
    )
    assert "Allows `s3:PutObject` on `arn:aws:s3:::a/*`" in told
    assert "Allows `s3:GetObject`" not in told


def test_a_condition_that_is_gone_widens() -> None:
    statement = {"Effect": "Allow", "Action": "s3:PutObject", "Resource": "*"}
    bounded = {**statement, "Condition": {"StringEquals": {"aws:SourceAccount": "1"}}}
    base = {"pipeline": {"Role": _with_statement(bounded)}}
    assert "Allows `s3:PutObject` on `*`" in markdown(compare(base, {"pipeline": {"Role": _with_statement(statement)}}))


def test_a_denial_or_a_boundary_that_is_gone_is_told() -> None:
    denying = _with_statement({"Effect": "Deny", "Action": "s3:DeleteObject", "Resource": "*"})
    unbounded = copy.deepcopy(ROLE)
    del unbounded["Properties"]["PermissionsBoundary"]
    told = markdown(compare({"pipeline": {"Role": denying}}, {"pipeline": {"Role": unbounded}}))
    assert "No longer denies `s3:DeleteObject` on `*`" in told
    assert "Has no permissions boundary any more" in told


def _write(folder: Path, asset: str, metadata: str) -> Path:
    function = {
        "Type": "AWS::Lambda::Function",
        "Properties": {"Code": {"S3Key": f"{asset * 64}.zip"}},
        "Metadata": {"aws:cdk:path": metadata},
    }
    template = {
        "Resources": {"Function": function, "CDKMetadata": {"Type": "AWS::CDK::Metadata", "Properties": {"A": asset}}}
    }
    (folder / "dev").mkdir(parents=True)
    (folder / "dev" / "pipeline.template.json").write_text(json.dumps(template))
    return folder


def test_asset_hashes_and_metadata_make_no_difference(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folders = [_write(tmp_path / "base", "a", "x"), _write(tmp_path / "head", "b", "y")]
    assert main([str(folder) for folder in folders]) == 0
    assert "No resource differs" in capsys.readouterr().out


def test_a_comment_is_never_too_long_for_github() -> None:
    many = {"pipeline": {f"Job{number}": JOB for number in range(5000)}}
    assert len(markdown(compare({}, many))) < LONGEST_COMMENT + 100


def test_a_folder_without_templates_is_refused(tmp_path: Path) -> None:
    with pytest.raises(TemplateFolderError, match=r"expected \*.template.json in it"):
        load(tmp_path)
