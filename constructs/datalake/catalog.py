"""The catalog's databases: one for each layer that holds tables, and a sandbox for each team."""

from __future__ import annotations

from aws_cdk import RemovalPolicy, aws_glue as glue
from constructs import Construct

from config import DATABASES, Environment
from lake.parts import GOVERNED

# Where IAM alone decides. Without this Lake Formation would refuse a table to all but the role that made it.
BY_IAM = glue.CfnDatabase.PrincipalPrivilegesProperty(
    permissions=["ALL"],
    principal=glue.CfnDatabase.DataLakePrincipalProperty(data_lake_principal_identifier="IAM_ALLOWED_PRINCIPALS"),
)


class LakeDatabases(Construct):
    """Databases without tables: tables are made from contracts by the apply job, never by CloudFormation."""

    def __init__(
        self, scope: Construct, construct_id: str, *, environment: Environment, removal_policy: RemovalPolicy
    ) -> None:
        super().__init__(scope, construct_id)
        self._environment, self._removal_policy = environment, removal_policy
        for layer in DATABASES:
            closed = environment.governance == "lake_formation" and layer in GOVERNED
            self._database(layer.title(), environment.database(layer), f"Layer {layer} of the lake", closed=closed)
        for team in environment.teams:
            self._database(f"Sandbox-{team}", environment.sandbox(team), f"Tables that people of {team} make")

    def _database(self, construct_id: str, name: str, holds: str, *, closed: bool = False) -> None:
        glue.CfnDatabase(
            self,
            construct_id,
            catalog_id=self._environment.account,
            database_input=glue.CfnDatabase.DatabaseInputProperty(
                name=name,
                description=f"{holds}, environment {self._environment.name}",
                create_table_default_permissions=[] if closed else [BY_IAM],
            ),
        ).apply_removal_policy(self._removal_policy)
