"""The functions of Athena that run on the laptop, each with its types and rules; a function not here is refused by name."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from sqlglot import exp

from local.engines.athena_casts import cast, coerce
from local.engines.athena_errors import QueryError, RefusedError
from local.engines.athena_operators import apply, comparable
from local.engines.athena_scope import Term
from local.engines.athena_types import BIGINT, BOOLEAN, DATE, DOUBLE, TIMESTAMPTZ, UNKNOWN, VARCHAR, Type, common, decimal

NUMBERS = ("integer", "decimal", "double")
TIMES = ("date", "timestamp", "timestamp with time zone")
UNITS = ("second", "minute", "hour", "day", "week", "month", "quarter", "year")
DATE_UNITS = UNITS[3:]
# MySQL's letters, as date_format has them, and what strftime calls them
FORMAT_LETTERS = {
    "Y": "%Y", "y": "%y", "m": "%m", "c": "%-m", "d": "%d", "e": "%-d", "H": "%H", "k": "%-H", "h": "%I", "I": "%I",
    "l": "%-I", "i": "%M", "s": "%S", "S": "%S", "f": "%f", "p": "%p", "a": "%a", "W": "%A", "b": "%b", "M": "%B",
    "j": "%j", "T": "%H:%M:%S", "%": "%%",
}  # fmt: skip
# Patterns that Java's and RE2's dialects read alike: no look-around, no back reference, no possessive quantifier
SAFE_PATTERN = re.compile(r"(?:\\[dwDW.\\/+*?()|{}^$\[\]-]|\[\^?(?:\\[dw.\\\]\[-]|[^\\\[\]&])+\]|\(\?:|[^\\\[\]])*")
POSSESSIVE = re.compile(r"[*+?}]\+|\(\?(?!:)")


@dataclass(frozen=True)
class Call:
    """A call as the query has it; `tail` is its FILTER and OVER, for the functions that take them."""

    name: str
    node: exp.Expression
    terms: Sequence[Term]
    nodes: Sequence[exp.Expression] = ()
    tail: str = ""
    distinct: bool = False
    order: str = ""

    @property
    def first(self) -> Term:
        return self.terms[0]

    @property
    def inside(self) -> str:
        """What an aggregate has before its argument."""
        return "DISTINCT " if self.distinct else ""

    def wrong(self) -> QueryError:
        types = ", ".join(str(term.type) for term in self.terms)
        return QueryError("FUNCTION_NOT_FOUND", f"Unexpected parameters ({types}) for function {self.name}", self.node)

    def need(self, *kinds: tuple[str, ...]) -> None:
        """Each argument is of one of the kinds; an error as Athena's for a call that nothing fits."""
        if len(kinds) != len(self.terms):
            raise self.wrong()
        for term, fitting in zip(self.terms, kinds, strict=True):
            if fitting and term.type.kind not in (*fitting, "unknown"):
                raise self.wrong()

    def literal(self, index: int) -> str:
        """An argument that has to be written out."""
        node = self.nodes[index]
        if not isinstance(node, exp.Literal):
            raise RefusedError(f"{self.name} with a computed argument '{node.sql('trino')[:40]}'", node=self.node)
        return str(node.this)


Build = Callable[[Call], Term]


@dataclass(frozen=True)
class Function:
    """`sort` is scalar, aggregate (which may be a window's too) or window."""

    sort: str
    build: Build


FUNCTIONS: dict[str, Function] = {}


def function(*names: str, sort: str = "scalar") -> Callable[[Build], Build]:
    def register(build: Build) -> Build:
        FUNCTIONS.update(dict.fromkeys(names, Function(sort, build)))
        return build

    return register


@dataclass(frozen=True)
class Plain:
    """A function that DuckDB computes alike: kinds of its arguments, its result, and DuckDB's name or macro."""

    kinds: tuple[tuple[str, ...], ...]
    result: Type | None
    name: str
    cast: bool = field(default=False)

    def __call__(self, call: Call) -> Term:
        call.need(*self.kinds)
        result = self.result or call.first.type
        sql = f"{self.name}({', '.join(term.sql for term in call.terms)})"
        return Term(f"CAST({sql} AS {result.duckdb})" if self.cast else sql, result)


TEXT, WHOLE, TIME = ("varchar",), ("integer",), TIMES
for _name, _plain in {
    "length": Plain((TEXT,), BIGINT, "length"),
    "lower": Plain((TEXT,), VARCHAR, "lower"),
    "upper": Plain((TEXT,), VARCHAR, "t_upper"),
    "trim": Plain((TEXT,), VARCHAR, "t_trim"),
    "ltrim": Plain((TEXT,), VARCHAR, "t_ltrim"),
    "rtrim": Plain((TEXT,), VARCHAR, "t_rtrim"),
    "strpos": Plain((TEXT, TEXT), BIGINT, "strpos"),
    "starts_with": Plain((TEXT, TEXT), BOOLEAN, "starts_with"),
    "abs": Plain((NUMBERS,), None, "abs"),
    "sqrt": Plain((("double",),), DOUBLE, "sqrt"),
    "year": Plain((TIME,), BIGINT, "year"),
    "quarter": Plain((TIME,), BIGINT, "quarter"),
    "month": Plain((TIME,), BIGINT, "month"),
    "week": Plain((TIME,), BIGINT, "week"),
    "day": Plain((TIME,), BIGINT, "day"),
    "day_of_week": Plain((TIME,), BIGINT, "isodow"),
    "day_of_year": Plain((TIME,), BIGINT, "dayofyear"),
    "hour": Plain((TIMES[1:],), BIGINT, "hour"),
    "minute": Plain((TIMES[1:],), BIGINT, "minute"),
    "second": Plain((TIMES[1:],), BIGINT, "second"),
    "cardinality": Plain((("array",),), BIGINT, "len", cast=True),
}.items():
    function(_name)(_plain)


@function("now")
def now(call: Call) -> Term:
    call.need()
    return Term("date_trunc('milliseconds', now())", TIMESTAMPTZ)


@function("concat")
def concat(call: Call) -> Term:
    if len(call.terms) < 2:
        raise call.wrong()
    call.need(*(TEXT for _ in call.terms))
    return Term(f"({' || '.join(term.sql for term in call.terms)})", VARCHAR)


@function("substr", "substring")
def substr(call: Call) -> Term:
    call.need(TEXT, *(WHOLE for _ in call.terms[1:3]))
    if len(call.terms) < 2:
        raise call.wrong()
    text, *numbers = (term.sql for term in call.terms)
    return Term(f"{'t_substr' if len(numbers) == 1 else 't_substr_of'}({', '.join((text, *numbers))})", VARCHAR)


@function("replace")
def replace(call: Call) -> Term:
    terms = [*(term.sql for term in call.terms), "''"][:3]
    call.need(*(TEXT for _ in call.terms[:3]))
    if len(call.terms) < 2:
        raise call.wrong()
    return Term(f"t_replace({', '.join(terms)})", VARCHAR)


@function("regexp_like")
def regexp_like(call: Call) -> Term:
    call.need(TEXT, TEXT)
    pattern = call.literal(1)
    if not SAFE_PATTERN.fullmatch(pattern) or POSSESSIVE.search(pattern) or not pattern.isascii():
        raise RefusedError(f"The pattern '{pattern}'", "Use classes, groups, quantifiers and anchors only.", call.node)
    return Term(f"t_regexp({call.first.sql}, {call.terms[1].sql})", BOOLEAN)


@function("coalesce")
def coalesce(call: Call) -> Term:
    if len(call.terms) < 2:
        raise QueryError("INVALID_FUNCTION_ARGUMENT", "The 'coalesce' function must have at least two arguments", call.node)
    terms, shared = alike(call)
    return Term(f"coalesce({', '.join(terms)})", shared)


@function("greatest", "least")
def extreme(call: Call) -> Term:
    terms, shared = alike(call)
    if shared.kind not in ("integer", "decimal", "varchar", *TIMES):
        raise RefusedError(f"{call.name} of {shared}", node=call.node)
    missing = " OR ".join(f"{term} IS NULL" for term in terms)
    return Term(f"(CASE WHEN {missing} THEN NULL ELSE {call.name}({', '.join(terms)}) END)", shared)


def alike(call: Call) -> tuple[list[str], Type]:
    shared = UNKNOWN
    for term in call.terms:
        wider = common(shared, term.type)
        if wider is None:
            text = f"All {call.name} operands must be the same type: {shared}, {term.type}"
            raise QueryError("TYPE_MISMATCH", text, call.node)
        shared = wider
    return [coerce(term.sql, term.type, shared) for term in call.terms], shared


@function("nullif")
def nullif(call: Call) -> Term:
    call.need((), ())
    same = apply("=", *call.terms, call.node)
    return Term(f"(CASE WHEN {same.sql} THEN NULL ELSE {call.first.sql} END)", call.first.type)


@function("mod")
def mod(call: Call) -> Term:
    call.need(NUMBERS, NUMBERS)
    return apply("%", *call.terms, call.node)


@function("ceil", "ceiling", "floor")
def to_whole(call: Call) -> Term:
    call.need(NUMBERS)
    type_ = call.first.type
    if type_.name == "decimal":
        type_ = decimal(type_.integral + min(type_.scale or 0, 1), 0)
    name = "floor" if call.name == "floor" else "ceil"
    return Term(f"CAST({name}({call.first.sql}) AS {type_.duckdb})", type_)


@function("sign")
def sign(call: Call) -> Term:
    call.need(NUMBERS)
    type_ = decimal(1, 0) if call.first.type.name == "decimal" else call.first.type
    if type_.name == "double":
        raise RefusedError("sign of a double", node=call.node)
    return Term(f"CAST(sign({call.first.sql}) AS {type_.duckdb})", type_)


@function("round")
def round_(call: Call) -> Term:
    call.need(NUMBERS, *(WHOLE for _ in call.terms[1:2]))
    digits = call.literal(1) if len(call.terms) > 1 else "0"
    if int(digits) > 15:
        raise RefusedError(f"round to {digits} digits", node=call.node)
    type_ = call.first.type
    if type_.kind == "integer":
        return call.first
    if type_.name == "double":
        return Term(f"t_round({call.first.sql}, {digits})", DOUBLE)
    scale, precision = type_.scale or 0, type_.precision or 0
    result = decimal(precision + 1, scale) if len(call.terms) > 1 else decimal(type_.integral + min(1, scale), 0)
    rounded = cast(call.first.sql, type_, decimal(precision + 1, min(int(digits), scale)))
    return Term(cast(rounded, decimal(precision + 1, min(int(digits), scale)), result), result)


@function("date")
def date(call: Call) -> Term:
    call.need(("varchar", *TIMES))
    return Term(cast(call.first.sql, call.first.type, DATE, node=call.node), DATE)


def unit_of(call: Call, type_: Type) -> str:
    unit = call.literal(0).lower()
    if unit not in UNITS:
        raise RefusedError(f"The unit '{unit}' of {call.name}", f"Use one of {', '.join(UNITS)}.", call.node)
    if type_ == DATE and unit not in DATE_UNITS:
        raise QueryError("INVALID_FUNCTION_ARGUMENT", f"'{unit}' is not a valid DATE field", call.node)
    return unit


@function("date_trunc")
def date_trunc(call: Call) -> Term:
    call.need(TEXT, TIME)
    type_ = call.terms[1].type
    return Term(f"CAST(date_trunc('{unit_of(call, type_)}', {call.terms[1].sql}) AS {type_.duckdb})", type_)


@function("date_add")
def date_add(call: Call) -> Term:
    call.need(TEXT, WHOLE, TIME)
    time = call.terms[2]
    unit, count = unit_of(call, time.type), call.terms[1].sql
    if unit == "quarter":
        unit, count = "month", f"({count} * 3)"
    sql = f"{time.sql} + to_{unit}s(CAST({count} AS {'BIGINT' if unit in UNITS[:3] else 'INTEGER'}))"
    return Term(f"CAST({sql} AS {time.type.duckdb})", time.type)


@function("date_diff")
def date_diff(call: Call) -> Term:
    call.need(TEXT, TIME, TIME)
    shared = comparable(call.terms[1].type, call.terms[2].type, "date_diff", call.node)
    ends = [coerce(term.sql, term.type, shared) for term in call.terms[1:]]
    if (shared.precision or 0) > 3:  # Trino counts whole milliseconds
        ends = [f"date_trunc('milliseconds', {end})" for end in ends]
    return Term(f"date_sub('{unit_of(call, shared)}', {', '.join(ends)})", BIGINT)


@function("date_format")
def date_format(call: Call) -> Term:
    call.need(TIMES, TEXT)
    letters = re.findall(r"%(.)|([^%]+)|(%)$", call.literal(1), re.S)
    unknown = [letter or end for letter, _, end in letters if (letter and letter not in FORMAT_LETTERS) or end]
    if unknown:
        raise RefusedError(f"%{unknown[0]} in the format of date_format", node=call.node)
    form = "".join(FORMAT_LETTERS[letter] if letter else text for letter, text, _ in letters).replace("'", "''")
    return Term(f"strftime({call.first.sql}, '{form}')", VARCHAR)


@function("contains")
def contains(call: Call) -> Term:
    call.need(("array",), ())
    array, value = call.terms
    element = array.type.element or UNKNOWN
    shared = comparable(element, value.type, "contains", call.node)
    if shared != element and shared.kind != "varchar":
        raise RefusedError(f"contains of {array.type} with {value.type}", "Cast the value.", call.node)
    found, missing = f"list_contains({array.sql}, {value.sql})", f"len({array.sql}) <> list_count({array.sql})"
    return Term(
        f"(CASE WHEN {array.sql} IS NULL OR {value.sql} IS NULL THEN NULL WHEN {found} THEN true "
        f"WHEN {missing} THEN NULL ELSE false END)",
        BOOLEAN,
    )


@function("array_join")
def array_join(call: Call) -> Term:
    call.need(("array",), TEXT)
    if (call.first.type.element or UNKNOWN).name != "varchar":
        raise RefusedError(f"array_join of {call.first.type}", node=call.node)
    return Term(f"array_to_string({call.first.sql}, {call.terms[1].sql})", VARCHAR)
