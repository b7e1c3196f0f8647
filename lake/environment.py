"""A deployed environment as the compiled lake has it: its names, its limits and who reads it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from lake.compiled_parts import made
from lake.roles import Role, role_from_dict


@dataclass(frozen=True)
class Maintenance:
    """How the lake's tables are maintained: minutes of a run, and days for which things are left as they are."""

    budget_minutes: int = 60
    snapshot_days: int = 14  # a snapshot stays readable after another took its place; a run can be redriven as long
    orphan_days: int = 3  # a file that no metadata names yet may be that of a writer at work
    open_days: int = 2  # a partition that a load has touched within them is open


@dataclass(frozen=True)
class Environment:
    """The names of one deployed environment."""

    name: str
    account: str
    region: str
    buckets: Mapping[str, str]
    databases: Mapping[str, str]
    ledger: str
    topic_arn: str
    connections: Mapping[str, str] = field(default_factory=dict)
    resources: Mapping[str, str] = field(default_factory=dict)
    rows_per_partition: int = 100_000
    lease_wait: float = 300.0  # seconds that a job waits for another writer of a table, well within its time-out
    rulesets: str = ""  # what the names of Glue Data Quality rulesets begin with
    maintenance: Maintenance = field(default_factory=Maintenance)
    runbook: str = "docs/runbook.md"
    retention: Mapping[str, int] = field(default_factory=dict)  # days, by bucket, and of noncurrent versions
    record_hours: Mapping[str, float] = field(default_factory=dict)  # by stream dataset: how old its records may grow
    stream_hours: Mapping[str, float] = field(default_factory=dict)  # by stream dataset: how long it keeps records
    governance: str = "iam"  # iam | hybrid | lake_formation
    roles: tuple[Role, ...] = ()

    @property
    def prefix(self) -> str:
        """What the names of the environment's resources begin with."""
        return self.rulesets

    def arn(self, service: str, resource: str) -> str:
        return f"arn:aws:{service}:{self.region}:{self.account}:{resource}"


def environment_from_dict(data: Mapping[str, Any]) -> Environment:
    roles = tuple(map(role_from_dict, data.get("roles", ())))
    return made(Environment, {**data, "maintenance": made(Maintenance, data.get("maintenance", {})), "roles": roles})
