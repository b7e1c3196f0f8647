"""Glue's catalog: moto ignores UpdateTable's VersionId and SkipArchive, so that of two Iceberg commits at once one is
lost; it keeps names in the case that they came in, and gives all tables, partitions and databases in one answer.
"""

from __future__ import annotations

import functools
import threading
from collections.abc import Callable
from typing import Any

from moto.core.exceptions import JsonRESTError
from moto.core.responses import ActionResult

from local.services.seams import patch

MODELS, RESPONSES = "moto.glue.models", "moto.glue.responses"
LARGEST_PAGE = {"TableList": 100, "DatabaseList": 100, "Partitions": 1000}
NAMED = (  # GlueBackend's methods and how many names they start with
    ("create_database", 1), ("get_database", 1), ("update_database", 1), ("delete_database", 1), ("create_table", 2),
    ("get_table", 2), ("update_table", 2), ("delete_table", 2),
)  # fmt: skip
LOCK = threading.RLock()

FIDELITY = (
    ("Glue", "catalog: databases, tables, versions, partitions, paging, names in lower case", "moto, mended", "real"),
    ("Glue", "catalog: UpdateTable with VersionId (concurrent Iceberg commits)", "ours", "real"),
)


class ConcurrentModificationError(JsonRESTError):
    """Another writer has changed the table since it was read."""

    code = 400

    def __init__(self, table: str) -> None:
        super().__init__(
            "ConcurrentModificationException", f"Update table failed due to concurrent modifications: {table}"
        )


def install() -> None:
    for name, count in NAMED:
        _lower(f"{MODELS}:GlueBackend.{name}", count)
    _wrap(f"{RESPONSES}:GlueResponse.create_table", _one_by_one)
    _wrap(f"{RESPONSES}:GlueResponse.update_table", _update_table)
    for name, listed in (("tables", "TableList"), ("databases", "DatabaseList"), ("partitions", "Partitions")):
        _page(f"{RESPONSES}:GlueResponse.get_{name}", listed)


def _lower(seam: str, count: int) -> None:
    def lowered(backend: Any, *arguments: Any, **named: Any) -> Any:
        names = [name.lower() for name in arguments[:count]]
        for name in ("database_name", "table_name"):
            if name in named:
                named[name] = named[name].lower()
        return original(backend, *names, *arguments[count:], **named)

    original = patch(seam, lowered)
    functools.update_wrapper(lowered, original)


def _wrap(seam: str, wrapper: Callable[[Callable[[Any], ActionResult], Any], ActionResult]) -> None:
    def wrapped(response: Any) -> ActionResult:
        return wrapper(original, response)

    original = patch(seam, wrapped)


def _one_by_one(create: Callable[[Any], ActionResult], response: Any) -> ActionResult:
    with LOCK:
        return create(response)


def _update_table(update: Callable[[Any], ActionResult], response: Any) -> ActionResult:
    asked = response.parameters
    with LOCK:
        table = response.glue_backend.get_table(asked["DatabaseName"], asked["TableInput"]["Name"])
        before = str(table._current_version)
        if asked.get("VersionId") not in (None, before):
            raise ConcurrentModificationError(table.name)
        answer = update(response)
        if asked.get("SkipArchive"):
            table.versions.pop(before, None)
    return answer


def _page(seam: str, listed: str) -> None:
    def paged(response: Any) -> ActionResult:
        answer = original(response)
        found = answer.result[listed]
        asked = response.parameters
        start = int(asked.get("NextToken") or 0)
        end = start + min(int(asked.get("MaxResults") or LARGEST_PAGE[listed]), LARGEST_PAGE[listed])
        page: dict[str, Any] = {listed: found[start:end]}
        if end < len(found):
            page["NextToken"] = str(end)
        return ActionResult(page)

    original = patch(seam, paged)
