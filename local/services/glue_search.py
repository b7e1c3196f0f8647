"""Glue's SearchTables, which moto has not: tables of all databases by a text, by properties, in an order."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import Any

from moto.core.responses import ActionResult
from moto.glue.exceptions import InvalidInputException

LARGEST_PAGE = 1000
TIMES = ("CreateTime", "UpdateTime", "LastAccessTime")
TOKENS = re.compile(r"[^\w]+")
FIDELITY = (("Glue", "catalog: SearchTables by text, filters of texts, order", "ours", "real"),)


Shown = Callable[[dict[str, Any]], dict[str, Any] | None]


def search_tables(response: Any, seen: Shown) -> ActionResult:
    """Of the tables as the caller sees them, where `seen` answers None for one that it does not."""
    asked, backend = response.parameters, response.glue_backend
    names = [database.name for database in backend.get_databases()]
    every = (seen(table.as_dict()) for name in names for table in backend.get_tables(name, None))
    tables = [table for table in every if table is not None]
    found = [table for table in tables if has(table, asked.get("SearchText") or "")]
    for wanted in asked.get("Filters") or ():
        found = [table for table in found if fits(table, wanted)]
    for order in reversed(asked.get("SortCriteria") or ()):
        name, backwards = order["FieldName"], order.get("Sort") == "DESC"
        found.sort(key=lambda table: str(table.get(name) or ""), reverse=backwards)
    start = int(asked.get("NextToken") or 0)
    end = start + min(int(asked.get("MaxResults") or LARGEST_PAGE), LARGEST_PAGE)
    page: dict[str, Any] = {"TableList": found[start:end]}
    if end < len(found):
        page["NextToken"] = str(end)
    return ActionResult(page)


def has(table: dict[str, Any], text: str) -> bool:
    """Whether one of the table's properties holds the text, or is the text where that stands in quotes."""
    wanted = text.strip().lower()
    values = (value.lower() for value in properties(table))
    if len(wanted) > 1 and wanted[0] == wanted[-1] == '"':
        return wanted[1:-1] in list(values)
    return any(wanted in value for value in values)


def properties(table: dict[str, Any]) -> Iterator[str]:
    storage = table.get("StorageDescriptor") or {}
    for name in ("Name", "DatabaseName", "Description", "Owner", "TableType"):
        yield str(table.get(name) or "")
    for column in (*(storage.get("Columns") or ()), *(table.get("PartitionKeys") or ())):
        yield from (str(column.get(name) or "") for name in ("Name", "Type", "Comment"))
    for name, value in (table.get("Parameters") or {}).items():
        yield from (name, str(value))


def fits(table: dict[str, Any], wanted: dict[str, str]) -> bool:
    """A filter: the value is the property, or one of its words."""
    key, value = wanted["Key"], wanted["Value"].lower()
    if key in TIMES:
        text = f"The filter '{key}': the laptop's SearchTables filters by texts only. Leave it out."
        raise InvalidInputException("SearchTables", text)
    held = str(table.get(key) or (table.get("Parameters") or {}).get(key) or "").lower()
    return value == held or value in TOKENS.split(held)
