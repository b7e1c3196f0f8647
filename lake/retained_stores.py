"""The stores that no erasure rewrites: the date by which what they hold of a person is gone, or why nobody can look."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from datetime import timedelta

from lake.arrivals import GIVEN_UP
from lake.certificate import EXPIRES, NOT_SEARCHABLE
from lake.items import utc_now
from lake.model import Lake

Store = dict[str, str]

TO_MIDNIGHT = 1  # S3 deletes at the midnight after the days that a rule says
BUCKETS = (  # name, whether older versions are kept for a while, what lies there
    ("landing", True, "Files as they arrived; older versions go last."),
    ("results", False, "Answers to queries."),
    ("sandbox", True, "What people made for themselves; older versions go last."),
    ("logs", False, "Logs hold no ids; this certificate lies there too."),
    ("scratch", False, "Files between two steps; the request was deleted at the end."),
)
ELSEWHERE = {
    "prepared statements": "Their texts are their owners'.",
    "texts": "An id in a free text, or in a column that no contract calls a subject's, is like any other word.",
    "copies outside": "Rows that a reader has taken out of the lake, and backups or replicas of buckets, of which the"
    " lake makes none, are with those who made them.",
}
LATE = "What the stream still held comes there and no further; the next erasure of this person takes it out at once."
LEDGER = "It holds no id: a digest under a secret key stays, to keep the person out. A backup of it holds no more."


def stores_beside(lake: Lake, holders: Collection[str]) -> list[Store]:
    """Each with its rule, for a subject whose rows these datasets carry."""
    environment = lake.environment
    found = [*_buckets(lake), *_streams(lake, holders)]
    for each in sorted({lake.dataset(name).source for name in holders if not lake.dataset(name).is_stream}):
        found.append(_stays(f"source {each}", "Its owner erases there; the lake lets nothing of it in again."))
    found.append(
        _expires("Athena's history of queries", 45, "Texts of queries may name an id; AWS keeps them so long.")
    )
    if "log_groups" in environment.retention:
        found.append(_expires("CloudWatch's logs", environment.retention["log_groups"] + 1, "Jobs log no ids."))
    found.append(_expires("histories of executions", 90, "They hold no ids; AWS keeps them so long."))
    found.append(_stays(f"ledger ({environment.ledger})", LEDGER))
    return found + [_stays(store, why) for store, why in ELSEWHERE.items()]


def bronze_days(lake: Lake) -> int:
    """How long an object of bronze, and its older versions after it, may last; 0 where nothing makes it expire."""
    return _days(lake, "bronze", versions=True)


def _buckets(lake: Lake) -> Iterator[Store]:
    for bucket, versions, why in BUCKETS:
        if days := _days(lake, bucket, versions=versions):
            yield _expires(f"{bucket} ({lake.environment.buckets[bucket]})", days, why)


def _streams(lake: Lake, holders: Collection[str]) -> Iterator[Store]:
    """The streams that carry this subject, and what of them may come to bronze after the erasure."""
    environment, in_bronze = lake.environment, bronze_days(lake)
    streams = sorted(set(holders).intersection(environment.record_hours))
    if streams and in_bronze:
        yield _expires(f"bronze ({GIVEN_UP})", in_bronze, "Batches that a stream gave up on, whole.")
    for each in streams:
        age = environment.record_hours[each]
        kept = max(age, environment.stream_hours.get(each, age))
        yield _expires(f"stream of {each}", _in_days(kept), "Kinesis deletes records by age alone.")
        if in_bronze:
            yield _expires(f"late events of {each} in bronze", _in_days(age) + in_bronze, LATE)


def _days(lake: Lake, bucket: str, *, versions: bool) -> int:
    kept = lake.environment.retention
    if bucket not in kept:
        return 0
    after = kept["noncurrent"] + TO_MIDNIGHT if versions and "noncurrent" in kept else 0
    return kept[bucket] + TO_MIDNIGHT + after


def _in_days(hours: float) -> int:
    """Rounded up, and a day more, since a certificate has dates and no times."""
    return int(-(-hours // 24)) + 1


def _expires(store: str, days: int, why: str) -> Store:
    return {"store": store, "rule": EXPIRES, "by": f"{utc_now() + timedelta(days=days):%Y-%m-%d}", "why": why}


def _stays(store: str, why: str) -> Store:
    return {"store": store, "rule": NOT_SEARCHABLE, "why": why}
