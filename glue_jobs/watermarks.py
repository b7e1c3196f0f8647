"""How far a dataset has been published, in values of its cursor; where the next increment begins."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from glue_jobs.windows import instant
from lake.model import Dataset
from lake.records import Head, Load, Mode

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
FIRST, LAST = datetime(1001, 1, 1, tzinfo=UTC), datetime(9998, 1, 1, tzinfo=UTC)  # what a look-back may start from
MICRO = timedelta(microseconds=1)


def late(load: Load, head: Head | None) -> bool:
    """Whether a load that was read after this one is published already."""
    return bool(load.began and head and head.began and instant(load.began) < instant(head.began))


def version_of(logical: datetime, head: Head | None, is_late: bool = False) -> datetime:
    """The version of rows that have no cursor: what is read later is newer, whatever the times of their runs."""
    if not head or not head.watermark:
        return logical
    return (min if is_late else max)(logical, instant(head.watermark))


def advanced(dataset: Dataset, mode: Mode, logical: datetime, load: Load, head: Head | None, newest: int | None) -> str:
    """The watermark once the load is published; `newest` is the highest version in it, in microseconds.

    No higher than when the reading began: what was written during it, or with a clock that is ahead, is read again.
    Of a stream it is when the reading began itself: which events are new is told by their arrival.
    """
    held = head.watermark if head and head.cursor == (dataset.cursor or "") else ""
    if dataset.cursor is None:
        return _further(held, version_of(logical, head))
    if dataset.is_stream:
        return held if mode == "backfill" else _further(held, instant(load.began))
    if newest is None:
        return held
    reached = _reached(newest, load)
    if dataset.load_mode != "full" and mode == "backfill" and (not held or instant(held) < logical):
        return held  # there is a gap before this window, which a higher watermark would skip
    if mode == "replay" and not late(load, head):
        return reached.isoformat()  # the whole table was read: it alone says how far the source is
    return _further(held, reached)


def _further(held: str, reached: datetime) -> str:
    return held if held and instant(held) >= reached else reached.isoformat()


def _reached(newest: int, load: Load) -> datetime:
    limit = instant(load.began) if load.began else LAST
    return EPOCH + MICRO * min(max(newest, (FIRST - EPOCH) // MICRO), (limit - EPOCH) // MICRO)
