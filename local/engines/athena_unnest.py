"""UNNEST, and the names that an alias gives to the columns of a relation."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from sqlglot import exp

from local.engines.athena_errors import QueryError, only
from local.engines.athena_quoting import text
from local.engines.athena_scope import Column, Relation, Scope, Term
from local.engines.athena_types import BIGINT, Type, row_of

if TYPE_CHECKING:
    from local.engines.athena_relations import Owner


def aliased(node: exp.Expr, names: Sequence[str]) -> tuple[tuple[str, ...], Sequence[str]]:
    """The path and the column names that an alias gives."""
    alias = node.args.get("alias")
    if alias is None:
        return (), names
    renamed = [column.name for column in alias.columns]
    if renamed and len(renamed) != len(names):
        text = f"Column alias list has {len(renamed)} entries but '{alias.name}' has {len(names)} columns available"
        raise QueryError("MISMATCHED_COLUMN_ALIASES", text, node)
    return (alias.name.lower(),) if alias.this else (), renamed or names


def relation_of(alias: str, path: tuple[str, ...], names: Sequence[str], types: Sequence[Type]) -> Relation:
    numbered = enumerate(zip(names, types, strict=True), 1)
    return Relation(path, tuple(Column(name, Term(f"{alias}.c{i}", type_)) for i, (name, type_) in numbered))


def unnest(owner: Owner, node: exp.Unnest, scope: Scope) -> tuple[Relation, str]:
    """Arrays and maps side by side, the shorter padded with NULL; an array of rows gives a column for each field."""
    only(node, "expressions", "alias", "offset")
    alias, ordinal = owner.name("r"), node.args.get("offset")
    types: list[Type] = []
    inner, outer, lists = [], [], []
    for number, each in enumerate(node.expressions, 1):
        term = owner.expressions.term(each, scope)
        element = entry_of(term.type) if term.type.key else term.type.element
        if element is None:
            raise QueryError("TYPE_MISMATCH", f"Cannot unnest type: {term.type}", node)
        lists.append(f"t_entries({term.sql})" if term.type.key else term.sql)
        inner.append(f"unnest({lists[-1]}) AS u{number}")
        parts = [(f"struct_extract(u{number}, {text(name)})", type_) for name, type_ in element.members]
        for sql, type_ in parts or [(f"u{number}", element)]:
            outer.append(f"{sql} AS c{len(types) + 1}")
            types.append(type_)
    if ordinal:
        counts = ", ".join(f"coalesce(len({each}), 0)" for each in lists)
        inner.append(f"unnest(range(1, greatest({counts}) + 1)) AS n")
        outer.append(f"CAST(n AS BIGINT) AS c{len(types) + 1}")
        types.append(BIGINT)
    sql = f"SELECT {', '.join(inner)}"
    own_alias = node.args.get("alias")
    if isinstance(ordinal, exp.Identifier) and own_alias is not None and own_alias.columns:
        own_alias.append("columns", ordinal.copy())  # the parser takes the last name for the ordinality's
        node.set("offset", True)
    path, names = aliased(node, [f"_col{i}" for i in range(len(types))])
    return relation_of(alias, path, names, types), f"(SELECT {', '.join(outer)} FROM ({sql}) {alias}u) {alias}"


def entry_of(type_: Type) -> Type:
    return row_of(*zip(("key", "value"), type_.parts, strict=True))
