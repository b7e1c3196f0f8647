"""What a job run's process is told: the script and files it was deployed with, its settings, the way to its JVM."""

from __future__ import annotations

import hashlib
import shutil
import zipfile
from dataclasses import dataclass, field
from pathlib import Path
from threading import Event
from typing import TYPE_CHECKING, Any

import boto3
from botocore.exceptions import ClientError

from local.engines import jars, spark_child, spark_settings
from local.engines.spark import Spark
from local.services import glue_arguments
from local.services.glue_arguments import ArgumentError, Arguments
from local.services.role_clients import RoleClients

if TYPE_CHECKING:
    from local.endpoint import Endpoint

SITE_PACKAGES = str(Path(boto3.__file__).parents[1])
SESSION = "GlueJobRunnerSession"  # as Glue calls it
ENVIRONMENT_PROVIDER = "com.amazonaws.auth.EnvironmentVariableCredentialsProvider"


@dataclass
class Work:
    """One run at work: what it was asked, and how it is told to end."""

    run: str
    job: str
    role: str
    script: str
    arguments: dict[str, str]
    minutes: int
    stop: Event = field(default_factory=Event)
    done: Event = field(default_factory=Event)
    seconds: float | None = None


class Requests:
    """Prepares runs in a folder of their own, reading S3 with their role: `requests.prepare(work, folder)`."""

    def __init__(self, endpoint: Endpoint, spark: Spark, clients: RoleClients) -> None:
        self._endpoint, self._spark, self._clients = endpoint, spark, clients

    def prepare(self, work: Work, folder: Path) -> tuple[dict[str, Any], dict[str, str]]:
        """What `spark_child` reads, and its environment."""
        asked = glue_arguments.read(work.arguments)
        environment = self._endpoint.child_environment(work.role, SESSION, "glue")
        environment.pop("PYTHONPATH", None)  # a script finds what was deployed with it, not what lies about here
        python = [str(self._kept(work, uri)) for uri in asked.python]
        for uri in asked.files:
            self._download(work, uri, folder)
        request = {
            "run": work.run,
            "site_packages": SITE_PACKAGES,
            "warm": not self._endpoint.cold,
            "script": str(self._download(work, work.script, folder / "script")),
            "arguments": ["--JOB_NAME", work.job, "--JOB_RUN_ID", work.run, "--JOB_ID", _id(work.job), *asked.script],
            "paths": python,
            "conf": self._session(work.role, asked, environment),
            "answer": str(folder / "answer.json"),
        }
        extra = [jar for uri in asked.jars if (jar := self._jar(work, uri, folder / "jars"))]
        ours = self._cold(asked, python, extra) if self._endpoint.cold else self._warm(asked, extra)
        return request, {**environment, **ours, spark_child.HEADWATER_RUN: work.run}

    def _session(self, role: str, asked: Arguments, credentials: dict[str, str]) -> dict[str, str]:
        """A warm session's settings; it takes Hadoop's by their own names."""
        conf = {name.removeprefix("spark.hadoop."): value for name, value in asked.conf.items()}
        assuming = spark_settings.assuming(role, self._endpoint.region, SESSION)
        return {**conf, **spark_settings.of_role(credentials), **assuming}

    def _warm(self, asked: Arguments, extra: list[Path]) -> dict[str, str]:
        if extra:
            raise ArgumentError(
                f"The argument '--extra-jars {','.join(asked.jars)}': the warm JVM has no such jar. Start with --cold."
            )
        return self._spark.environment()

    def _cold(self, asked: Arguments, python: list[str], extra: list[Path]) -> dict[str, str]:
        settings = {
            "spark.hadoop.fs.s3a.aws.credentials.provider": ENVIRONMENT_PROVIDER,
            **{f"spark.hadoop.{name}": "false" for name in spark_settings.EACH_ANEW},  # here there is one role only
            **asked.conf,
        }
        if python:
            settings["spark.submit.pyFiles"] = ",".join(python)
        if extra:
            settings["spark.jars"] = ",".join(map(str, [*jars.fetch(), *extra]))
        return self._spark.cold_environment(settings)

    def _download(self, work: Work, uri: str, folder: Path) -> Path:
        bucket, _, key = uri.removeprefix("s3://").partition("/")
        path = folder / Path(key).name
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            self._clients.of("s3", work.role).download_file(bucket, key, str(path))
        except ClientError as error:
            raise ArgumentError(
                f"The file '{uri}' of job '{work.job}': its role cannot read it: {error}. Deploy it, or grant it."
            ) from error
        return path

    def _kept(self, work: Work, uri: str) -> Path:
        """A zip that outlives its run and is named by its content: the warm JVM goes on to ask for every Python file
        that it was ever given, and takes no two of one name."""
        folder = self._endpoint.state / "spark" / "python"
        found = self._download(work, uri, folder / work.run)
        kept = folder / f"{hashlib.sha256(found.read_bytes()).hexdigest()[:16]}.zip"
        if found.suffix == ".py":
            with zipfile.ZipFile(unfinished := found.with_suffix(".zip"), "w") as archive:
                archive.write(found, found.name)
            unfinished.replace(kept)
        else:
            found.replace(kept)
        shutil.rmtree(found.parent)
        return kept

    def _jar(self, work: Work, uri: str, folder: Path) -> Path | None:
        """The jar, unless Spark has the very same already: what is deployed has another name here."""
        path = self._download(work, uri, folder)
        size, digest = path.stat().st_size, hashlib.sha256(path.read_bytes()).digest()
        same = (jar for jar in jars.fetch() if jar.stat().st_size == size)
        return None if any(hashlib.sha256(jar.read_bytes()).digest() == digest for jar in same) else path


def _id(job: str) -> str:
    return "j_" + hashlib.sha256(job.encode()).hexdigest()
