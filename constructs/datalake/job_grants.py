"""What each job is for, and what its role may do."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from config import Environment
from datalake.access import Grant
from datalake.grants import LakeGrants, network_interfaces
from lake.masking import MASKING_KEY
from lake.parts import GOVERNED
from lake.subjects import ERASURE_KEY


@dataclass(frozen=True)
class JobPart:
    """One job; `time_of` names the job whose time-out it has too, where it does as much."""

    name: str
    description: str
    grants: Sequence[Grant]
    time_of: str = ""
    connects: bool = False  # to the sources


def job_parts(lake: LakeGrants, environment: Environment) -> tuple[JobPart, ...]:
    return (*_loading(lake, environment), *_keeping(lake), _building(lake))


def _loading(lake: LakeGrants, environment: Environment) -> tuple[JobPart, ...]:
    apply = [
        lake.make_tables(*GOVERNED),
        lake.remove_views("silver", "gold"),
        *lake.write_objects("silver", "gold"),
        lake.register_rulesets(),
        *lake.govern_tables(),
    ]
    ingest = [
        *lake.connect(*environment.sources),
        lake.register_loads("bronze"),
        *lake.write_objects("bronze"),
        lake.read_secret(ERASURE_KEY),
        *(network_interfaces(environment) if environment.network else ()),
    ]
    written = [lake.commit_tables("silver"), *lake.write_objects("silver")]
    refine = [*lake.read_objects("bronze"), *written, lake.read_secret(ERASURE_KEY)]
    mask = [*written, lake.read_secret(MASKING_KEY)]
    return (
        JobPart("apply", "Makes tables from contracts, and lets them grow", apply),
        JobPart("ingest", "Brings datasets from their sources to bronze as they are", ingest, connects=True),
        JobPart("refine", "Conforms bronze to its contracts and publishes it to silver", refine),
        JobPart("mask", "Shows silver to others as its contracts say, in tables beside it", mask, time_of="refine"),
    )


def _keeping(lake: LakeGrants) -> tuple[JobPart, ...]:
    maintain = [lake.commit_tables("silver", "gold"), *lake.write_objects("silver", "gold")]
    forget = [
        lake.commit_tables("silver", "gold"),
        *lake.erase_objects(*GOVERNED),
        lake.write_certificates(),
        lake.read_secret(ERASURE_KEY),
    ]
    compacts = "Compacts tables, expires their snapshots and removes files that none of them names"
    return (
        JobPart("maintain", compacts, maintain),
        JobPart("forget", "Takes a person's rows out of every table and file", forget, time_of="refine"),
    )


def _building(lake: LakeGrants) -> JobPart:
    silver = [lake.read_tables("silver"), *lake.read_objects("silver")]
    gold = [lake.commit_tables("gold"), *lake.write_objects("gold")]
    return JobPart("model", "Builds gold from silver and publishes all of a pipeline or none", [*silver, *gold])
