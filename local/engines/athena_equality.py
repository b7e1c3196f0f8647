"""Equality of arrays and rows: part by part, NULL where a part that is NULL leaves it open."""

from __future__ import annotations

from local.engines.athena_container_casts import depth
from local.engines.athena_errors import RefusedError
from local.engines.athena_quoting import text
from local.engines.athena_types import Type

PLAIN = (
    "boolean",
    "integer",
    "decimal",
    "varchar",
    "date",
    "timestamp",
    "timestamp with time zone",
    "varbinary",
    "unknown",
)


def equal(left: str, right: str, type_: Type, node: object) -> str:
    missing = f"CASE WHEN {left} IS NULL OR {right} IS NULL THEN NULL"
    if type_.element is not None:
        if type_.element.name == "unknown":
            raise RefusedError("A comparison of arrays of nothing but NULL", "Cast one.", node)
        each = f"q{depth(type_)}"
        same = equal(f"{each}[1]", f"{each}[2]", type_.element, node)
        pairs = f"list_transform(list_zip({left}, {right}), lambda {each}: {same})"
        return f"({missing} WHEN len({left}) <> len({right}) THEN false ELSE t_all({pairs}) END)"
    if type_.fields:
        sides = ((_part(left, name), _part(right, name), field) for name, field in type_.members)
        same = " AND ".join(equal(ours, theirs, field, node) for ours, theirs, field in sides)
        return f"({missing} ELSE {same} END)"
    if type_.name in ("double", "real"):
        return f"t_eq({left}, {right})"
    if type_.kind not in PLAIN:
        raise RefusedError(f"A comparison with {type_} inside", node=node)
    return f"({left} = {right})"


def _part(row: str, name: str) -> str:
    return f"struct_extract({row}, {text(name)})"
