"""Where people query: an Athena workgroup for each team, and in each the named queries of queries/."""

from __future__ import annotations

from collections.abc import Sequence

from aws_cdk import aws_athena as athena
from constructs import Construct

from config import Environment
from contracts.queries import NamedQuery


class Workgroups(Construct):
    """Workgroups that encrypt results, limit what a query scans, and let a user choose an output folder."""

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        environment: Environment,
        key_arn: str,
        queries: Sequence[NamedQuery],
    ) -> None:
        super().__init__(scope, construct_id)
        self._environment = environment
        for team in environment.teams:
            group = self._group(team, key_arn)
            for query in queries:
                self._named_query(team, query).add_resource_dependency(group)

    def _group(self, team: str, key_arn: str) -> athena.CfnWorkGroup:
        environment = self._environment
        return athena.CfnWorkGroup(
            self,
            _pascal(team),
            name=environment.workgroup(team),
            description=f"Queries of team {team}",
            recursive_delete_option=True,  # of the query history; results lie in a bucket
            work_group_configuration=athena.CfnWorkGroup.WorkGroupConfigurationProperty(
                bytes_scanned_cutoff_per_query=environment.teams[team].bytes_per_query,
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

    def _named_query(self, team: str, query: NamedQuery) -> athena.CfnNamedQuery:
        return athena.CfnNamedQuery(
            self,
            f"{_pascal(team)}-{_pascal(query.name)}",
            name=query.name,
            description=query.description,
            database=self._environment.database("gold"),
            work_group=self._environment.workgroup(team),
            query_string=query.text,
        )


def _pascal(name: str) -> str:
    return "".join(word.title() for word in name.replace("-", "_").split("_"))
