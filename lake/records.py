"""What the run ledger holds, as plain frozen records."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal

Step = Literal["apply", "ingest", "refine", "mask", "model", "maintain", "forget"]
Status = Literal["succeeded", "failed"]
Mode = Literal["run", "backfill", "rerun", "replay"]
RunStatus = Literal["running", "succeeded", "failed"]

STEPS: tuple[Step, ...] = ("apply", "ingest", "refine", "mask", "model", "maintain", "forget")
PIPELINE_STEPS: tuple[Step, ...] = ("apply", "ingest", "refine", "model")  # a rerun from model masks anew too
COUNTS = ("read", "inserted", "updated", "unchanged", "superseded", "quarantined", "deleted")


class OutcomeError(ValueError):
    """An outcome that cannot be true."""


@dataclass(frozen=True)
class Outcome:
    """What one step of one attempt did to one dataset."""

    run: str
    attempt: int
    step: Step
    dataset: str
    status: Status
    read: int = 0
    inserted: int = 0
    updated: int = 0
    unchanged: int = 0
    superseded: int = 0
    quarantined: int = 0
    deleted: int = 0
    rules: Mapping[str, int] = field(default_factory=dict)  # rows for each broken rule
    gates: tuple[Mapping[str, Any], ...] = ()  # {"name", "value", "passed", "severity"}
    cause: str = ""
    remedy: str = ""
    files: tuple[str, ...] = ()
    snapshot_from: int | None = None
    snapshot_to: int | None = None
    seconds: float = 0.0
    tables: tuple[Mapping[str, Any], ...] = ()  # maintained: {"table", "before", "after", "done"}
    note: str = ""  # what a success has left undone, and why
    at: str = ""  # ISO; the ledger fills it in

    def __post_init__(self) -> None:
        if self.step not in STEPS:
            raise OutcomeError(f"The step '{self.step}': expected one of {', '.join(STEPS)}. Name the step that ran.")
        if self.status not in ("succeeded", "failed"):
            raise OutcomeError(f"The status '{self.status}': expected succeeded or failed. Say how the step ended.")
        if negative := [name for name in COUNTS if getattr(self, name) < 0]:
            raise OutcomeError(f"The count '{negative[0]}' of {self.dataset}: expected 0 or more. Count again.")
        if self.status == "failed" and not self.cause:
            raise OutcomeError(f"The failed {self.step} of {self.dataset}: expected a cause. Say why it failed.")
        if self.status == "succeeded" and self.step == "refine" and self.read != self.accounted:
            raise OutcomeError(
                f"The counts of {self.dataset} in {self.run}: read {self.read}, expected inserted + updated + unchanged"
                f" + superseded + quarantined = {self.accounted}. Rows were lost or counted twice: do not publish."
            )

    @property
    def accounted(self) -> int:
        return self.inserted + self.updated + self.unchanged + self.superseded + self.quarantined


@dataclass(frozen=True)
class Plan:
    """What one attempt of a run is to work on.

    A `run` loads what is new, a `backfill` the interval of its logical time, a `replay` whole tables whatever their
    load mode; a `rerun` does again what the run `repeats` did, from `first_step` on.
    """

    run: str
    attempt: int
    datasets: tuple[str, ...]
    models: tuple[str, ...]
    started_at: str
    mode: Mode = "run"
    repeats: str = ""
    first_step: Step = "ingest"


@dataclass(frozen=True)
class Run:
    """A run and how it stands; `attempt` is the latest planned."""

    run: str
    pipeline: str
    status: RunStatus
    attempt: int
    started_at: datetime
    finished_at: datetime | None = None
    mode: Mode = "run"


@dataclass(frozen=True)
class Load:
    """The files of a committed bronze load, and how many rows they hold.

    A `complete` load holds every row that the source had at `began` (ISO); else `keys` are the files that hold every
    key it had then, where the contract asks for deletes.
    """

    run: str
    attempt: int
    files: tuple[str, ...]
    rows: int
    complete: bool = True
    keys: tuple[str, ...] = ()
    began: str = ""


@dataclass(frozen=True)
class Head:
    """What readers of a dataset see: the published snapshot, and by which run.

    `watermark` is the highest `_version` published, in values of `cursor`; of the loads published the newest `began`
    then, and the last whose keys were compared is that of run `keyed`.
    """

    snapshot: int | None
    run: str
    watermark: str
    at: datetime
    began: str = ""
    keyed: str = ""
    cursor: str = ""


@dataclass(frozen=True)
class Intent:
    """A publication of gold tables, all or none: `moves` of {"table", "dataset", "from", "to"}."""

    run: str
    moves: tuple[Mapping[str, Any], ...]
