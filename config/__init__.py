"""Environments: one YAML file for each, read once and passed down; the one place that makes the lake's names."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cache
from pathlib import Path
from typing import Any, Literal

from config.checks import Schema
from config.positions import Document, Field, FileError, Problem, read, suggestion
from config.role import problems as role_problems, roles
from config.source import Source
from config.stream import Stream, problems as stream_problems, streams
from config.team import Team, teams
from lake.environment import Maintenance
from lake.roles import Role

FOLDER = Path(__file__).parent
DATA_LAYERS = ("landing", "bronze", "silver", "gold")
LAYERS = (*DATA_LAYERS, "results", "sandbox", "logs", "scratch")
DATABASES = ("bronze", "silver", "gold", "discovered")  # beside the sandboxes, one for each team
BUCKET_LENGTH = 63

Governance = Literal["iam", "hybrid", "lake_formation"]


class ConfigError(FileError):
    """An environment is unknown, or its file says something that cannot be deployed."""


@dataclass(frozen=True)
class Network:
    """The existing network in which jobs reach their sources."""

    vpc: str
    subnets: tuple[str, ...]
    availability_zone: str
    security_groups: tuple[str, ...]


@dataclass(frozen=True)
class Sizes:
    """How large jobs are; `timeouts` are minutes by job."""

    worker_type: str
    workers: int
    timeouts: Mapping[str, int]
    rows_per_partition: int
    job_concurrency: int


@dataclass(frozen=True)
class Budget:
    """What a month may cost, and who hears when it costs more."""

    monthly_usd: float
    emails: tuple[str, ...]


@dataclass(frozen=True)
class Environment:
    """Where the lake is deployed, how large, and what everything in it is called."""

    name: str
    account: str
    region: str
    project: str
    unit: str
    keep_data: bool
    network: Network | None
    sizes: Sizes
    retention: Mapping[str, int]
    governance: Governance
    budget: Budget
    alert_emails: tuple[str, ...]
    sources: Mapping[str, Source]
    teams: Mapping[str, Team]  # the first is whose workgroup commands use
    roles: Mapping[str, Role] = field(default_factory=dict)
    maintenance: Maintenance = field(default_factory=Maintenance)
    maintenance_schedule: str = ""  # none: it is started by hand
    crawl_schedule: str = ""  # none: it is started by hand
    schedules: Mapping[str, str] = field(default_factory=dict)
    streams: Mapping[str, Stream] = field(default_factory=dict)  # by the dataset whose events they carry
    tags: Mapping[str, str] = field(default_factory=dict)
    permissions_boundary: str | None = None

    def bucket(self, layer: str) -> str:
        return f"{self.project}-{self.unit}-{self.name}-s3-{layer}-01-{self.account}"

    def database(self, layer: str) -> str:
        return f"{self.project}_{self.name}_{layer}"

    def sandbox(self, team: str) -> str:
        """The database of the tables that people of a team make for themselves."""
        return f"{self.database('sandbox')}_{team.replace('-', '_')}"

    def resource(self, noun: str) -> str:
        """The name of anything that is not a bucket, database, secret or log group: a job, a function, a topic."""
        return f"{self.project}-{self.name}-{noun}"

    def workgroup(self, team: str = "") -> str:
        """A team's workgroup; of no team, that of the first."""
        return self.resource(team or next(iter(self.teams)))

    def role(self, name: str) -> str:
        """The IAM role of a role."""
        return self.resource(f"role-{name.replace('_', '-')}")

    def secret(self, source: str) -> str:
        return f"{self.project}/{self.name}/{source}"

    @property
    def key_arn_parameter(self) -> str:
        return f"/{self.project}/{self.name}/key-arn"

    @property
    def states_log_group(self) -> str:
        return f"/aws/vendedlogs/states/{self.project}-{self.name}"

    @property
    def job_log_groups(self) -> str:
        """What the names of the job runs' two log groups begin with: Glue adds /output and /error."""
        return f"/aws-glue/{self.project}-{self.name}"

    @property
    def topic_arn(self) -> str:
        return f"arn:aws:sns:{self.region}:{self.account}:{self.resource('alerts')}"


def names() -> list[str]:
    return sorted(path.stem for path in FOLDER.glob("*.yaml"))


def load(name: str, source_ports: Mapping[str, int] | None = None) -> Environment:
    """An environment by name; on a laptop each source listens on the port that its embedded server was given."""
    if name not in names():
        remedy = f"{suggestion(name, names())} Pass `-c env=NAME`, or add config/{name}.yaml."
        expected = f"expected an environment, one of {', '.join(names())}"
        raise ConfigError([Problem(f"config/{name}.yaml", 1, "", name, expected, remedy)])
    environment = load_file(FOLDER / f"{name}.yaml")
    ports = source_ports or {}
    sources = {
        source: replace(found, port=ports.get(source, found.port)) for source, found in environment.sources.items()
    }
    return replace(environment, sources=sources)


def load_file(path: Path) -> Environment:
    """An environment from its file, whose name is the environment's."""
    document = read(path, f"config/{path.name}", ConfigError)
    problems = _schema().problems(document)
    if problems:
        raise ConfigError(problems)
    environment = _environment(path.stem, document.data)
    problems = _beyond_schema(document, environment)
    if problems:
        raise ConfigError(problems)
    return environment


def problem(environment: Environment, field: Field, value: object, expected: str, remedy: str) -> Problem:
    """A problem in an environment's file that shows only beside contracts or pipelines."""
    path = FOLDER / f"{environment.name}.yaml"
    return read(path, f"config/{path.name}", ConfigError).problem(field, value, expected, remedy)


@cache
def _schema() -> Schema:
    return Schema(FOLDER / "environment.schema.json")


def _environment(name: str, data: dict[str, Any]) -> Environment:
    network, budget, care = data["network"], data["budget"], dict(data["maintenance"])
    schedule = care.pop("schedule")
    built = {
        "network": None
        if network == "none"
        else Network(
            network["vpc"],
            tuple(network["subnets"]),
            network["availability_zone"],
            tuple(network["security_groups"]),
        ),
        "sizes": Sizes(**data["sizes"]),
        "budget": Budget(budget["monthly_usd"], tuple(budget["emails"])),
        "alert_emails": tuple(data["alert_emails"]),
        "sources": {source: Source(**values) for source, values in data["sources"].items()},
        "streams": streams(data.get("streams", {})),
        "teams": teams(data["teams"]),
        "roles": roles(data.get("roles", {})),
        "maintenance": Maintenance(**care),
        "maintenance_schedule": "" if schedule == "off" else schedule,
        "crawl_schedule": "" if data["crawl"]["schedule"] == "off" else data["crawl"]["schedule"],
    }
    given = {field: value for field, value in data.items() if field != "crawl"}
    return Environment(**{**given, **built, "name": name})


def _beyond_schema(document: Document, environment: Environment) -> list[Problem]:
    """What no schema can say: rules between fields."""
    problems = []
    if not (environment.name.isalnum() and environment.name.islower() and environment.name.isascii()):
        expected = "expected an environment's name of lower-case letters and digits"
        problems.append(document.problem((), environment.name, expected, f"Rename {document.file}."))
    longest = max((environment.bucket(layer) for layer in LAYERS), key=len)
    if len(longest) > BUCKET_LENGTH:
        expected = f"expected a bucket name of at most {BUCKET_LENGTH} characters, this has {len(longest)}"
        problems.append(document.problem(("project",), longest, expected, "Shorten `project` or `unit`."))
    for source, described in environment.sources.items():
        if described.engine == "h2" and environment.name != "local":
            expected = "expected postgresql, mysql or sqlserver: H2 stands in for SQL Server on the laptop alone"
            field: Field = ("sources", source, "engine")
            problems.append(document.problem(field, described.engine, expected, "Write sqlserver."))
    problems += stream_problems(document, environment.streams)
    problems += role_problems(document, environment.roles, environment.teams)
    budget, limit = environment.maintenance.budget_minutes, environment.sizes.timeouts["maintain"]
    if 2 * budget > limit:
        expected = f"expected at most half of sizes.timeouts.maintain, {limit}: what is begun in time is finished"
        place: Field = ("maintenance", "budget_minutes")
        problems.append(document.problem(place, budget, expected, "Write less, or give the job more time."))
    network = environment.network
    if network and not network.availability_zone.startswith(environment.region):
        expected = f"expected an availability zone of region {environment.region}"
        remedy = f"Write one such as {environment.region}a, that of the first subnet."
        problems.append(document.problem(("network", "availability_zone"), network.availability_zone, expected, remedy))
    return problems
