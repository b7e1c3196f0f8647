"""The list of functions that run on the laptop, and what each is given of its call; any other is refused."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from sqlglot import exp

from local.engines.athena_casts import coerce
from local.engines.athena_errors import QueryError, RefusedError
from local.engines.athena_scope import Term
from local.engines.athena_types import DOUBLE, UNKNOWN, Type, common
from local.engines.athena_zones import local

TEXT, WHOLE = ("varchar",), ("integer",)
NUMBERS = ("integer", "decimal", "real", "double")
DOUBLES = NUMBERS  # what Trino takes to a double by itself
ANY_ARRAY, ANY_MAP, BYTES = ("array",), ("map",), ("varbinary",)
TIMES = ("date", "timestamp", "timestamp with time zone")


@dataclass(frozen=True)
class Call:
    """A call as the query has it; `tail` is its FILTER and OVER, for the functions that take them."""

    name: str
    node: exp.Expr
    terms: Sequence[Term]
    nodes: Sequence[exp.Expr] = ()
    tail: str = ""
    distinct: bool = False
    order: str = ""
    nulls: str = ""

    @property
    def first(self) -> Term:
        return self.terms[0]

    @property
    def inside(self) -> str:
        """What an aggregate has before its argument."""
        return "DISTINCT " if self.distinct else ""

    def wrong(self) -> QueryError:
        """Athena's error for a call that nothing fits; a refusal where Athena may have a form that the list has not."""
        types = ", ".join(str(term.type) for term in self.terms)
        if len(self.terms) in OTHER_COUNTS.get(self.name, ()) or any(t.type.kind not in SIMPLE for t in self.terms):
            return RefusedError(f"{self.name}({types})", "Cast its arguments.", self.node)
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


# arguments of other kinds may be a form of the function that Athena has too, and so may these numbers of them
SIMPLE = ("boolean", "integer", "decimal", "double", "varchar")
OTHER_COUNTS = {
    "strpos": (3,), "split": (3,), "max": (2,), "min": (2,), "max_by": (3,), "min_by": (3,), "approx_distinct": (2,),
    "approx_percentile": (3, 4), "from_unixtime": (3,), "array_sort": (2,), "regexp_replace": (3,), "concat": (1,),
}  # fmt: skip
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
    """A function that DuckDB computes alike: kinds of its arguments, its result, and DuckDB's name or macro.

    Arguments of the kinds DOUBLES are given as doubles; of TIMES as the clocks of their zone show them."""

    kinds: tuple[tuple[str, ...], ...]
    result: Type | None
    name: str
    cast: bool = False

    def __call__(self, call: Call) -> Term:
        call.need(*self.kinds)
        result = self.result or call.first.type
        terms = []
        for term, kinds in zip(call.terms, self.kinds, strict=True):
            if kinds is DOUBLES and result.name in ("double", "boolean"):
                terms.append(coerce(term.sql, term.type, DOUBLE))
            else:
                terms.append(local(term.sql, term.type) if "date" in kinds or "timestamp" in kinds else term.sql)
        sql = f"{self.name}({', '.join(terms)})"
        return Term(f"CAST({sql} AS {result.duckdb})" if self.cast else sql, result)


def alike(call: Call) -> tuple[list[str], Type]:
    """The arguments taken to the one type that they have in common."""
    shared = UNKNOWN
    for term in call.terms:
        wider = common(shared, term.type)
        if wider is None:
            text = f"All {call.name} operands must be the same type: {shared}, {term.type}"
            raise QueryError("TYPE_MISMATCH", text, call.node)
        shared = wider
    return [coerce(term.sql, term.type, shared) for term in call.terms], shared
