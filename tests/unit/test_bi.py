"""`bi`: the files that a tool opens, and what a person reads where they cannot be written."""

from __future__ import annotations

import json
import xml.etree.ElementTree as ElementTree
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest
from typer.testing import CliRunner

import cli.target
import config
from cli.__main__ import app
from cli.target import Target

RESULTS = "s3://headwater-lake-dev-s3-results-01-111111111111/athena/ann.lee/"


def write(folder: Path, tool: str, *more: str, env: str = "dev") -> dict[str, str]:
    asked = ["bi", tool, "--env", env, "--user", "ann.lee", "--output", str(folder), *more]
    told = CliRunner().invoke(app, asked)
    assert told.exit_code == 0, told.exception
    return {path.name: path.read_text() for path in folder.iterdir()}


def parameters(url: str) -> dict[str, str]:
    assert url.startswith("jdbc:athena://")
    pairs = url.removeprefix("jdbc:athena://").rstrip(";").split(";")
    return {name: value for name, _, value in (pair.partition("=") for pair in pairs)}


AWS = {
    "Region": "us-east-1",
    "Catalog": "AwsDataCatalog",
    "Database": "headwater_dev_gold",
    "WorkGroup": "headwater-dev-engineers",
    "OutputLocation": RESULTS,
    "CredentialsProvider": "DefaultChain",
}


def test_tableau_opens_a_data_source_for_the_jdbc_driver(tmp_path: Path) -> None:
    text = write(tmp_path, "tableau", "--team", "engineers")["headwater-dev-gold.tds"]
    (connection,) = ElementTree.fromstring(text).iterfind(".//connection[@class='genericjdbc']")
    assert parameters(connection.attrib["jdbcurl"]) == AWS
    assert connection.attrib["schema"] == "headwater_dev_gold"


def test_dbeaver_finds_a_connection_of_its_athena_driver(tmp_path: Path) -> None:
    text = write(tmp_path, "dbeaver", "--team", "engineers")["data-sources.json"]
    (connection,) = json.loads(text)["connections"].values()
    assert (connection["provider"], connection["driver"]) == ("athena", "aws_athena_jdbc_amazon")
    assert parameters(connection["configuration"]["url"]) == connection["configuration"]["properties"] == AWS


def test_sqlalchemy_has_a_url_for_pyathena(tmp_path: Path) -> None:
    url = urlsplit(write(tmp_path, "sqlalchemy")["headwater-dev-gold.url"].strip())
    assert (url.scheme, url.hostname, url.path) == (
        "awsathena+rest",
        "athena.us-east-1.amazonaws.com",
        "/headwater_dev_gold",
    )
    assert parse_qs(url.query) == {
        "s3_staging_dir": [RESULTS],
        "work_group": ["headwater-dev-analysts"],
        "region_name": ["us-east-1"],
    }


def test_the_laptop_is_reached_by_its_endpoint_and_its_keys(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    lake = Target(config.load("local"), "http://localhost:4580")
    monkeypatch.setattr(cli.target, "target", lambda env: lake)
    files = write(tmp_path, "dbeaver", env="local")
    (connection,) = json.loads(files["data-sources.json"])["connections"].values()
    said = connection["configuration"]["properties"]
    assert said["AthenaEndpoint"] == said["S3Endpoint"] == "http://localhost:4580"
    assert (said["User"], said["Password"], said["ResultFetcher"]) == ("headwater", "laptop", "GetQueryResults")
    assert "CredentialsProvider" not in said
    url = write(tmp_path, "sqlalchemy", env="local")["headwater-local-gold.url"]
    assert url.startswith("awsathena+rest://headwater:laptop@")
    assert parse_qs(urlsplit(url.strip()).query)["endpoint_url"] == ["http://localhost:4580"]


def test_the_policy_beside_it_names_one_workgroup_and_one_folder(tmp_path: Path) -> None:
    policy = json.loads(write(tmp_path, "tableau")["iam-policy.json"])
    assert policy["Version"] == "2012-10-17"
    said = {each["Sid"]: each for each in policy["Statement"]}
    assert said["Query"]["Resource"] == ["arn:aws:athena:us-east-1:111111111111:workgroup/headwater-dev-analysts"]
    assert said["ResultsOwn"]["Resource"] == [f"arn:aws:s3:::{RESULTS.removeprefix('s3://')}*"]
    assert "${" not in json.dumps(policy)


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["excel"], "The tool 'excel': expected one of tableau, dbeaver, sqlalchemy. Name one of them."),
        (
            ["tableau", "--team", "nobody"],
            "The team 'nobody': expected one of analysts, engineers, clinicians, clinics.",
        ),
        (["tableau", "--user", "../x"], "The user '../x': expected FIRST.LAST in lower-case letters"),
        (["tableau", "--env", "nowhere"], "'nowhere': expected an environment"),
    ],
)
def test_what_cannot_be_written_is_said_in_a_sentence(tmp_path: Path, arguments: list[str], says: str) -> None:
    told = CliRunner().invoke(app, ["bi", "--env", "dev", "--output", str(tmp_path), *arguments])
    assert says in str(told.exception)
    assert not list(tmp_path.iterdir())


def test_a_folder_that_cannot_be_written_is_said_in_a_sentence(tmp_path: Path) -> None:
    (tmp_path / "taken").write_text("")
    told = CliRunner().invoke(
        app, ["bi", "tableau", "--env", "dev", "--user", "ann.lee", "--output", str(tmp_path / "taken")]
    )
    assert str(told.exception) == f"The folder '{tmp_path}/taken': expected one that can be written: File exists."
