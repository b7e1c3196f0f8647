"""Glue jobs for tests: a script, the role that it runs with, and a run that is waited for."""

from __future__ import annotations

import json
import time
import urllib.request
import uuid
from dataclasses import dataclass, field
from typing import Any

from tests.local.conftest import RunningEndpoint

PATIENCE = 180.0  # of who waits for what comes for sure: the machine may be busy
GOING = ("STARTING", "RUNNING", "STOPPING")
CATALOG = """
def catalog(spark, bucket):
    settings = {
        "": "org.apache.iceberg.spark.SparkCatalog",
        ".catalog-impl": "org.apache.iceberg.aws.glue.GlueCatalog",
        ".io-impl": "org.apache.iceberg.aws.s3.S3FileIO",
        ".warehouse": f"s3://{bucket}/",
        ".cache-enabled": "false",
        ".glue.skip-archive": "true",
    }
    for name, value in settings.items():
        spark.conf.set(f"spark.sql.catalog.lake{name}", value)
"""


@dataclass
class JobLake:
    """A bucket, a database and roles of their own in a running endpoint."""

    endpoint: RunningEndpoint
    name: str = field(default_factory=lambda: f"t{uuid.uuid4().hex[:8]}")

    def __post_init__(self) -> None:
        self.client("s3").create_bucket(Bucket=self.name)
        self.client("glue").create_database(DatabaseInput={"Name": self.name})

    def client(self, service: str) -> Any:
        return self.endpoint.client(service)

    def role(self, name: str) -> str:
        """A role that may do everything, so that tests can see who did what."""
        trusted = {"Effect": "Allow", "Principal": {"Service": "glue.amazonaws.com"}, "Action": "sts:AssumeRole"}
        allowed = {"Effect": "Allow", "Action": "*", "Resource": "*"}
        iam = self.client("iam")
        role = iam.create_role(RoleName=f"{self.name}-{name}", AssumeRolePolicyDocument=_policy(trusted))["Role"]
        iam.put_role_policy(RoleName=role["RoleName"], PolicyName="all", PolicyDocument=_policy(allowed))
        return str(role["Arn"])

    def job(self, name: str, script: str, **settings: Any) -> str:
        """A job that runs this script; its name, which is also its role's."""
        key = f"scripts/{name}.py"
        self.client("s3").put_object(Bucket=self.name, Key=key, Body=(CATALOG + script).encode())
        command = {"Name": "glueetl", "ScriptLocation": f"s3://{self.name}/{key}"}
        arguments = {"--bucket": self.name, **settings.pop("DefaultArguments", {})}
        full = f"{self.name}-{name}"
        self.client("glue").create_job(
            Name=full,
            Role=settings.pop("Role", None) or self.role(name),
            Command=command,
            GlueVersion="5.1",
            WorkerType="G.1X",
            NumberOfWorkers=2,
            DefaultArguments=arguments,
            **settings,
        )
        return full

    def start(self, job: str, **arguments: str) -> str:
        given = {f"--{name}": value for name, value in arguments.items()}
        return str(self.client("glue").start_job_run(JobName=job, Arguments=given)["JobRunId"])

    def state(self, job: str, run: str) -> dict[str, Any]:
        found: dict[str, Any] = self.client("glue").get_job_run(JobName=job, RunId=run)["JobRun"]
        return found

    def wait(self, job: str, run: str, seconds: float = PATIENCE) -> dict[str, Any]:
        """The run when it is over."""
        end = time.monotonic() + seconds
        while (found := self.state(job, run))["JobRunState"] in GOING:
            assert time.monotonic() < end, f"The run is still {found['JobRunState']}"
            time.sleep(0.1)
        return found

    def run(self, job: str, **arguments: str) -> dict[str, Any]:
        return self.wait(job, self.start(job, **arguments))

    def log(self, run: str, kind: str = "output") -> str:
        events = self.client("logs").get_log_events(
            logGroupName=f"/aws-glue/jobs/{kind}", logStreamName=run, startFromHead=True
        )["events"]
        return "\n".join(event["message"] for event in events)

    def wait_for_line(self, run: str, text: str, seconds: float = PATIENCE) -> None:
        """Until the run has written this line to its log."""
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            try:
                if text in self.log(run):
                    return
            except self.client("logs").exceptions.ResourceNotFoundException:
                pass
            time.sleep(0.1)
        raise AssertionError(f"The run never wrote '{text}'")

    def page(self, path: str) -> dict[str, Any]:
        with urllib.request.urlopen(f"{self.endpoint.url}/_headwater/{path}") as answer:
            found: dict[str, Any] = json.load(answer)
        return found


def _policy(statement: dict[str, Any]) -> str:
    return json.dumps({"Version": "2012-10-17", "Statement": [statement]})
