"""The certificate of an erasure: every store of the lake with its rule, and never the id of who was forgotten."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from lake.environment import Environment
from lake.items import utc_now

REQUESTS = "glue/forget/requests/"
REWRITTEN, EXPIRES, NOT_SEARCHABLE = "rewritten now", "expires", "not searchable"
NAMELESS = "They have no value by any name that the ledger or the contract knows for the id: nobody can tell whose."


def key_of(run: str) -> str:
    """Where a certificate lies in the bucket of logs."""
    return f"certificates/{run}.json"


def request_key(run: str) -> str:
    """Where the request lies in scratch while its run lasts: in the folder that the job alone may read."""
    return f"{REQUESTS}{run}.json"


def summed(lines: Iterable[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """A line for each table: its counts are those of all attempts and looks; what is left, as the last one found it."""
    tables: dict[str, dict[str, Any]] = {}
    for each in lines:
        line = tables.setdefault(each["table"], {"table": each["table"], "done": {}})
        for name, count in each["done"].items():
            line["done"][name] = line["done"].get(name, 0) + int(count)
        line["after"] = each["after"]
    return list(tables.values())


def nameless(done: Iterable[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """What of the tables has no id by any name, and so cannot be searched."""
    return [
        {"store": f"{each['table']}, without an id", "rule": NOT_SEARCHABLE, **each["after"], "why": NAMELESS}
        for each in done
        if each["after"]
    ]


def certificate(
    run: str,
    root: str,
    digest: str,
    done: Sequence[Mapping[str, Any]],
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
        "stores": [*stores, *nameless(done), *beside],
    }
