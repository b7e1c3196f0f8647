"""Crawlers: what each source's database and the landing bucket hold, found out into a database of their own."""

from __future__ import annotations

import json
from collections.abc import Sequence

from aws_cdk import aws_glue as glue, aws_iam as iam
from constructs import Construct

from config import Environment
from datalake.access import Grant, role
from datalake.grants import LakeGrants, network_interfaces
from datalake.nag import acknowledge

DATABASE, LANDING = "discovered", "landing"
# Folders of the landing bucket: 1 is the bucket, 2 the source, 3 the table; what lies below is its partitions.
TABLE_LEVEL = 3


class CrawlerNameError(ValueError):
    """A source whose crawler would have the name of another."""


def names(environment: Environment) -> list[str]:
    """Every crawler of an environment."""
    return [environment.resource(f"crawl-{each}") for each in (*environment.sources, LANDING)]


class LakeCrawlers(Construct):
    """Crawler `headwater-ENV-crawl-SOURCE` for each source, and one for the landing bucket; none writes elsewhere."""

    def __init__(self, scope: Construct, construct_id: str, *, environment: Environment, lake: LakeGrants) -> None:
        super().__init__(scope, construct_id)
        self._environment, self._lake = environment, lake
        if LANDING in environment.sources:
            raise CrawlerNameError(
                f"The source '{LANDING}': expected another name, since crawler 'crawl-{LANDING}' is that of the bucket."
                f" Rename it in config/{environment.name}.yaml."
            )
        for source in environment.sources:
            self._source(source)
        self._landing()

    def _source(self, source: str) -> None:
        """All tables of the source's database, by the connection that the jobs use."""
        reach = network_interfaces(self._environment) if self._environment.network else []
        target = glue.CfnCrawler.JdbcTargetProperty(
            connection_name=self._environment.resource(source), path=self._environment.sources[source].include_path
        )
        self._crawler(
            source,
            f"Which tables the database of {source} has",
            glue.CfnCrawler.TargetsProperty(jdbc_targets=[target]),
            [*self._lake.connect(source), *reach],
            {},
        )

    def _landing(self) -> None:
        """A table for each folder SOURCE/TABLE/ of the bucket."""
        target = glue.CfnCrawler.S3TargetProperty(path=f"s3://{self._environment.bucket(LANDING)}/")
        grouping = {"TableGroupingPolicy": "CombineCompatibleSchemas", "TableLevelConfiguration": TABLE_LEVEL}
        self._crawler(
            LANDING,
            "Which files have landed, and what is in them",
            glue.CfnCrawler.TargetsProperty(s3_targets=[target]),
            self._lake.read_objects(LANDING),
            {"Grouping": grouping},
        )

    def _crawler(
        self,
        noun: str,
        description: str,
        targets: glue.CfnCrawler.TargetsProperty,
        grants: Sequence[Grant],
        configuration: dict[str, object],
    ) -> None:
        name, prefix = self._environment.resource(f"crawl-{noun}"), f"{noun}_"
        own = [self._lake.use_key(), self._lake.write_crawler_logs(), *self._lake.discover(DATABASE, prefix)]
        crawler_role = role(
            self,
            f"{noun}-role",
            name=name,
            description=f"What crawler {name} may do",
            principal=iam.ServicePrincipal("glue.amazonaws.com"),
            grants=[*own, *grants],
        )
        partitions = {"Partitions": {"AddOrUpdateBehavior": "InheritFromTable"}}
        crawler = glue.CfnCrawler(
            self,
            noun,
            name=name,
            description=description,
            role=crawler_role.role_arn,
            database_name=self._environment.database(DATABASE),
            table_prefix=prefix,  # so that no crawler's tables take the names of another's
            targets=targets,
            # Nothing found is ever deleted: what is gone from a source is marked, and drift tells of it.
            schema_change_policy=glue.CfnCrawler.SchemaChangePolicyProperty(
                update_behavior="UPDATE_IN_DATABASE", delete_behavior="DEPRECATE_IN_DATABASE"
            ),
            recrawl_policy=glue.CfnCrawler.RecrawlPolicyProperty(recrawl_behavior="CRAWL_EVERYTHING"),
            configuration=json.dumps({"Version": 1.0, "CrawlerOutput": partitions, **configuration}),
        )
        reason = "Crawlers of all environments log to one group of Glue's: names of tables and files, never rows."
        acknowledge(crawler, {"GL1": reason})
