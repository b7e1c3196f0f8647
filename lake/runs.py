"""Run ids: which pipeline, which interval, which try, as `tickit-20261121T0000-01`."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

LOGICAL_FORMAT = "%Y%m%dT%H%M"
MAINTENANCE = "maintain"  # whose runs are named like a pipeline's
ERASURE = "forget"  # so are these
BRANCHES = "run_"  # what the name of every run's branch begins with
_PATTERN = re.compile(r"(?P<pipeline>[a-z0-9_]+)-(?P<logical>\d{8}T\d{4})-(?P<number>\d{2})")
_GRID = datetime(1970, 1, 5, tzinfo=UTC)  # a Monday, so that days begin at midnight and weeks on Monday
_MAX_LENGTH = 80  # of a Step Functions execution name


class RunIdError(ValueError):
    """A text that names no run."""


@dataclass(frozen=True, order=True)
class RunId:
    """A run of a pipeline over the interval that starts at `logical` (UTC); `number` tells runs of it apart."""

    pipeline: str
    logical: datetime
    number: int = 1

    def __post_init__(self) -> None:
        text = str(self)
        if self.logical.tzinfo is None or not _PATTERN.fullmatch(text) or len(text) > _MAX_LENGTH:
            raise RunIdError(_expected(text))

    @classmethod
    def parse(cls, text: str) -> RunId:
        found = _PATTERN.fullmatch(text)
        if not found:
            raise RunIdError(_expected(text))
        try:
            logical = datetime.strptime(found["logical"], LOGICAL_FORMAT).replace(tzinfo=UTC)
        except ValueError as error:
            raise RunIdError(_expected(text)) from error
        return cls(found["pipeline"], logical, int(found["number"]))

    @classmethod
    def due(cls, pipeline: str, scheduled: datetime, interval_hours: int) -> RunId:
        """The run that a schedule asks for when it fires at `scheduled`: over the last interval complete by then."""
        return cls(pipeline, interval_start(scheduled, interval_hours) - timedelta(hours=interval_hours))

    @property
    def logical_text(self) -> str:
        return self.logical.astimezone(UTC).strftime(LOGICAL_FORMAT)

    def next(self) -> RunId:
        return RunId(self.pipeline, self.logical, self.number + 1)

    def branch(self, attempt: int) -> str:
        """The Iceberg branch of one attempt; never used again by another."""
        return f"{self.branches}{attempt}"

    @property
    def branches(self) -> str:
        """What the names of the branches of all its attempts, and of no other run, begin with."""
        return f"{BRANCHES}{self}_A".replace("-", "_")

    def __str__(self) -> str:
        return f"{self.pipeline}-{self.logical_text}-{self.number:02}"


def interval_start(at: datetime, interval_hours: int) -> datetime:
    """The start of the interval that `at` lies in; intervals are counted from Monday, 00:00 UTC."""
    interval = timedelta(hours=interval_hours)
    return at.astimezone(UTC) - (at - _GRID) % interval


def _expected(text: str) -> str:
    return (
        f"The run id '{text}': expected PIPELINE-YYYYMMDDTHHMM-NN in UTC, at most {_MAX_LENGTH} characters, such as"
        " tickit-20261121T0000-01. Start runs by the schedule or with `./headwater run PIPELINE`."
    )
