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
class JobDefinition:
    """One job; `time_of` names the job whose time-out it shares, where it is not its own."""

    name: str
    description: str
    grants: Sequence[Grant]
    time_of: str = ""
    connects: bool = False  # to the sources


def job_definitions(lake: LakeGrants, environment: Environment) -> tuple[JobDefinition, ...]:
    return (*_loading(lake, environment), *_keeping(lake), _building(lake))


def _loading(lake: LakeGrants, environment: Environment) -> tuple[JobDefinition, ...]:
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
        JobDefinition("apply", "Makes tables from contracts, and lets them grow", apply),
        JobDefinition("ingest", "Brings datasets from their sources to bronze as they are", ingest, connects=True),
        JobDefinition("refine", "Conforms bronze to its contracts and publishes it to silver", refine),
        JobDefinition(
            "mask", "Shows silver to others as its contracts say, in tables beside it", mask, time_of="refine"
        ),
    )


def _keeping(lake: LakeGrants) -> tuple[JobDefinition, ...]:
    maintain = [lake.commit_tables("silver", "gold"), *lake.write_objects("silver", "gold")]
    forget = [
        lake.commit_tables("silver", "gold"),
        *lake.erase_objects(*GOVERNED),
        lake.write_certificates(),
        lake.read_secret(ERASURE_KEY),
    ]
    compacts = "Compacts tables, expires their snapshots and removes files that none of them names"
    return (
        JobDefinition("maintain", compacts, maintain),
        JobDefinition("forget", "Takes a person's rows out of every table and file", forget, time_of="refine"),
    )


def _building(lake: LakeGrants) -> JobDefinition:
    silver = [lake.read_tables("silver"), *lake.read_objects("silver")]
    gold = [lake.commit_tables("gold"), *lake.write_objects("gold")]
    return JobDefinition("model", "Builds gold from silver and publishes all of a pipeline or none", [*silver, *gold])
