"""What people and roles are told on an account: by a command, by the catalog, by Lake Formation's own list."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest
from typer.testing import CliRunner, Result

import cli.target
from cli.__main__ import app
from cli.assumed import seen_by
from cli.target import Target
from config import Governance
from glue_jobs.governance import EVERYONE
from tests.local.shared_account import ENVIRONMENT, Account


def ask(
    account: Account,
    monkeypatch: pytest.MonkeyPatch,
    *arguments: str,
    governance: Governance = ENVIRONMENT.governance,
) -> Result:
    environment = replace(ENVIRONMENT, governance=governance)
    monkeypatch.setattr(cli.target, "target", lambda env: Target(environment, account.endpoint.url))
    monkeypatch.delenv("HEADWATER_USER", raising=False)
    return CliRunner().invoke(app, list(arguments))


def told(account: Account, role: str, layer: str, table: str) -> list[str]:
    """The columns that the catalog tells the role of a table; none where the table is not there for it."""
    glue = seen_by(Target(ENVIRONMENT, account.endpoint.url), role, "").client("glue")
    try:
        found = glue.get_table(DatabaseName=ENVIRONMENT.database(layer), Name=table)["Table"]
    except glue.exceptions.ClientError as error:
        if "Insufficient Lake Formation permission" not in str(error):
            raise
        return []
    return [each["Name"] for each in found["StorageDescriptor"]["Columns"]]


def columns(account: Account, role: str) -> list[str]:
    return told(account, role, "silver", "saas_users")


def opened(account: Account) -> set[tuple[str, str]]:
    """Tables of ours that are everybody's whom IAM lets."""
    held = [json.loads(resource) for who, resource, _ in account.shown()["grants"] if who == EVERYONE]
    tables = {(each["Table"]["DatabaseName"], each["Table"]["Name"]) for each in held if "Table" in each}
    return {each for each in tables if each[0] != "their_lake"}
