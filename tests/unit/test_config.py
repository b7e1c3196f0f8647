# ruff: noqa: E501  (a case reads best in one line)
"""Environments: the names that they make, and what a person reads when a file of config/ is wrong."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings, strategies as st

import config
from config import ConfigError, ports
from config.source import Engine, Source

DEV = (config.FOLDER / "dev.yaml").read_text()


def refusal(folder: Path, old: str, new: str, name: str = "dev") -> str:
    assert old in DEV
    path = folder / f"{name}.yaml"
    path.write_text(DEV.replace(old, new, 1))
    with pytest.raises(ConfigError) as caught:
        config.load_file(path)
    return str(caught.value)


def test_names_follow_from_the_environment() -> None:
    local = config.load("local")
    assert local.bucket("bronze") == "headwater-lake-local-s3-bronze-01-123456789012"
    assert local.database("silver") == "headwater_local_silver"
    assert local.resource("apply") == "headwater-local-apply"
    assert local.secret("saas") == "headwater/local/saas"
    assert local.key_arn_parameter == "/headwater/local/key-arn"
    assert local.states_log_group == "/aws/vendedlogs/states/headwater-local"
    assert local.topic_arn == "arn:aws:sns:us-east-1:123456789012:headwater-local-alerts"


@pytest.mark.parametrize("name", ["local", "dev", "prod"])
def test_every_shipped_environment_loads(name: str) -> None:
    environment = config.load(name)
    assert environment.name == name
    assert all(len(environment.bucket(layer)) <= config.BUCKET_LENGTH for layer in config.LAYERS)


def test_production_keeps_its_data() -> None:
    assert config.load("prod").keep_data


def test_a_laptop_gives_each_source_the_port_of_its_server() -> None:
    local = config.load("local", ports.parse("saas:15432,ecommerce:13306"))
    assert {name: source.port for name, source in local.sources.items() if name != "crm"} == {
        "saas": 15432,
        "ecommerce": 13306,
    }


@pytest.mark.parametrize("text", ["saas", "saas:", ":1", "saas:0", "saas:70000", "saas:1,,crm:2", "saas:²"])
def test_ports_that_name_no_source_or_no_port_are_refused(text: str) -> None:
    with pytest.raises(ports.PortsError, match="expected SOURCE:PORT"):
        ports.parse(text)


@given(st.dictionaries(st.from_regex(r"[a-z][a-z0-9_]{0,29}", fullmatch=True), st.integers(1, 65535), min_size=1))
def test_ports_are_read_as_they_were_written(chosen: dict[str, int]) -> None:
    assert ports.parse(ports.write(chosen)) == chosen


@pytest.mark.parametrize(
    ("engine", "url"),
    [
        ("postgresql", "jdbc:postgresql://db.example:5/shop"),
        ("mysql", "jdbc:mysql://db.example:5/shop"),
        ("sqlserver", "jdbc:sqlserver://db.example:5;databaseName=shop;encrypt=true"),
        (
            "h2",
            "jdbc:h2:tcp://db.example:5/shop;MODE=MSSQLServer;DATABASE_TO_UPPER=FALSE;"
            "CASE_INSENSITIVE_IDENTIFIERS=TRUE",
        ),
    ],
)
def test_each_engine_is_reached_by_the_address_of_its_driver(engine: Engine, url: str) -> None:
    assert Source(engine, "db.example", 5, "shop").jdbc_url == url


def test_h2_stands_in_for_sql_server_on_the_laptop_only(tmp_path: Path) -> None:
    told = refusal(tmp_path, "engine: sqlserver", "engine: h2")
    assert "sources.crm.engine: 'h2': expected postgresql, mysql or sqlserver" in told


def test_a_stream_takes_what_comes_or_has_its_shards() -> None:
    assert [config.load(name).streams["clinic.immunizations"].shards for name in ("prod", "dev")] == [None, 1]


def test_off_is_a_word_and_not_a_boolean() -> None:
    assert config.load("local").schedules["tickit"] == "off"


def test_an_unknown_environment_names_the_nearest() -> None:
    with pytest.raises(
        ConfigError, match=r"'prdo': expected an environment, one of dev, local, prod. Did you mean 'prod'\?"
    ):
        config.load("prdo")


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        ("region:", "regoin:", "config/dev.yaml:3: regoin: 'regoin': expected a name that is known here. Did you mean 'region'?"),
        ("region: us-east-1\n", "", "region: 'region': expected here, and missing: an AWS region such as us-east-1. Add `region:`."),
        ('"111111111111"', "111111111111", "config/dev.yaml:2: account: '111111111111': expected an AWS account's 12 digits in quotes. Write it as"),
        ("us-east-1\n", "Virginia\n", "config/dev.yaml:3: region: 'Virginia': expected an AWS region such as us-east-1."),
        ("keep_data: false", "keep_data: maybe", "config/dev.yaml:6: keep_data: 'maybe': expected true (deleting"),
        ("vpc: vpc-0a", "vpc: vcp-0a", "config/dev.yaml:8: network.vpc: 'vcp-0a1b2c3d4e5f60718': expected the id of an existing VPC"),
        ("[sg-0a1b2c3d4e5f60718]", "[]", "config/dev.yaml:11: network.security_groups: '[]': expected a list of at least one"),
        ("us-east-1a", "us-west-2a", "config/dev.yaml:10: network.availability_zone: 'us-west-2a': expected an availability zone of region us-east-1."),
        ("G.1X", "G1X", "config/dev.yaml:13: sizes.worker_type: 'G1X': expected one of G.1X, G.2X, G.4X, G.8X. Did you mean"),
        ("refine: 30", "refine: 0", "config/dev.yaml:15: sizes.timeouts.refine: '0': expected a number of minutes from 1 to 2880."),
        ("budget_minutes: 20", "budget_minutes: 31", "budget_minutes: '31': expected at most half of sizes.timeouts.maintain, 60"),
        ("orphan_days: 3", "orphan_days: 2", "maintenance.orphan_days: '2': expected a number of days from 3 on: a younger file may be"),
        ("tickit: off", "tickit: daily", "config/dev.yaml:18: schedules.tickit: 'daily': expected off, or a schedule such as cron("),
        ("bronze: 30", "silver: 30, bronze: 30", "config/dev.yaml:19: retention.silver: '30': expected nothing here: an Iceberg table's files may not expire by age."),
        ("governance: hybrid", "governance: lakeformation", "'lakeformation': expected one of iam, hybrid, lake_formation. Did you mean 'lake_formation'?"),
        ("tags: { project", 'tags: { "aws:project"', "config/dev.yaml:23: tags.aws:project: 'aws:project': expected a tag of at most 128"),
        ("monthly_usd: 100", "monthly_usd: 0", "config/dev.yaml:24: budget.monthly_usd: '0': expected an amount of US dollars above 0."),
        ("[data-platform@example.com]", "[data-platform]", "config/dev.yaml:24: budget.emails[0]: 'data-platform': expected an e-mail address."),
        ("engine: postgresql", "engine: oracle", "config/dev.yaml:27: sources.saas.engine: 'oracle': expected one of postgresql, mysql, sqlserver, h2."),
        ("port: 5432", 'port: "5432"', "config/dev.yaml:27: sources.saas.port: '5432': expected a port from 1 to 65535."),
        ("  saas:", "  SaaS:", "config/dev.yaml:27: sources.SaaS: 'SaaS': expected a source's name"),
        ("capacity: { shards: 1 }", "capacity: many", "config/dev.yaml:31: streams.clinic.immunizations.capacity: 'many': expected on_demand, or a number of shards as in { shards: 2 }."),
        ("shards: 1", "shards: 0", "streams.clinic.immunizations.capacity.shards: '0': expected a number of shards from 1 to 500."),
        ("batch_size: 1000", "batch: 1000", "'batch': expected a name that is known here. Did you mean 'batch_size'?"),
        ("max_record_age_hours: 24", "max_record_age_hours: 168", "'168': expected less than retention_hours, 168: a record is put aside before it is gone. Write less, or keep records longer."),
        ("window_seconds: 20", "window_seconds: 0", "streams.clinic.immunizations.window_seconds: '0': expected at least 1, since batch_size is more than 10."),
        ("auth: api_key", "auth: open", "'open': expected one of iam, api_key."),
        ("clinic.immunizations: {", "immunizations: {", "streams.immunizations: 'immunizations': expected a dataset SOURCE.NAME."),
        ("teams:\n", "teams: {}\nmore:\n", "teams: 'teams': expected a mapping of at least one team to its limits."),
        ("reads: [gold]", "reads: [golden]", "reads[0]: 'golden': expected one of bronze, silver, gold. Did you mean 'gold'?"),
        ("classes: [public, internal] }", "classes: [public, secret] }", "roles.analyst.classes[1]: 'secret': expected one of public, internal, pii, phi."),
        ("analyst: { team: analysts", "analyst: { team: analyst", "roles.analyst.team: 'analyst': expected one of the teams. Did you mean 'analysts'?"),
        ("clinical_analyst: { team: clinicians", "clinical_analyst: { team: analysts", "roles.analyst.team: 'analysts': expected a team in which nobody sees more, and clinical_analyst does. Give it a team of its own"),
        ("clinic_001: { team: clinics", "clinic_001: { team: clinicians", "roles.clinic_001.team: 'clinicians': expected a team in which nobody sees more, and clinical_analyst does."),
        ("reads: [silver, gold], classes: [public, internal, phi]", "reads: [bronze], classes: [public, internal, phi]", "roles.clinical_analyst.reads[0]: 'bronze': expected no bronze without the classes pii: its rows are raw"),
        ("rows: { clinic: [site-001] }", "rows: { clinic: [] }", "roles.clinic_001.rows.clinic: '[]': expected all, or a list of values"),
        ("rows: { clinic: [site-001] }", "rows: { clinic: [all] }", "roles.clinic_001.rows.clinic[0]: 'all': expected a value of text or a whole number (all of them is `all` without brackets)."),
        ("rows: { clinic: [site-001] }", "rows: { clinic: [a, a] }", "roles.clinic_001.rows.clinic: '['a', 'a']': expected all, or a list of values, each once"),
        ("gigabytes_per_query: 100 ", "gigabytes_per_query: 0 ", "teams.analysts.gigabytes_per_query: '0': expected how much one query may scan in GiB, at least 1"),
        ("gigabytes_per_query: 100 ", "", "teams.analysts.gigabytes_per_query: 'gigabytes_per_query': expected here, and missing"),
        ("  analysts:", "  Analysts:", "'Analysts': expected a team's name of at most 30 lower-case letters, digits or -."),
        ("unit: lake", "project: lake", "config/dev.yaml:5: 'project': expected each name once here. Remove one of the two."),
        ("unit: lake", "unit: [lake", "config/dev.yaml:5: 'unit: [lake': expected YAML, but did not find expected ',' or ']'."),
    ],
)  # fmt: skip
def test_an_error_names_file_line_field_value_and_what_was_expected(
    tmp_path: Path, old: str, new: str, says: str
) -> None:
    assert says in refusal(tmp_path, old, new)


def test_a_source_has_one_stream_since_its_api_document_fills_in_one(tmp_path: Path) -> None:
    line = next(line for line in DEV.splitlines() if "clinic.immunizations" in line)
    told = refusal(tmp_path, line, f"{line}\n{line.replace('immunizations', 'visits')}")
    assert "streams.clinic.visits: 'clinic.visits': expected no second stream of source clinic" in told


def test_a_bucket_name_that_aws_would_refuse_is_refused_here(tmp_path: Path) -> None:
    told = refusal(tmp_path, "unit: lake", "unit: sixteenlettersxx", "performance9")
    assert "expected a bucket name of at most 63 characters" in told


def test_an_environment_is_named_in_lower_case_letters_and_digits(tmp_path: Path) -> None:
    assert "'pre-prod': expected an environment's name" in refusal(tmp_path, "unit: lake", "unit: lakes", "pre-prod")


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(number=st.integers(0, 500), junk=st.text(st.characters(codec="utf-8"), max_size=12))
def test_whatever_is_written_into_a_file_ends_in_an_environment_or_a_config_error(
    tmp_path: Path, number: int, junk: str
) -> None:
    lines = DEV.splitlines()
    place = number % len(lines)
    lines[place] = lines[place][: number % (len(lines[place]) + 1)] + junk
    path = tmp_path / "dev.yaml"
    path.write_text("\n".join(lines), encoding="utf-8")
    try:
        told = config.load_file(path).name
    except ConfigError as error:
        told = str(error)
    assert told.startswith(("dev", "config/dev.yaml:"))
