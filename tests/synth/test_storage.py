"""The lake's buckets, key and ledger: private, encrypted, and there after their stack."""

from __future__ import annotations

import aws_cdk as cdk
import pytest

import config
from stacks.catalog_stack import CatalogStack
from stacks.storage_stack import StorageStack
from tests.synth.synthesized import Synthesize, Synthesized

KEPT = ("S3::Bucket", "DynamoDB::Table", "KMS::Key", "Glue::Database", "SecretsManager::Secret")


def test_there_is_a_bucket_for_each_layer_and_each_thing_beside_them(lake: Synthesized) -> None:
    names = {each["BucketName"] for each in lake.properties("S3::Bucket")}
    assert names == {lake.environment.bucket(layer) for layer in config.LAYERS}


def test_every_bucket_is_encrypted_with_the_lakes_key_but_that_for_access_logs(lake: Synthesized) -> None:
    for name, bucket in lake.named("S3::Bucket", "BucketName").items():
        rule = bucket["BucketEncryption"]["ServerSideEncryptionConfiguration"][0]["ServerSideEncryptionByDefault"]
        assert rule["SSEAlgorithm"] == ("AES256" if name == lake.environment.bucket("logs") else "aws:kms")


def test_no_bucket_is_public(lake: Synthesized) -> None:
    for bucket in lake.properties("S3::Bucket"):
        blocks = bucket["PublicAccessBlockConfiguration"]
        assert len(blocks) == 4
        assert all(blocks.values())


def test_every_bucket_refuses_plain_http(lake: Synthesized) -> None:
    policies = lake.properties("S3::BucketPolicy")
    assert len(policies) == len(config.LAYERS)
    for policy in policies:
        denials = [each for each in policy["PolicyDocument"]["Statement"] if each["Effect"] == "Deny"]
        assert {"Bool": {"aws:SecureTransport": "false"}} in [each["Condition"] for each in denials]


def test_data_that_cannot_be_rebuilt_is_versioned(lake: Synthesized) -> None:
    buckets = [each for each in lake.properties("S3::Bucket") if "VersioningConfiguration" in each]
    layers = ("landing", "bronze", "silver", "sandbox")
    assert {each["BucketName"] for each in buckets} == {lake.environment.bucket(layer) for layer in layers}


def test_objects_expire_as_the_environment_says(lake: Synthesized) -> None:
    buckets = lake.named("S3::Bucket", "BucketName")
    for layer in config.LAYERS:
        rules = buckets[lake.environment.bucket(layer)]["LifecycleConfiguration"]["Rules"]
        days = [rule["ExpirationInDays"] for rule in rules if "ExpirationInDays" in rule and "Prefix" not in rule]
        assert days == [lake.environment.retention[layer]] if layer in lake.environment.retention else days == []


def test_the_request_of_an_erasure_is_gone_within_a_day(lake: Synthesized) -> None:
    scratch = lake.named("S3::Bucket", "BucketName")[lake.environment.bucket("scratch")]
    found = {rule.get("Prefix"): rule.get("ExpirationInDays") for rule in scratch["LifecycleConfiguration"]["Rules"]}
    assert found["glue/forget/requests/"] == 1


def test_the_ledger_can_be_restored_and_found_by_pipeline(lake: Synthesized) -> None:
    (table,) = lake.properties("DynamoDB::Table")
    assert table["BillingMode"] == "PAY_PER_REQUEST"
    assert table["PointInTimeRecoverySpecification"]["PointInTimeRecoveryEnabled"] is True
    assert table["SSESpecification"]["SSEType"] == "KMS"
    assert [index["IndexName"] for index in table["GlobalSecondaryIndexes"]] == ["by_pipeline"]


def test_the_key_rotates_and_its_arn_has_a_known_place(lake: Synthesized) -> None:
    (key,) = lake.properties("KMS::Key")
    assert key["EnableKeyRotation"] is True
    assert [each["Name"] for each in lake.properties("SSM::Parameter")] == [lake.environment.key_arn_parameter]


def test_data_outlives_its_stack(lake: Synthesized) -> None:
    kept = lake.resources(*KEPT)
    assert {each["Type"].removeprefix("AWS::") for each in kept} == set(KEPT)
    for each in kept:
        assert (each["DeletionPolicy"], each["UpdateReplacePolicy"]) == ("RetainExceptOnCreate", "Retain"), each["Type"]


def test_one_key_alone_deletes_nothing_and_says_what_the_other_is(synthesize: Synthesize) -> None:
    lake = synthesize("local")
    assert not lake.environment.keep_data
    assert "-c delete_data=yes" in (lake.folder / "headwater-local-storage.metadata.json").read_text()


def _deletion_policies(environment: config.Environment, flag: str) -> set[str]:
    app = cdk.App(context={"delete_data": flag}, builtin_cloud_formation_validation=False)
    place = cdk.Environment(account=environment.account, region=environment.region)
    StorageStack(app, "Storage", environment=environment, env=place)
    CatalogStack(app, "Catalog", environment=environment, queries=[], env=place)
    resources = [each for stack in app.synth().stacks for each in stack.template["Resources"].values()]
    return {each["DeletionPolicy"] for each in resources if each["Type"].removeprefix("AWS::") in KEPT}


@pytest.mark.parametrize(("name", "left"), [("local", "Delete"), ("prod", "RetainExceptOnCreate")])
def test_data_goes_where_the_environment_and_the_flag_say_so(name: str, left: str) -> None:
    assert _deletion_policies(config.load(name), "yes") == {left}


@pytest.mark.parametrize("layer", ["results", "sandbox"])
def test_what_people_write_is_encrypted_by_the_lakes_key_or_refused(lake: Synthesized, layer: str) -> None:
    bucket = lake.environment.bucket(layer)
    (found,) = [each for each in lake.resources("S3::Bucket") if each["Properties"]["BucketName"] == bucket]
    rules = found["Properties"]["BucketEncryption"]["ServerSideEncryptionConfiguration"]
    assert rules[0]["ServerSideEncryptionByDefault"]["SSEAlgorithm"] == "aws:kms"
    statements = [one for each in lake.properties("S3::BucketPolicy") for one in each["PolicyDocument"]["Statement"]]
    refusals = [each for each in statements if each.get("Sid") == "NothingButOurEncryption"]
    assert len(refusals) == 2
    assert all(each["Effect"] == "Deny" and each["Action"] == "s3:PutObject" for each in refusals)
