"""Binary operators: for each kind of operands, Athena's result type and rule; any other pair is refused by name."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from sqlglot import exp

from local.engines.athena_casts import coerce
from local.engines.athena_decimals import exact
from local.engines.athena_equality import equal
from local.engines.athena_errors import QueryError, RefusedError
from local.engines.athena_scope import Term
from local.engines.athena_spans import SPANS, TIMES, scaled_span, shift_time, span_of, spans, times_span
from local.engines.athena_types import (
    BOOLEAN,
    REAL,
    UNKNOWN,
    VARCHAR,
    Type,
    common,
)

SYMBOLS: dict[type[exp.Expr], str] = {
    exp.Add: "+", exp.Sub: "-", exp.Mul: "*", exp.Div: "/", exp.Mod: "%", exp.DPipe: "||",
    exp.EQ: "=", exp.NEQ: "<>", exp.LT: "<", exp.LTE: "<=", exp.GT: ">", exp.GTE: ">=",
    exp.NullSafeEQ: "IS NOT DISTINCT FROM", exp.NullSafeNEQ: "IS DISTINCT FROM",
}  # fmt: skip
COMPARISONS = {"=": "t_eq", "<>": "t_neq", ">": "t_gt", ">=": "t_gte", "<": "t_lt", "<=": "t_lte"}
COMPARED = (
    "boolean", "integer", "decimal", "real", "double", "varchar", "date", "timestamp", "timestamp with time zone",
    "unknown", "interval day to second", "interval year to month", "varbinary",
)  # fmt: skip
NAMES = {"+": "plus", "-": "minus", "*": "times"}
Operator = Callable[[str, Term, Term], Term]


def apply(symbol: str, left: Term, right: Term, node: exp.Expr) -> Term:
    if symbol in COMPARISONS or symbol.startswith("IS"):
        return compare(symbol, left, right, node)
    if symbol == "||" and (parts := joinable(left, right)) is not None:
        left, right = parts
    kinds = operand_kinds(left.type, right.type)
    operate = OPERATORS.get((symbol, *kinds))
    if operate is None:
        if kinds in KNOWN_PAIRS or "unknown" in kinds:
            raise RefusedError(f"The operator {left.type} {symbol} {right.type}", node=node)
        raise QueryError("TYPE_MISMATCH", f"Cannot apply operator: {left.type} {symbol} {right.type}", node)
    return operate(symbol, left, right)


def operand_kinds(left: Type, right: Type) -> tuple[str, str]:
    """The pair of kinds that decides: numbers of different kinds go by the wider one."""
    kinds = {left.kind, right.kind}
    if len(kinds) > 1 and kinds <= {"integer", "decimal", "real", "double"}:
        widest = next(kind for kind in ("double", "real", "decimal") if kind in kinds)
        return widest, widest
    return left.kind, right.kind


def comparable(left: Type, right: Type, symbol: str, node: exp.Expr) -> Type:
    shared = common(left, right)
    if shared is None:
        raise QueryError("TYPE_MISMATCH", f"Cannot apply operator: {left} {symbol} {right}", node)
    if shared.kind not in COMPARED:
        raise RefusedError(f"A comparison of {left} with {right}", node=node)
    return shared


def distinguishable(type_: Type, node: exp.Expr) -> None:
    """Whether GROUP BY and DISTINCT may tell values of the type apart: for DuckDB a map's entries have an order."""
    if type_.key is not None:
        raise RefusedError(f"GROUP BY, DISTINCT or a set operation over {type_}", "Use its entries.", node)
    for part in type_.parts:
        distinguishable(part, node)


def distinguished(term: Term, node: exp.Expr) -> Term:
    distinguishable(term.type, node)
    return term


def unify(found: Sequence[Term], what: str, node: exp.Expr) -> tuple[list[str], Type]:
    shared = UNKNOWN
    for term in found:
        wider = common(shared, term.type)
        if wider is None:
            raise QueryError("TYPE_MISMATCH", f"{what} must be the same type: {shared}, {term.type}", node)
        shared = wider
    return [coerce(term.sql, term.type, shared) for term in found], shared


def compare(symbol: str, left: Term, right: Term, node: exp.Expr) -> Term:
    whole_type = common(left.type, right.type)
    if whole_type is not None and whole_type.parts and symbol in ("=", "<>"):
        ours, theirs = coerce(left.sql, left.type, whole_type), coerce(right.sql, right.type, whole_type)
        same = equal(ours, theirs, whole_type, node)
        return Term(same if symbol == "=" else f"(NOT {same})", BOOLEAN)
    shared = comparable(left.type, right.type, symbol, node)
    ours, theirs = coerce(left.sql, left.type, shared), coerce(right.sql, right.type, shared)
    if shared.kind in ("double", "real"):  # because of NaN
        if symbol not in COMPARISONS:
            raise RefusedError(f"{symbol} between doubles", node=node)
        return Term(f"{COMPARISONS[symbol]}({ours}, {theirs})", BOOLEAN)
    return Term(f"({ours} {symbol} {theirs})", BOOLEAN)


def whole(symbol: str, left: Term, right: Term) -> Term:
    shared = common(left.type, right.type)
    assert shared is not None
    ours, theirs = coerce(left.sql, left.type, shared), coerce(right.sql, right.type, shared)
    if symbol in "/%":
        macro = "t_whole_divide" if symbol == "/" else "t_modulo"
        return Term(f"CAST({macro}({ours}, {theirs}) AS {shared.duckdb})", shared)
    return Term(f"CAST(t_{NAMES[symbol]}({ours}, {theirs}) AS {shared.duckdb})", shared)


def floating(symbol: str, left: Term, right: Term) -> Term:
    double = Type("double")
    ours, theirs = coerce(left.sql, left.type, double), coerce(right.sql, right.type, double)
    return Term(f"({ours} {symbol} {theirs})", double)


def joined_octets(symbol: str, left: Term, right: Term) -> Term:
    return Term(f"({left.sql} || {right.sql})", left.type)


def joinable(left: Term, right: Term) -> tuple[Term, Term] | None:
    """An array and a value, or a value and an array, as two arrays."""
    if common(left.type, right.type) is not None:
        return None
    for term, other in ((left, right), (right, left)):
        if term.type.element is not None and (shared := common(term.type.element, other.type)) is not None:
            single = Term(f"[{coerce(other.sql, other.type, shared)}]", Type("array", element=shared))
            return (left, single) if term is left else (single, right)
    return None


def lists(left: Term, right: Term) -> Term:
    shared = common(left.type, right.type)
    if shared is None or shared.element is None:
        raise QueryError("TYPE_MISMATCH", f"Cannot apply operator: {left.type} || {right.type}")
    a, b = coerce(left.sql, left.type, shared), coerce(right.sql, right.type, shared)
    return Term(f"({a} || {b})", shared)


def reals(symbol: str, left: Term, right: Term) -> Term:
    ours, theirs = coerce(left.sql, left.type, REAL), coerce(right.sql, right.type, REAL)
    return Term(f"({ours} {symbol} {theirs})", REAL)


def join_texts(symbol: str, left: Term, right: Term) -> Term:
    return Term(f"CAST({left.sql} || {right.sql} AS VARCHAR)", VARCHAR)


OPERATORS: dict[tuple[str, str, str], Operator] = {
    **{(symbol, "integer", "integer"): whole for symbol in "+-*/%"},
    **{(symbol, "decimal", "decimal"): exact for symbol in "+-*/%"},
    **{(symbol, "double", "double"): floating for symbol in "+-*/%"},
    **{(symbol, time, span): shift_time for symbol in "+-" for time in TIMES for span in SPANS},
    **{("+", span, time): shift_time for time in TIMES for span in SPANS},
    **{("-", time, time): span_of for time in TIMES},
    **{(symbol, span, span): spans for symbol in "+-" for span in SPANS},
    **{("*", span, "integer"): times_span for span in SPANS},
    **{("*", "integer", span): times_span for span in SPANS},
    **{(symbol, "real", "real"): reals for symbol in "+-*/"},
    ("||", "varchar", "varchar"): join_texts,
    ("||", "array", "array"): lambda symbol, left, right: lists(left, right),
    ("||", "varbinary", "varbinary"): joined_octets,
    **{("*", span, number): scaled_span for span in SPANS for number in ("decimal", "double")},
    **{("*", number, span): scaled_span for span in SPANS for number in ("decimal", "double")},
    **{("/", span, number): scaled_span for span in SPANS for number in ("integer", "decimal", "double")},
}
# pairs for which Athena has operators that the laptop does not run
KNOWN_PAIRS = {
    *((time, other) for time in TIMES for other in TIMES),
    *((span, other) for span in SPANS for other in (*SPANS, "integer", "real", "double")),
    *((number, span) for number in ("integer", "real", "double") for span in SPANS),
    ("real", "real"),
    ("varbinary", "varbinary"),
}
