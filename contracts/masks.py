"""A contract's masks: what of each column others may see, refused where it would not hide or cannot be made."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from config.positions import Field, Problem, suggestion
from contracts.contract import PROPERTIES, Source
from lake.masking import GENERALISE, HASH, NULL, OMIT, TRUNCATE
from lake.parts import Gate, Mask
from lake.roles import SENSITIVE

SEVERITIES = {"error": "error", "warning": "warn"}
FITTING = {
    HASH: ("string", "int", "bigint", "date"),
    TRUNCATE: ("string", "int", "bigint", "decimal", "double"),
    GENERALISE: ("date", "timestamp", "string"),
}
TIMES = ("month", "year", "decade")
POSTAL = "postal"
TAKES = {HASH: ("joins",), TRUNCATE: ("to",), GENERALISE: ("to",)}

Found = tuple[Field, dict[str, Any], dict[str, Any]]


def mask(source: Source, column: Mapping[str, Any]) -> Mask | None:
    """A column's mask. A hash that joins says whose values it shares; any other is of this column alone."""
    said = _said(column)
    if said is None:
        return None
    domain = said.get("joins", f"{source.id}/{column['name']}") if _how(said) == HASH else ""
    return Mask(_how(said), said.get("classification", "internal"), said.get("to"), domain)


def gates(source: Source) -> tuple[Gate, ...]:
    """Of the masked table: how few people may share what it tells of them."""
    _, said = source.custom("mask")
    if said is None:
        return ()
    columns, least = ", ".join(f"`{each}`" for each in said["of"]), said["smallestGroup"]
    counted = f"SELECT count(*) AS n FROM {{table}} GROUP BY {columns}"
    query = f"SELECT coalesce(min(n), {least}) FROM ({counted})"
    severity = SEVERITIES[said.get("severity", "error")]
    return (Gate("smallest_group", "sql", tuple(said["of"]), query, ">=", least, severity),)


def named(source: Source, tables: Mapping[str, str]) -> set[str]:
    """The datasets whose columns the hashes join with."""
    found = (said["joins"].partition(".")[0] for _, _, said in _masked(source) if "joins" in said)
    return {tables[each] for each in found if each in tables} - {source.id}


def problems(source: Source, tables: Mapping[str, str], datasets: Mapping[str, Source]) -> list[Problem]:
    """`datasets` holds those that are named and can be read."""
    every = list(_masked(source))
    field, group = source.custom("mask")
    if not every:
        expected = "expected masks of columns too: without one there is no masked table"
        return [source.document.problem(field, source.id, expected, "Mask a column, or remove it.")] if group else []
    found: list[Problem] = []
    if source.is_gold:
        remedy = "Select in the model what may be seen, or mask what the model reads."
        found.append(source.document.problem(every[0][0], source.id, "expected no mask on a gold table", remedy))
    for place, column, said in every:
        found += _of_column(source, place, column, said)
        if "joins" in said and _how(said) == HASH:
            found += _joins(source, place, column, said["joins"], tables, {**datasets, source.id: source})
    return [*found, *_unmasked(source), *_group(source), *_filters(source)]


def _of_column(source: Source, place: Field, column: dict[str, Any], said: dict[str, Any]) -> Iterator[Problem]:
    document, how, kind = source.document, _how(said), column["physicalType"].partition("(")[0]
    for word in ("to", "joins"):
        if word in said and word not in TAKES.get(how, ()):
            expected = f"expected no {word} with the mask {how}"
            yield document.problem((*place, word), said[word], expected, "Remove it.")
    if how in (TRUNCATE, GENERALISE) and "to" not in said:
        yield document.problem((*place, "how"), how, "expected a `to` beside it", _example(how, kind))
    if kind not in FITTING.get(how, (kind,)):
        expected = f"expected a mask that fits the type {column['physicalType']} of {column['name']}"
        yield document.problem((*place, "how"), how, expected, f"Write one of {', '.join(_fitting(kind))}.")
    elif "to" in said and (wrong := _to(how, kind, said["to"])):
        yield document.problem((*place, "to"), said["to"], wrong, _example(how, kind))
    if how != OMIT and "classification" not in said:
        remedy = "Add `classification: internal`, or public."
        yield document.problem(place, column["name"], "expected the class that the masked column has", remedy)
    if column.get("primaryKey") and how != HASH:
        expected = "expected a hash, which keeps two rows apart: it is part of the key"
        yield document.problem((*place, "how"), how, expected, "Write hash, or leave the column as it is.")
    if how == HASH and any("validValues" in each.get("arguments", {}) for each in column.get("quality", ())):
        expected = "expected no hash of a column whose values are known: how often each comes tells which it is"
        yield document.problem((*place, "how"), how, expected, "Write null or omit, or leave it as it is.")


def _to(how: str, kind: str, to: Any) -> str:
    """What is wrong with the measure of a mask, if anything is."""
    if how == TRUNCATE:
        what = "characters that are kept" if kind == "string" else "a step"
        return "" if type(to) is int and to > 0 else f"expected a whole number from 1: {what}"
    fitting = (POSTAL,) if kind == "string" else TIMES
    return "" if to in fitting else f"expected {' or '.join(fitting)}, which fits a column of type {kind}"


def _joins(
    source: Source,
    place: Field,
    column: dict[str, Any],
    to: str,
    tables: Mapping[str, str],
    datasets: dict[str, Source],
) -> Iterator[Problem]:
    """The column named is hashed as of itself, so a domain is where its first column is, and nowhere said again."""
    table, _, name = to.partition(".")
    field, document = (*place, "joins"), source.document
    if table not in tables:
        yield document.problem(field, to, "expected a TABLE.COLUMN that has a contract", suggestion(table, tables))
        return
    other = datasets.get(tables[table])
    if other is None:  # what is wrong with its contract is said there
        return
    found = next((each for each in other.properties if each["name"] == name), None)
    if found is None:
        expected = f"expected a column of {other.id}"
        yield document.problem(field, to, expected, suggestion(name, other.columns))
    elif (_said(found) or {}).get("joins") != to:
        expected = f"expected a column that is hashed with `joins: {to}` itself"
        yield document.problem(field, to, expected, f"Mask {name} of {other.id} so, or name what it joins.")
    elif found["physicalType"] != column["physicalType"]:
        expected = f"expected a column of type {column['physicalType']}, and this is {found['physicalType']}"
        yield document.problem(field, to, expected, "Give both columns one type.")


def _unmasked(source: Source) -> Iterator[Problem]:
    for number, column in enumerate(source.properties):
        if column["classification"] in SENSITIVE and _said(column) is None:
            expected = f"expected a mask: it is {column['classification']}, and its dataset has a masked table"
            remedy = "Add `customProperties: [{ property: mask, value: { how: omit } }]`, or another mask."
            yield source.document.problem((*PROPERTIES, number), column["name"], expected, remedy)


def _group(source: Source) -> Iterator[Problem]:
    field, said = source.custom("mask")
    shown = {each["name"] for each in source.properties if _how(_said(each) or {"how": ""}) not in (OMIT, NULL)}
    for number, each in enumerate(said["of"] if said else ()):
        if each not in shown:
            expected = "expected a column that the masked table shows"
            yield source.document.problem((*field, "of", number), each, expected, suggestion(each, shown))


def _filters(source: Source) -> Iterator[Problem]:
    """A row filter holds for the masked table too, so its column has to be there as it is."""
    field, filters = source.custom("rowFilters")
    masks = {column["name"]: _how(said) for _, column, said in _masked(source)}
    for number, each in enumerate(filters or ()):
        if isinstance(each, Mapping) and each.get("column") in masks:
            expected = f"expected a column without a mask, and it is masked by {masks[each['column']]}"
            remedy = "Rows of the masked table are filtered by it too: leave it as it is."
            yield source.document.problem((*field, number, "column"), each["column"], expected, remedy)


def _masked(source: Source) -> Iterator[Found]:
    for number, column in enumerate(source.properties):
        for place, each in enumerate(column.get("customProperties", ())):
            if each["property"] == "mask":
                yield (*PROPERTIES, number, "customProperties", place, "value"), column, each["value"]


def _said(column: Mapping[str, Any]) -> dict[str, Any] | None:
    return next((each["value"] for each in column.get("customProperties", ()) if each["property"] == "mask"), None)


def _how(said: Mapping[str, Any]) -> str:
    return NULL if said["how"] is None else str(said["how"])  # YAML reads a plain null as none


def _fitting(kind: str) -> list[str]:
    return [*(how for how, kinds in FITTING.items() if kind in kinds), NULL, OMIT]


def _example(how: str, kind: str) -> str:
    if how == TRUNCATE:
        return "Write it as in `to: 3`."
    return f"Write {POSTAL}." if kind == "string" else f"Write one of {', '.join(TIMES)}."
