"""The certificate of an erasure: every store of the lake with its rule, and never the id of who was forgotten."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from lake.items import utc_now
from lake.parts import Environment

REQUESTS = "glue/forget/requests/"
REWRITTEN, EXPIRES, NOT_SEARCHABLE = "rewritten now", "expires", "not searchable"


def key_of(run: str) -> str:
    """Where a certificate lies in the bucket of logs."""
    return f"certificates/{run}.json"


def request_key(run: str) -> str:
    """Where the request lies in scratch while its run lasts: in the folder that the job alone may read."""
    return f"{REQUESTS}{run}.json"


def summed(lines: Iterable[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """One line for each table, whose counts are those of all attempts and looks."""
    tables: dict[str, dict[str, int]] = {}
    for each in lines:
        counts = tables.setdefault(each["table"], {})
        for name, count in each["done"].items():
            counts[name] = counts.get(name, 0) + int(count)
    return [{"table": table, "done": counts} for table, counts in tables.items()]


def certificate(
    run: str,
    root: str,
    digest: str,
    done: Iterable[Mapping[str, Any]],
    beside: Sequence[Mapping[str, str]],
    environment: Environment,
) -> dict[str, Any]:
    stores = [{"store": each["table"], "rule": REWRITTEN, **each["done"]} for each in done]
    return {
        "certificate": "Erasure of a person's rows",
        "environment": environment.name,
        "run": run,
        "at": utc_now().isoformat(),
        "subject_of": root,
        "subject": f"hmac-sha256:{digest}",
        "stores": [*stores, *beside],
    }
