"""Glue jobs: a script in glue_jobs/, Iceberg set up, logs of their own, and a role for each."""

from __future__ import annotations

from collections.abc import Sequence

from aws_cdk import Duration, aws_glue as glue, aws_iam as iam, aws_kms as kms
from constructs import Construct

from config import Environment
from datalake.access import Grant, role
from datalake.code import RuntimeCode
from datalake.grants import LakeGrants
from datalake.job_grants import JobDefinition
from datalake.logs import log_group
from datalake.nag import acknowledge
from lake.catalog import catalog_settings


def spark_conf(environment: Environment) -> dict[str, str]:
    """What must be set before the session starts; the rest a job sets for itself."""
    extensions = "org.apache.iceberg.spark.extensions.IcebergSparkSessionExtensions"
    return {"spark.sql.extensions": extensions, **catalog_settings(environment.bucket("silver"))}


class LakeJobs(Construct):
    """What all jobs share, and `add` for one of them: `glue_jobs/NAME.py`, deployed as `headwater-ENV-NAME`."""

    def __init__(
        self, scope: Construct, construct_id: str, *, environment: Environment, code: RuntimeCode, key: kms.IKey
    ) -> None:
        super().__init__(scope, construct_id)
        self._environment = environment
        self._code = code
        self._jar = code.jar()
        self._lake = LakeGrants(environment, key_arn=key.key_arn)
        self._log_prefix = environment.job_log_groups
        for stream in ("error", "output"):  # the two that Glue 5 writes
            log_group(self, stream.title(), name=f"{self._log_prefix}/{stream}", environment=environment, key=key)
        self._security = glue.SecurityConfiguration(
            self,
            "Security",
            security_configuration_name=environment.resource("jobs"),
            s3_encryption=glue.S3Encryption.kms(key),
            job_bookmarks_encryption=glue.JobBookmarksEncryption.client_side_kms(key),
        )

    def add(self, defined: JobDefinition, *, connections: Sequence[glue.IConnection]) -> None:
        name, sizes = defined.name, self._environment.sizes
        script = self._code.script(name)
        job = glue.PySparkEtlJob(
            self,
            name.title(),
            job_name=self._environment.resource(name),
            description=defined.description,
            glue_version=glue.GlueVersion.V5_1,
            role=self._role(name, [self._code.read(script, self._jar), *defined.grants]),
            script=glue.Code.from_bucket(script.bucket, script.s3_object_key),
            extra_python_files=[self._code.for_jobs()],
            extra_jars=[glue.Code.from_bucket(self._jar.bucket, self._jar.s3_object_key)],
            connections=list(connections) or None,  # an empty list is another value than none
            security_configuration=self._security,
            worker_configuration=glue.WorkerConfiguration(
                worker_type=glue.WorkerType[sizes.worker_type.replace(".", "_")], number_of_workers=sizes.workers
            ),
            max_concurrent_runs=sizes.job_concurrency,
            max_retries=0,  # a redrive says which attempt it is; Glue's own retry would not
            timeout=Duration.minutes(sizes.timeouts[defined.time_of or name]),
            default_arguments=self._arguments(name),
        )
        # With CloudWatch encryption in the security configuration Glue would make groups of other names.
        acknowledge(job, {"GL1": "Its log groups are ours: made with the lake's key, kept for a while."})

    def _arguments(self, name: str) -> dict[str, str]:
        return {
            "--datalake-formats": "iceberg",
            "--conf": " --conf ".join(f"{key}={value}" for key, value in spark_conf(self._environment).items()),
            "--job-bookmark-option": "job-bookmark-disable",  # the run ledger knows what was read
            "--custom-logGroup-prefix": self._log_prefix,
            "--TempDir": f"s3://{self._environment.bucket('scratch')}/glue/{name}/",
        }

    def _role(self, name: str, grants: Sequence[Grant]) -> iam.IRole:
        shared = [
            self._lake.use_key(),
            self._lake.write_ledger(),
            *self._lake.scratch(f"glue/{name}"),
            self._lake.write_job_logs(),
            self._lake.put_metrics("Glue"),
        ]
        return role(
            self,
            f"{name.title()}Role",
            name=f"{self._environment.resource(name)}-job",
            description=f"What job {self._environment.resource(name)} may do",
            principal=iam.ServicePrincipal("glue.amazonaws.com"),
            grants=[*shared, *grants],
        )
