"""Glue's job runs as its API shows them: started one by one, each with a state that is what really happens to it."""

from __future__ import annotations

import threading
from datetime import datetime
from typing import TYPE_CHECKING, Any

from moto.glue import models
from moto.glue.exceptions import ConcurrentRunsExceededException

from local.engines import versions
from local.services.glue_logs import groups
from local.services.glue_request import Work
from local.services.glue_runs import Runner, utc_now

if TYPE_CHECKING:
    from local.endpoint import Endpoint

DEFAULT_MINUTES = 480
GOING = ("STARTING", "RUNNING", "STOPPING")


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
            "LogGroupName": groups(self.work.arguments),
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
