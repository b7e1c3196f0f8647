"""A source: the Glue connection to one business system's database, and the secret with its password."""

from __future__ import annotations

import json

from aws_cdk import RemovalPolicy, aws_glue as glue, aws_kms as kms, aws_secretsmanager as secretsmanager
from constructs import Construct

from config import Environment
from datalake.nag import accept_lint, acknowledge


class Source(Construct):
    """A JDBC connection by the source's name; the password is generated, and set in the database by its owner."""

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        name: str,
        environment: Environment,
        key: kms.IKey,
        removal_policy: RemovalPolicy,
    ) -> None:
        super().__init__(scope, construct_id)
        secret = secretsmanager.Secret(
            self,
            "Secret",
            secret_name=environment.secret(name),
            description=f"User and password with which the lake reads {name}",
            encryption_key=key,
            generate_secret_string=secretsmanager.SecretStringGenerator(
                secret_string_template=json.dumps({"username": f"{name}_reader"}),
                generate_string_key="password",
                exclude_punctuation=True,
            ),
            removal_policy=removal_policy,
        )
        acknowledge(secret, {"SMG4": "The database belongs to the business system, whose owner rotates its users."})
        connection = glue.CfnConnection(
            self,
            "Connection",
            catalog_id=environment.account,
            connection_input=glue.CfnConnection.ConnectionInputProperty(
                name=environment.resource(name),
                connection_type="JDBC",
                connection_properties={
                    "JDBC_CONNECTION_URL": environment.sources[name].jdbc_url,
                    "SECRET_ID": environment.secret(name),
                },
                physical_connection_requirements=_network(environment),
            ),
        )
        connection.node.add_dependency(secret)
        if environment.network is not None:
            reason = "The network is an existing one, and its subnet lies in this zone."
            accept_lint(connection, reason=reason, rule="W3010")


def _network(environment: Environment) -> glue.CfnConnection.PhysicalConnectionRequirementsProperty | None:
    network = environment.network
    if network is None:
        return None
    return glue.CfnConnection.PhysicalConnectionRequirementsProperty(
        availability_zone=network.availability_zone,
        subnet_id=network.subnets[0],  # a Glue connection takes one
        security_group_id_list=list(network.security_groups),
    )
