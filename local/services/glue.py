"""Glue: moto's job runs are names that turn SUCCEEDED; it has no UpdateJob and no BatchStopJobRun, shows a run's
arguments merged with the job's, and lists runs oldest first. Here the deployed script runs in a process of its own on
Spark, with its job's role, and a run's state is final only when nothing of it is at work any more.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from moto.core.responses import ActionResult
from moto.glue.exceptions import InvalidInputException

from local.engines import versions
from local.engines.java import JavaNotFoundError
from local.engines.spark import JarsNotFoundError, JvmError, Spark
from local.own_calls import OWN_KEY
from local.services import glue_catalog, glue_rulesets
from local.services.glue_jobs import JobRun, Jobs
from local.services.glue_runs import Runner, utc_now
from local.services.seams import add, patch

if TYPE_CHECKING:
    from local.endpoint import Endpoint

MODELS, RESPONSES = "moto.glue.models", "moto.glue.responses"
COMMANDS = ("glueetl",)
GLUE_VERSIONS = ("5.0", versions.GLUE)
UPDATABLE = (
    "Description", "LogUri", "Role", "ExecutionProperty", "Command", "DefaultArguments", "NonOverridableArguments",
    "Connections", "MaxRetries", "AllocatedCapacity", "Timeout", "MaxCapacity", "SecurityConfiguration",
    "NotificationProperty", "GlueVersion", "NumberOfWorkers", "WorkerType", "CodeGenConfigurationNodes",
    "ExecutionClass", "SourceControlDetails",
)  # fmt: skip

FIDELITY = (
    ("Glue", "Spark jobs (Glue 5.0, 5.1): script, arguments, role, exit, error message, logs", "PySpark 3.5.6", "real"),
    ("Glue", "StartJobRun, GetJobRun(s), BatchStopJobRun, concurrent runs, time-out", "ours", "real"),
    ("Glue", "--conf, --extra-py-files, --extra-files, --extra-jars, wheels on S3", "ours", "real"),
    ("Glue", "static settings and further jars on the warm JVM", "left out by name, or refused; --cold", "simulated"),
    ("Glue", "Python functions, accumulators, threads, stop() of a session", "in the shared JVM", "real"),
    ("Glue", "foreachBatch of two streaming jobs at once", "one JVM has one way back to Python; --cold", "simulated"),
    ("Glue", "workers, worker type, auto scaling, execution class, DPU", "kept, without effect", "simulated"),
    ("Glue", "retries of a job (MaxRetries)", "", "refused"),
    ("Glue", "Python shell, Ray and streaming jobs, other Glue versions", "", "refused"),
    ("Glue", "DynamicFrame, GlueContext, bookmarks", "their jar cannot be had", "refused"),
)  # fmt: skip


def refuse_what_cannot_run(spec: dict[str, Any]) -> None:
    """An error that names what of a job's definition has no engine here."""
    command, version = (spec.get("Command") or {}).get("Name"), spec.get("GlueVersion")
    if command not in COMMANDS:
        _refuse(spec, f"The command '{command}': the laptop runs {', '.join(COMMANDS)} only. Use that.")
    if version not in (None, *GLUE_VERSIONS):
        _refuse(spec, f"The Glue version '{version}': the laptop runs {' and '.join(GLUE_VERSIONS)}. Use one of these.")
    if spec.get("MaxRetries"):
        _refuse(
            spec, f"MaxRetries '{spec['MaxRetries']}': the laptop's Glue does not retry. Let the state machine do it."
        )


def _refuse(spec: dict[str, Any], why: str) -> None:
    raise InvalidInputException("CreateJob", f"{why} (job '{spec.get('Name', '')}')")


def install(endpoint: Endpoint) -> None:
    """Run jobs for real."""
    credentials = {
        "AWS_ACCESS_KEY_ID": OWN_KEY,
        "AWS_SECRET_ACCESS_KEY": "endpoint",
        "AWS_ENDPOINT_URL": endpoint.url,
        "AWS_REGION": endpoint.region,
        "AWS_EC2_METADATA_DISABLED": "true",
    }
    spark = Spark(endpoint.url, endpoint.state, credentials, endpoint.children.start)
    endpoint.on_stop(spark.stop)
    jobs = Jobs(endpoint, Runner(endpoint, spark))
    patch(f"{MODELS}:FakeJobRun", JobRun)
    patch(f"{MODELS}:FakeJob.start_job_run", lambda job, **asked: jobs.start(job, **asked))
    patch(f"{MODELS}:FakeJob.get_job_runs", lambda job: list(reversed(job.job_runs)))
    _add_actions(jobs)
    glue_catalog.install()
    glue_rulesets.install()
    endpoint.pages["spark"] = jobs.spark_seconds
    if endpoint.warm_up and not endpoint.cold:
        endpoint.background(lambda: _warm(spark), "warm Spark")


def _add_actions(jobs: Jobs) -> None:
    def create_job(response: Any) -> ActionResult:
        refuse_what_cannot_run(response.parameters)
        answer: ActionResult = create(response)
        return answer

    create = patch(f"{RESPONSES}:GlueResponse.create_job", create_job)
    add(f"{RESPONSES}:GlueResponse.update_job", _update)

    def batch_stop_job_run(response: Any) -> ActionResult:
        asked = response.parameters
        job = response.glue_backend.get_job(asked["JobName"])
        answers = {run: jobs.stop(job, run) for run in asked["JobRunIds"]}
        stopped = [{"JobName": job.name, "JobRunId": run} for run, error in answers.items() if error is None]
        return ActionResult({"SuccessfulSubmissions": stopped, "Errors": [e for e in answers.values() if e]})

    add(f"{RESPONSES}:GlueResponse.batch_stop_job_run", batch_stop_job_run)


def _update(response: Any) -> ActionResult:
    """UpdateJob replaces a definition whole: what is left out goes back to its default."""
    asked = response.parameters
    job, wanted = response.glue_backend.get_job(asked["JobName"]), asked["JobUpdate"]
    refuse_what_cannot_run({**wanted, "Name": job.name})
    empty: dict[str, Any] = {"DefaultArguments": {}, "ExecutionProperty": {}, "ExecutionClass": "STANDARD"}
    for name in UPDATABLE:
        setattr(job, _snake(name), wanted.get(name, empty.get(name)))
    job.last_modified_on = utc_now()
    return ActionResult({"JobName": job.name})


def _snake(name: str) -> str:
    return "".join(f"_{letter.lower()}" if letter.isupper() else letter for letter in name).lstrip("_")


def _warm(spark: Spark) -> None:
    try:
        spark.ensure()
    except (JvmError, JarsNotFoundError, JavaNotFoundError):
        return  # the first run tries again, and then says why
