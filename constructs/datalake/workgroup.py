"""Where analysts query: an Athena workgroup, and the named queries of queries/."""

from __future__ import annotations

from pathlib import Path
from string import Template

from aws_cdk import aws_athena as athena
from constructs import Construct

from config import DATABASES, Environment
from datalake.code import ROOT

# About half a dollar: an accident stops, a month's report does not.
BYTES_PER_QUERY = 100 * 1024**3


class Workgroup(Construct):
    """A workgroup that encrypts results, limits what a query scans, and lets a user choose an output folder."""

    def __init__(self, scope: Construct, construct_id: str, *, environment: Environment, key_arn: str) -> None:
        super().__init__(scope, construct_id)
        self._environment = environment
        self._group = athena.CfnWorkGroup(
            self,
            "Analysts",
            name=environment.resource("analysts"),
            description="Queries of people and reports",
            recursive_delete_option=True,  # of the query history; results lie in a bucket
            work_group_configuration=athena.CfnWorkGroup.WorkGroupConfigurationProperty(
                bytes_scanned_cutoff_per_query=BYTES_PER_QUERY,
                enforce_work_group_configuration=False,  # enforced, it would override each user's own output folder
                engine_version=athena.CfnWorkGroup.EngineVersionProperty(
                    selected_engine_version="Athena engine version 3"
                ),
                publish_cloud_watch_metrics_enabled=True,
                result_configuration=athena.CfnWorkGroup.ResultConfigurationProperty(
                    output_location=f"s3://{environment.bucket('results')}/athena/",
                    encryption_configuration=athena.CfnWorkGroup.EncryptionConfigurationProperty(
                        encryption_option="SSE_KMS", kms_key=key_arn
                    ),
                ),
            ),
        )
        for path in sorted((ROOT / "queries").glob("*.sql")):
            self._named_query(path)

    def _named_query(self, path: Path) -> None:
        databases = {layer: self._environment.database(layer) for layer in DATABASES}
        text = Template(path.read_text()).substitute(databases)
        query = athena.CfnNamedQuery(
            self,
            "".join(word.title() for word in path.stem.split("_")),
            name=path.stem,
            description=text.splitlines()[0].removeprefix("-- "),
            database=self._environment.database("gold"),
            work_group=self._environment.resource("analysts"),
            query_string=text,
        )
        query.add_resource_dependency(self._group)
