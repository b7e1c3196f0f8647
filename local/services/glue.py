"""Glue: moto's job runs are names that turn SUCCEEDED; it has no UpdateJob and no BatchStopJobRun, shows a run's
arguments merged with the job's, and lists runs oldest first. Here the deployed script runs in a process of its own on
Spark, with its job's role, and a run's state is final only when nothing of it is at work any more.
"""

from __future__ import annotations

import threading
from datetime import datetime
from typing import TYPE_CHECKING, Any

from moto.core.responses import ActionResult
from moto.glue import models
from moto.glue.exceptions import ConcurrentRunsExceededException, InvalidInputException

from local.endpoint import OWN_KEY
from local.engines import versions
from local.engines.spark import JarsNotFoundError, JvmError, Spark
from local.services import glue_catalog
from local.services.glue_logs import GROUP
from local.services.glue_request import Work
from local.services.glue_runs import Runner, utc_now
from local.services.seams import add, patch

if TYPE_CHECKING:
    from local.endpoint import Endpoint

MODELS, RESPONSES = "moto.glue.models", "moto.glue.responses"
DEFAULT_MINUTES = 480
GOING = ("STARTING", "RUNNING", "STOPPING")
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


class JobRun(models.FakeJobRun):
    """A job run whose state is what really happens to it."""

    def begin(self, job: Any, given: dict[str, str], work: Work) -> None:
        self.state, self.error, self.given, self.work = "STARTING", "", given, work
        self.glue_version, self.execution_class = job.glue_version or versions.GLUE, job.execution_class
        self.ended_on: datetime | None = None

    @property
    def status(self) -> str:
        return getattr(self, "state", "STARTING")

    @status.setter
    def status(self, value: str) -> None:
        self.state = value

    def advance(self) -> None:
        """moto turns states at each look; ours turn by themselves."""

    def running(self) -> None:
        if self.state == "STARTING":
            self.move("RUNNING")

    def move(self, state: str, error: str | None = None) -> None:
        self.modified_on, self.error = utc_now(), error or ""
        if state not in GOING:
            self.ended_on = self.modified_on
        self.state = state

    def as_dict(self) -> dict[str, Any]:
        shown: dict[str, Any] = super().as_dict()
        until = self.ended_on or utc_now()
        shown |= {
            "JobRunState": self.state,
            "Arguments": self.given,
            "ExecutionTime": round((until - self.started_on).total_seconds()),
            "LogGroupName": GROUP,
            "GlueVersion": self.glue_version,
            "ExecutionClass": self.execution_class,
            "JobMode": "SCRIPT",
            "CompletedOn": self.ended_on,
            "ErrorMessage": self.error,
        }
        return {name: value for name, value in shown.items() if value not in (None, "")}


class Jobs:
    """Starts job runs and ends them."""

    def __init__(self, endpoint: Endpoint, runner: Runner) -> None:
        self._endpoint, self._runner = endpoint, runner
        self._runs: list[JobRun] = []
        self._lock = threading.Lock()  # two starts at once must not both find the job idle

    def start(self, job: Any, arguments: dict[str, str] | None = None, **asked: Any) -> str:
        """StartJobRun, in place of moto's."""
        with self._lock:
            going = [run for run in job.job_runs if run.status in GOING]
            if len(going) >= job.execution_property.get("MaxConcurrentRuns", 1):
                raise ConcurrentRunsExceededException(f"Concurrent runs exceeded for {job.name}")
            given = dict(arguments or {})
            chosen = {**job.default_arguments, **given, **(job.non_overridable_arguments or {})}
            run = self._new_run(job, given, chosen, asked)
            job.job_runs.append(run)
            self._runs.append(run)
        self._endpoint.background(lambda: self._work(run), run.job_run_id)
        return str(run.job_run_id)

    def _new_run(self, job: Any, given: dict[str, str], chosen: dict[str, str], asked: dict[str, Any]) -> JobRun:
        previous = asked.pop("previous_run_id", None)
        own = {name: value or getattr(job, name) for name, value in asked.items()}
        own["timeout"] = own.get("timeout") or DEFAULT_MINUTES
        run = JobRun(job_name=job.name, job_run_id=previous, arguments=given, **own)
        role = job.role if job.role.startswith("arn:") else f"arn:aws:iam::{self._endpoint.account}:role/{job.role}"
        script = job.command["ScriptLocation"]
        run.begin(job, given, Work(run.job_run_id, job.name, role, script, chosen, own["timeout"]))
        return run

    def _work(self, run: JobRun) -> None:
        end = self._runner.run(run.work, run.running)
        run.move(end.state, end.message)
        run.work.done.set()

    def spark_seconds(self, asked: dict[str, str]) -> dict[str, Any]:
        """GET /_headwater/spark?job=NAME&run=ID: executor seconds of each run that has ended; both may be left out."""
        return {
            "runs": [
                {"job": run.job_name, "run": run.job_run_id, "state": run.state, "spark_seconds": run.work.seconds}
                for run in list(self._runs)
                if asked.get("job") in (None, run.job_name) and asked.get("run") in (None, run.job_run_id)
            ]
        }

    def stop(self, job: Any, run_id: str) -> dict[str, Any] | None:
        """Ask a run to end; the reason why not, if it cannot be."""
        shown = {"JobName": job.name, "JobRunId": run_id}
        run = next((found for found in job.job_runs if found.job_run_id == run_id), None)
        if run is None:
            return shown | _detail("EntityNotFoundException", f"Job run {run_id} not found.")
        if run.status not in GOING:
            return shown | _detail("InvalidInputException", f"Job run {run_id} is {run.status} already.")
        run.move("STOPPING")
        run.work.stop.set()
        return None


def _detail(code: str, message: str) -> dict[str, Any]:
    return {"ErrorDetail": {"ErrorCode": code, "ErrorMessage": message}}


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
    except (JvmError, JarsNotFoundError):
        return  # the first run tries again, and then says why
