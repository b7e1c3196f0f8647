"""The catalog's databases: one for each layer that holds tables."""

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
        for layer in DATABASES:
            self._database(environment, layer).apply_removal_policy(removal_policy)

    def _database(self, environment: Environment, layer: str) -> glue.CfnDatabase:
        closed = environment.governance == "lake_formation" and layer in GOVERNED
        return glue.CfnDatabase(
            self,
            layer.title(),
            catalog_id=environment.account,
            database_input=glue.CfnDatabase.DatabaseInputProperty(
                name=environment.database(layer),
                description=f"Layer {layer} of the lake, environment {environment.name}",
                create_table_default_permissions=[] if closed else [BY_IAM],
            ),
        )
