"""The catalog's databases: one for each layer that holds tables."""

from __future__ import annotations

from aws_cdk import RemovalPolicy, aws_glue as glue
from constructs import Construct

from config import DATABASES, Environment

# In mode iam IAM alone decides. Without this Lake Formation would refuse a table to all but the role that made it.
BY_IAM = glue.CfnDatabase.PrincipalPrivilegesProperty(
    permissions=["ALL"],
    principal=glue.CfnDatabase.DataLakePrincipalProperty(data_lake_principal_identifier="IAM_ALLOWED_PRINCIPALS"),
)


class GovernanceError(ValueError):
    """The environment asks for a governance mode that is not built."""


class LakeDatabases(Construct):
    """Databases without tables: tables are made from contracts by the apply job, never by CloudFormation."""

    def __init__(
        self, scope: Construct, construct_id: str, *, environment: Environment, removal_policy: RemovalPolicy
    ) -> None:
        super().__init__(scope, construct_id)
        if environment.governance != "iam":
            raise GovernanceError(
                f"The governance mode '{environment.governance}' of environment '{environment.name}': expected iam, "
                f"the one mode that is built. Set `governance: iam` in config/{environment.name}.yaml."
            )
        for layer in DATABASES:
            self._database(environment, layer).apply_removal_policy(removal_policy)

    def _database(self, environment: Environment, layer: str) -> glue.CfnDatabase:
        return glue.CfnDatabase(
            self,
            layer.title(),
            catalog_id=environment.account,
            database_input=glue.CfnDatabase.DatabaseInputProperty(
                name=environment.database(layer),
                description=f"Layer {layer} of the lake, environment {environment.name}",
                create_table_default_permissions=[BY_IAM],
            ),
        )
