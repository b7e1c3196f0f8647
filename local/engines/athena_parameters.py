"""The question marks of a statement, and the literals that stand for them."""

from __future__ import annotations

from sqlglot import exp

from local.engines.athena_errors import QueryError, RefusedError
from local.engines.athena_grammar import parse


def bind(tree: exp.Expr, parameters: list[str]) -> exp.Expr:
    """The tree with its question marks replaced; each parameter is the SQL of a literal, as Athena has it."""
    marks = list(tree.find_all(exp.Placeholder, bfs=False))
    if len(marks) != len(parameters):
        text = f"Incorrect number of parameters: expected {len(marks)} but found {len(parameters)}"
        raise QueryError("INVALID_PARAMETER_USAGE", text, tree)
    for mark, parameter in zip(marks, parameters, strict=True):
        value = parse(f"SELECT {parameter}").expressions[0]
        bare = value.this if isinstance(value, exp.Neg) else value
        if not isinstance(bare, exp.Literal | exp.Boolean | exp.Null) and not value.meta.get("typed_literal"):
            raise RefusedError(f"The parameter {parameter}", "Pass a literal, a text in single quotes.", mark)
        mark.replace(value)
    return tree
