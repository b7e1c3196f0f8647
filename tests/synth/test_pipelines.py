"""Jobs, functions, state machines and schedules as they are deployed."""

from __future__ import annotations

import json
import zipfile
from pathlib import Path

import pytest

import pipelines
from tests.synth.synthesized import ROOT, Synthesize, Synthesized

JOBS = {"apply", "ingest", "refine", "mask", "model", "maintain", "forget"}
TIMED_AS = {"mask": "refine", "forget": "refine"}


def test_every_pipeline_has_a_state_machine_by_its_name(lake: Synthesized) -> None:
    names = {each["StateMachineName"] for each in lake.properties("StepFunctions::StateMachine")}
    assert {lake.environment.resource(name) for name in pipelines.names(ROOT)} <= names


def test_executions_are_logged_and_traced(lake: Synthesized) -> None:
    for machine in lake.properties("StepFunctions::StateMachine"):
        assert machine["LoggingConfiguration"]["Level"] == "ALL"
        assert not machine["LoggingConfiguration"].get("IncludeExecutionData")
        assert machine["TracingConfiguration"] == {"Enabled": True}


def test_a_pipeline_that_is_off_has_no_schedule(synthesize: Synthesize) -> None:
    assert "off" in synthesize("local").environment.schedules.values()
    assert synthesize("local").resources("Scheduler::Schedule") == []


def test_a_schedule_starts_its_pipeline_in_utc_and_what_fails_is_kept(synthesize: Synthesize) -> None:
    prod = synthesize("prod")
    schedule = prod.named("Scheduler::Schedule", "Name")["headwater-prod-tickit"]
    assert schedule["ScheduleExpression"].startswith("cron(")
    assert schedule["ScheduleExpressionTimezone"] == "UTC"
    target = schedule["Target"]
    assert json.loads(target["Input"]) == {"pipeline": "tickit", "scheduled": "<aws.scheduler.scheduled-time>"}
    assert target["DeadLetterConfig"]["Arn"]


def test_maintenance_has_a_schedule_of_its_own_which_starts_one_run_of_it(synthesize: Synthesize) -> None:
    prod = synthesize("prod")
    schedule = prod.named("Scheduler::Schedule", "Name")["headwater-prod-maintain"]
    assert schedule["ScheduleExpression"] == prod.environment.maintenance_schedule
    assert json.loads(schedule["Target"]["Input"])["pipeline"] == "maintain"
    assert "headwater-prod-maintain" in prod.named("StepFunctions::StateMachine", "StateMachineName")


def test_jobs_run_on_glue_5_1_with_iceberg_and_without_bookmarks(lake: Synthesized) -> None:
    jobs = lake.named("Glue::Job", "Name")
    assert set(jobs) == {lake.environment.resource(job) for job in JOBS}
    for job in jobs.values():
        arguments = job["DefaultArguments"]
        assert (job["GlueVersion"], job["MaxRetries"]) == ("5.1", 0)
        assert arguments["--datalake-formats"] == "iceberg"
        assert arguments["--job-bookmark-option"] == "job-bookmark-disable"
        assert "spark.sql.catalog.lake.cache-enabled=false" in arguments["--conf"].split(" --conf ")
        assert job["ExecutionProperty"]["MaxConcurrentRuns"] == lake.environment.sizes.job_concurrency
        name = job["Name"].rpartition("-")[2]
        assert job["Timeout"] == lake.environment.sizes.timeouts[TIMED_AS.get(name, name)]


def test_the_keys_that_stand_for_people_are_made_by_nobody_and_read_by_their_jobs_alone(lake: Synthesized) -> None:
    for noun, jobs in {"masking": {"mask"}, "erasure": {"ingest", "refine", "forget"}}.items():
        name = lake.environment.secret(f"governance/{noun}")
        secret = lake.named("SecretsManager::Secret", "Name")[name]
        assert secret["KmsKeyId"]
        assert "SecretString" not in secret
        roles = lake.named("IAM::Role", "RoleName").items()
        readers = {role for role, each in roles if name in json.dumps(each.get("Policies"))}
        assert readers == {f"{lake.environment.resource(job)}-job" for job in jobs}
    assert not lake.resources("SecretsManager::RotationSchedule")


def test_jobs_bring_the_avro_jar_that_glue_does_not_have(lake: Synthesized) -> None:
    for job in lake.properties("Glue::Job"):
        assert job["DefaultArguments"]["--extra-jars"].endswith(".jar")


def test_only_ingest_joins_the_network_of_the_sources(synthesize: Synthesize) -> None:
    joined = {name for name, job in synthesize("prod").named("Glue::Job", "Name").items() if job.get("Connections")}
    assert joined == {"headwater-prod-ingest"}
    assert not [job for job in synthesize("local").properties("Glue::Job") if job.get("Connections")]


def test_functions_and_jobs_get_the_same_packed_code(dev: Synthesized) -> None:
    keys = {each["Code"]["S3Key"] for each in dev.properties("Lambda::Function")}
    keys |= {job["DefaultArguments"]["--extra-py-files"].rpartition("/")[2] for job in dev.properties("Glue::Job")}
    assert len(keys) == 1


def _packed(lake: Synthesized) -> Path:
    key = lake.properties("Lambda::Function")[0]["Code"]["S3Key"]
    return lake.folder / f"asset.{key}"


def test_the_packed_code_holds_what_runs_and_nothing_else(dev: Synthesized) -> None:
    names = zipfile.ZipFile(_packed(dev)).namelist()
    assert {name.split("/")[0] for name in names} == {"lake", "glue_jobs", "lambdas", "compiled"}
    assert not [name for name in names if "__pycache__" in name]
    assert "compiled/environment.json" in names


def test_every_function_has_its_handler_in_the_packed_code(dev: Synthesized) -> None:
    names = set(zipfile.ZipFile(_packed(dev)).namelist())
    handlers = [each["Handler"].rpartition(".")[0] for each in dev.properties("Lambda::Function")]
    assert len(handlers) == 6
    assert {f"{handler.replace('.', '/')}.py" for handler in handlers} <= names


def test_the_packed_code_is_the_same_whenever_it_is_made(dev: Synthesized, synthesize: Synthesize) -> None:
    again = synthesize("dev", another="time")
    assert _packed(again).name == _packed(dev).name
    assert _packed(again).read_bytes() == _packed(dev).read_bytes()


def test_logs_are_encrypted_and_expire(lake: Synthesized) -> None:
    groups = lake.named("Logs::LogGroup", "LogGroupName")
    assert lake.environment.states_log_group in groups
    for group in groups.values():
        assert group["KmsKeyId"]
        assert group["RetentionInDays"] == lake.environment.retention["log_groups"]


def test_every_function_writes_to_a_log_group_of_its_own(lake: Synthesized) -> None:
    groups = lake.named("Logs::LogGroup", "LogGroupName")
    assert {f"/aws/lambda/{each['FunctionName']}" for each in lake.properties("Lambda::Function")} <= set(groups)


@pytest.mark.parametrize("environment", ["local", "prod"])
def test_a_source_is_reached_by_a_connection_whose_password_is_a_secret(
    environment: str, synthesize: Synthesize
) -> None:
    lake = synthesize(environment)
    secrets = lake.named("SecretsManager::Secret", "Name")
    inputs = {each["ConnectionInput"]["Name"]: each["ConnectionInput"] for each in lake.properties("Glue::Connection")}
    for source in lake.environment.sources:
        properties = inputs[lake.environment.resource(source)]["ConnectionProperties"]
        assert set(properties) == {"JDBC_CONNECTION_URL", "SECRET_ID"}
        assert "GenerateSecretString" in secrets[properties["SECRET_ID"]]


def test_the_ports_of_the_embedded_sources_are_in_their_connections(synthesize: Synthesize) -> None:
    connections = synthesize("local", source_ports="saas:6001,ecommerce:6002").properties("Glue::Connection")
    urls = {each["ConnectionInput"]["ConnectionProperties"]["JDBC_CONNECTION_URL"] for each in connections}
    assert {":6001/saas", ":6002/ecommerce"} <= {f":{url.split(':')[-1].split(';')[0]}" for url in urls}


def test_the_packed_code_knows_the_name_of_every_state_machine(lake: Synthesized) -> None:
    packed = json.loads(zipfile.ZipFile(_packed(lake)).read("compiled/environment.json"))
    machines = {each["StateMachineName"] for each in lake.properties("StepFunctions::StateMachine")}
    assert {packed["resources"][name] for name in pipelines.names(ROOT)} <= machines
