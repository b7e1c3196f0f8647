"""What a BI tool opens: its connection file for one person, and the smallest IAM policy that lets it work."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode
from xml.sax.saxutils import quoteattr

from config import Environment, consumers

CATALOG = "AwsDataCatalog"
DRIVER = "com.amazon.athena.jdbc.AthenaDriver"


@dataclass(frozen=True)
class Connection:
    """One person's way to gold through a team's workgroup; on the laptop with its endpoint and its keys."""

    environment: Environment
    team: str
    user: str
    endpoint_url: str | None = None
    keys: tuple[str, str] | None = None

    @property
    def name(self) -> str:
        return self.environment.resource("gold")

    @property
    def database(self) -> str:
        return self.environment.database("gold")

    @property
    def workgroup(self) -> str:
        return self.environment.workgroup(self.team)

    @property
    def output(self) -> str:
        return output_location(self.environment, self.user)

    def jdbc(self) -> dict[str, str]:
        """The parameters of the Athena JDBC 3.x driver."""
        parameters = {
            "Region": self.environment.region,
            "Catalog": CATALOG,
            "Database": self.database,
            "WorkGroup": self.workgroup,
            "OutputLocation": self.output,
        }
        if self.keys is None:
            parameters["CredentialsProvider"] = "DefaultChain"
        else:
            parameters |= dict(zip(("User", "Password"), self.keys, strict=True))
        if self.endpoint_url is not None:
            parameters |= {"AthenaEndpoint": self.endpoint_url, "S3Endpoint": self.endpoint_url}
            parameters["ResultFetcher"] = "GetQueryResults"  # S3's own fetcher would ask a host named after the bucket
        return parameters

    def jdbc_url(self) -> str:
        return "jdbc:athena://" + "".join(f"{name}={value};" for name, value in self.jdbc().items())


def output_location(environment: Environment, user: str) -> str:
    """The folder of results that IAM opens to this person."""
    return f"s3://{environment.bucket('results')}/athena/{user}/"


def tableau(connection: Connection) -> dict[str, str]:
    """A data source of Tableau's "Other Databases (JDBC)"."""
    attributes = {
        "class": "genericjdbc",
        "dbname": CATALOG,
        "dialect": "genericjdbc",
        "jdbcproperties": "",
        "jdbcurl": connection.jdbc_url(),
        "schema": connection.database,
        "server": "",
        "port": "",
        "username": connection.keys[0] if connection.keys else "",
    }
    said = " ".join(f"{name}={quoteattr(value)}" for name, value in attributes.items())
    named = f"genericjdbc.{connection.name}"
    text = f"""<?xml version='1.0' encoding='utf-8' ?>
<datasource formatted-name={quoteattr(connection.name)} inline='true' version='18.1'>
  <connection class='federated'>
    <named-connections>
      <named-connection caption={quoteattr(connection.name)} name={quoteattr(named)}>
        <connection {said} />
      </named-connection>
    </named-connections>
  </connection>
</datasource>
"""
    return {f"{connection.name}.tds": text}


def dbeaver(connection: Connection) -> dict[str, str]:
    """What DBeaver keeps of a connection, for the folder `.dbeaver` of a project."""
    configuration: dict[str, Any] = {
        "database": connection.database,
        "url": connection.jdbc_url(),
        "configurationType": "URL",
        "type": "dev",
        "closeIdleConnection": True,
        "properties": connection.jdbc(),
        "auth-model": "native",
    }
    found = {
        "provider": "athena",
        "driver": "aws_athena_jdbc_amazon",
        "name": connection.name,
        "save-password": True,
        "read-only": True,
        "configuration": configuration,
    }
    return {"data-sources.json": _json({"folders": {}, "connections": {f"athena-{connection.name}": found}})}


def sqlalchemy(connection: Connection) -> dict[str, str]:
    """The URL that PyAthena's dialect takes."""
    region = connection.environment.region
    options = {"s3_staging_dir": connection.output, "work_group": connection.workgroup, "region_name": region}
    if connection.endpoint_url is not None:
        options["endpoint_url"] = connection.endpoint_url
    keys = ":".join(connection.keys) if connection.keys else ""
    place = f"{keys}@athena.{region}.amazonaws.com:443/{connection.database}"
    return {f"{connection.name}.url": f"awsathena+rest://{place}?{urlencode(options)}\n"}


TOOLS = {"tableau": tableau, "dbeaver": dbeaver, "sqlalchemy": sqlalchemy}


def policy(environment: Environment, team: str, user: str) -> dict[str, Any]:
    statements = [each.statement() for each in consumers.bi_user(environment, team, user)]
    return {"Version": "2012-10-17", "Statement": statements}


def files(tool: str, connection: Connection) -> Mapping[str, str]:
    """By name: the tool's own file, and the policy."""
    said = policy(connection.environment, connection.team, connection.user)
    return {**TOOLS[tool](connection), "iam-policy.json": _json(said)}


def _json(value: object) -> str:
    return json.dumps(value, indent=2) + "\n"
