"""What becomes of a person's rows where no job looks for them: a date, or the reason why nobody can look."""

from __future__ import annotations

from datetime import timedelta

from lake.arrivals import GIVEN_UP
from lake.certificate import EXPIRES, NOT_SEARCHABLE
from lake.items import utc_now
from lake.model import Lake

TEXT = "An id in a free text, or in a column that no contract calls a subject's, is not told from any other word."

LATE = "What the stream still held comes there and no further; the next erasure of this person takes it out at once."


def stores_beside(lake: Lake) -> list[dict[str, str]]:
    """The stores that no erasure rewrites, each with its rule."""
    environment, now = lake.environment, utc_now()

    def expires(store: str, days: int, why: str) -> dict[str, str]:
        return {"store": store, "rule": EXPIRES, "by": f"{now + timedelta(days=days):%Y-%m-%d}", "why": why}

    kept = environment.retention
    found = [
        expires(f"{bucket} ({environment.buckets[bucket]})", kept[bucket] + extra, why)
        for bucket, extra, why in (
            ("landing", kept.get("noncurrent", 0), "Files as they arrived; older versions go last."),
            ("results", 0, "Answers to queries."),
            ("sandbox", kept.get("noncurrent", 0), "What people made for themselves; older versions go last."),
            ("logs", 0, "Logs hold no ids; this certificate lies there too."),
            ("scratch", 0, "Files between two steps; the request was deleted at the end."),
        )
        if bucket in kept
    ]
    if "bronze" in kept:
        days = kept["bronze"] + kept.get("noncurrent", 0)
        found.append(expires(f"bronze ({GIVEN_UP})", days, "Batches that a stream gave up on, whole."))
    for each in sorted(environment.record_hours):
        days = round(environment.record_hours[each] / 24 + 1)
        found.append(expires(f"stream of {each}", days, "Records go by age, after they came to bronze."))
        if "bronze" in kept:
            days += kept["bronze"] + kept.get("noncurrent", 0)
            found.append(expires(f"late events of {each} in bronze", days, LATE))
    for source in sorted(environment.connections):
        why = "Its owner erases there; the lake lets nothing of it in again."
        found.append({"store": f"source {source}", "rule": NOT_SEARCHABLE, "why": why})
    found.append(expires("Athena's history of queries", 45, "Texts of queries may name an id; AWS keeps them so long."))
    found.append({"store": "prepared statements", "rule": NOT_SEARCHABLE, "why": "Their texts are their owners'."})
    found.append({"store": "texts", "rule": NOT_SEARCHABLE, "why": TEXT})
    return found
