"""Glue job runs as tasks of state machines: waited for, told when they fail, stopped when nobody waits any more."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest

from tests.local.executions import S, ended, entered, history, machine, run, start, types
from tests.local.functions import make_role, unique, until
from tests.local.own_endpoint import OwnEndpoint, started

FAILS = "raise RuntimeError('the source is gone')"
SLEEPS = "import time\ntime.sleep(60)"


@pytest.fixture(scope="module")
def laptop(tmp_path_factory: pytest.TempPathFactory) -> Iterator[OwnEndpoint]:
    yield from started(tmp_path_factory, "--cold")  # no JVM for scripts without Spark


@pytest.fixture(scope="module")
def bucket(laptop: OwnEndpoint) -> str:
    name = unique("scripts")
    laptop.client("s3").create_bucket(Bucket=name)
    return name


class Job:
    """A Glue job without Spark, whose script can be changed."""

    def __init__(self, laptop: OwnEndpoint, bucket: str, script: str) -> None:
        self.name = unique("job")
        self._laptop, self._bucket = laptop, bucket
        self.deploy(script)
        laptop.client("glue").create_job(
            Name=self.name,
            Role=make_role(laptop, "job-role"),
            Command={"Name": "glueetl", "ScriptLocation": f"s3://{bucket}/{self.name}.py", "PythonVersion": "3"},
            GlueVersion="5.1",
            WorkerType="G.1X",
            NumberOfWorkers=2,
        )

    def deploy(self, script: str) -> None:
        self._laptop.client("s3").put_object(Bucket=self._bucket, Key=f"{self.name}.py", Body=script.encode())

    def task(self, **more: Any) -> dict[str, Any]:
        parameters = {"JobName": self.name, "Arguments": {"--run.$": "$$.Execution.Name"}}
        return {"Type": "Task", "Resource": f"{S}glue:startJobRun.sync", "Parameters": parameters, **more}

    def states(self) -> list[str]:
        runs = self._laptop.client("glue").get_job_runs(JobName=self.name)["JobRuns"]
        return [run["JobRunState"] for run in runs]


def test_a_job_run_is_waited_for_and_its_end_is_the_result(laptop: OwnEndpoint, bucket: str) -> None:
    job, role = Job(laptop, bucket, "import sys\nassert '--run' in sys.argv"), make_role(laptop, "pipeline")
    found = run(laptop, machine(Job=job.task()), roleArn=role)
    told = json.loads(found["output"])
    assert (told["JobName"], told["JobRunState"]) == (job.name, "SUCCEEDED")
    assert told["Arguments"]["--run"] == found["name"]
    assert told["StartedOn"] > 1_600_000_000_000
    assert {"TaskSubmitted", "TaskSucceeded"} <= set(types(laptop, found["executionArn"]))
    actions = {call["action"] for call in laptop.calls(role=role.rpartition("/")[2])}
    assert actions == {"glue:StartJobRun", "glue:GetJobRun"}


def test_a_failed_job_run_fails_its_task_with_the_run_as_the_cause(laptop: OwnEndpoint, bucket: str) -> None:
    found = run(laptop, machine(Job=Job(laptop, bucket, FAILS).task()))
    assert (found["status"], found["error"]) == ("FAILED", "States.TaskFailed")
    cause = json.loads(found["cause"])
    assert cause["JobRunState"] == "FAILED"
    assert "the source is gone" in cause["ErrorMessage"]


def test_a_job_that_is_not_there_and_one_run_too_many_have_glues_error_names(laptop: OwnEndpoint, bucket: str) -> None:
    job = Job(laptop, bucket, SLEEPS)
    first = start(laptop, machine(Job=job.task()))
    until(job.states)
    assert run(laptop, machine(Job=job.task()))["error"] == "Glue.ConcurrentRunsExceededException"
    laptop.client("stepfunctions").stop_execution(executionArn=first)
    missing = {**job.task(), "Parameters": {"JobName": "nowhere"}}
    assert run(laptop, machine(Job=missing))["error"] == "Glue.EntityNotFoundException"


def test_stopping_the_execution_stops_the_job_run(laptop: OwnEndpoint, bucket: str) -> None:
    job = Job(laptop, bucket, SLEEPS)
    arn = start(laptop, machine(Job=job.task()))
    until(lambda: job.states() == ["RUNNING"])
    laptop.client("stepfunctions").stop_execution(executionArn=arn)
    until(lambda: job.states() == ["STOPPED"])
    assert types(laptop, arn)[-1] == "ExecutionAborted"


def test_a_task_that_takes_too_long_stops_its_job_run(laptop: OwnEndpoint, bucket: str) -> None:
    job = Job(laptop, bucket, SLEEPS)
    found = run(laptop, machine(Job=job.task(TimeoutSeconds=1)))
    assert found["error"] == "States.Timeout"
    until(lambda: job.states() == ["STOPPED"])


def test_an_execution_that_takes_too_long_stops_its_job_run(laptop: OwnEndpoint, bucket: str) -> None:
    job = Job(laptop, bucket, SLEEPS)
    assert run(laptop, {**machine(Job=job.task()), "TimeoutSeconds": 1})["status"] == "TIMED_OUT"
    until(lambda: job.states() == ["STOPPED"])


def test_a_branch_that_fails_stops_the_job_run_of_its_sibling(laptop: OwnEndpoint, bucket: str) -> None:
    job, broken = Job(laptop, bucket, SLEEPS), Job(laptop, bucket, FAILS)
    both = {"Type": "Parallel", "Branches": [machine(Job=job.task()), machine(Broken=broken.task())]}
    assert run(laptop, machine(Both=both))["error"] == "States.TaskFailed"
    until(lambda: job.states() == ["STOPPED"])


def test_a_job_run_that_fails_in_a_map_fails_the_map_by_its_own_name(laptop: OwnEndpoint, bucket: str) -> None:
    over = {"Type": "Map", "ItemsPath": "$.items", "ItemProcessor": machine(Job=Job(laptop, bucket, FAILS).task())}
    assert run(laptop, machine(Over=over), {"items": [1]})["error"] == "States.TaskFailed"


def test_a_job_run_that_someone_stops_fails_its_task(laptop: OwnEndpoint, bucket: str) -> None:
    job = Job(laptop, bucket, SLEEPS)
    arn = start(laptop, machine(Job=job.task()))
    until(lambda: job.states() == ["RUNNING"])
    glue = laptop.client("glue")
    run_id = glue.get_job_runs(JobName=job.name)["JobRuns"][0]["Id"]
    glue.batch_stop_job_run(JobName=job.name, JobRunIds=[run_id])
    found = ended(laptop, arn)
    assert (found["error"], json.loads(found["cause"])["JobRunState"]) == ("States.TaskFailed", "STOPPED")


def test_a_redrive_runs_the_failed_job_again_and_no_other(laptop: OwnEndpoint, bucket: str) -> None:
    before, job, after = (Job(laptop, bucket, script) for script in ("", FAILS, ""))
    arn = start(laptop, machine(Before=before.task(), Job=job.task(), After=after.task()))
    assert ended(laptop, arn)["status"] == "FAILED"
    job.deploy("")
    laptop.client("stepfunctions").redrive_execution(executionArn=arn)
    assert ended(laptop, arn)["status"] == "SUCCEEDED"
    assert entered(laptop, arn) == ["Before", "Job", "Job", "After"]
    assert (before.states(), sorted(job.states()), after.states()) == (
        ["SUCCEEDED"],
        ["FAILED", "SUCCEEDED"],
        ["SUCCEEDED"],
    )
    assert history(laptop, arn)[-1]["type"] == "ExecutionSucceeded"
