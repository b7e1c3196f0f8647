"""Athena's SQL, read: which statement it is, and a SELECT as DuckDB's SQL; what is not on the list is refused."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Any, ClassVar

import sqlglot
from sqlglot import exp
from sqlglot.dialects.trino import Trino
from sqlglot.errors import ParseError, TokenError
from sqlglot.parsers.trino import TrinoParser

from local.engines import athena_casts, athena_expressions, athena_functions, athena_operators
from local.engines.athena_errors import QueryError, RefusedError
from local.engines.athena_query import Translator
from local.engines.athena_relations import Query, Scan
from local.engines.athena_scope import Catalog

OWN_GRAMMAR = ("CAST", "TRY_CAST", "EXTRACT", "TRIM", "POSITION", "SUBSTRING")
SPACE = r"(?:\s|--[^\n]*(?:\n|$)|/\*.*?\*/)"
LEADING = re.compile(rf"{SPACE}*\(?{SPACE}*(\w+)?", re.S)
NAME = r"""[`"]?([\w$-]+)[`"]?"""
SHOW_TABLES = re.compile(rf"show\s+tables(?:\s+(?:in|from)\s+{NAME})?(?:\s+'([^']*)')?", re.I)
SHOW_DATABASES = re.compile(r"show\s+(?:databases|schemas)(?:\s+like\s+'([^']*)')?", re.I)
DESCRIBE = re.compile(rf"(?:describe|desc)\s+(?:{NAME}\.)?{NAME}", re.I)
QUERIES = ("select", "with", "values")
UTILITY = ("describe", "desc", "explain", "show")
DML = ("insert", "update", "delete", "merge", "unload", "execute")
RECURSION = "This query is nested too deep for the laptop"


def _typed(self: Any, this: exp.Literal, data_type: exp.DataType) -> exp.Cast:
    """A typed literal is not a cast: DECIMAL '1.10' has the digits that are written."""
    digits = re.fullmatch(r"[+-]?(\d*)\.?(\d*)", this.name)
    if data_type.this == exp.DType.DECIMAL and not data_type.expressions and digits:
        whole, fraction = digits[1].lstrip("0"), digits[2]
        parts = max(1, len(whole) + len(fraction)), len(fraction)
        data_type.set("expressions", [exp.DataTypeParam(this=exp.Literal.number(part)) for part in parts])
    if data_type.this in (exp.DType.TIMESTAMP, exp.DType.TIMESTAMPTZ):
        found = self._parse_temporal_literal(this, data_type)
    else:
        found = self.expression(exp.Cast(this=this, to=data_type))
    found.meta["typed_literal"] = True
    return found  # type: ignore[no-any-return]


class AthenaDialect(Trino):
    """Trino's grammar with every call left as it is written, so that each goes through our list by its own name."""

    class Parser(TrinoParser):
        FUNCTIONS: ClassVar[dict[str, Any]] = {}
        FUNCTION_PARSERS: ClassVar[dict[str, Any]] = {
            name: parser for name, parser in TrinoParser.FUNCTION_PARSERS.items() if name in OWN_GRAMMAR
        }
        TYPE_LITERAL_PARSERS: ClassVar[dict[Any, Any]] = dict.fromkeys(
            (exp.DType.DATE, exp.DType.DECIMAL, exp.DType.TIMESTAMP, exp.DType.TIMESTAMPTZ), _typed
        )


@dataclass(frozen=True)
class Statement:
    """A statement: `verb` is select, show_tables, show_databases, describe, or another, which is refused."""

    verb: str
    tree: exp.Expr | None = None
    names: tuple[str | None, ...] = ()

    @property
    def type(self) -> str:
        if self.verb == "select" or self.verb in DML:
            return "DML"
        return "UTILITY" if self.verb.partition("_")[0] in UTILITY else "DDL"

    @property
    def subtype(self) -> str:
        return {"describe": "DESCRIBE_TABLE"}.get(self.verb, self.verb.upper())


@dataclass(frozen=True)
class Translation:
    """A SELECT for DuckDB, its output columns, and the tables that it reads."""

    query: Query
    scans: list[Scan] = field(default_factory=list)


def read(sql: str) -> Statement:
    """Which statement a text holds; a QueryError of kind SYNTAX for one that is none."""
    leading = LEADING.match(sql)
    verb = (leading[1] or "").lower() if leading else ""
    bare = re.sub(SPACE + "+", " ", sql, flags=re.S).strip().removesuffix(";").strip()
    if verb in QUERIES or bare.startswith("("):
        return Statement("select", parse(sql))
    for pattern, name in ((SHOW_TABLES, "show_tables"), (SHOW_DATABASES, "show_databases"), (DESCRIBE, "describe")):
        if found := pattern.fullmatch(bare):
            return Statement(name, names=found.groups())
    if verb not in KNOWN_VERBS:
        raise QueryError("SYNTAX", f"line 1:1: mismatched input '{verb or sql[:20]}'. Expecting: {EXPECTED}")
    return Statement(verb)


def parse(sql: str) -> exp.Expr:
    try:
        trees = [tree for tree in sqlglot.parse(sql, read=AthenaDialect) if tree is not None]
    except (ParseError, TokenError) as error:
        raise QueryError("SYNTAX", _syntax(error)) from error
    except RecursionError as error:
        raise RefusedError(RECURSION) from error
    if len(trees) != 1:
        raise QueryError("SYNTAX", "Only one sql statement is allowed")
    return trees[0]


def _syntax(error: ParseError | TokenError) -> str:
    found = error.errors[0] if isinstance(error, ParseError) and error.errors else {}
    if not found.get("line"):
        return f"line 1:1: {str(error).splitlines()[0]}"
    word = found.get("highlight") or "<EOF>"
    column = int(found["col"]) - len(word) + 1
    return f"line {found['line']}:{max(1, column)}: mismatched input '{word}'. {found['description']}"


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


def translate(tree: exp.Expr, catalog: Catalog, database: str, parameters: list[str]) -> Translation:
    translator = Translator(catalog, database)
    try:
        query = translator.query(bind(tree, parameters))
    except RecursionError as error:
        raise RefusedError(RECURSION) from error
    for name, type_ in zip(query.names, query.types, strict=True):
        if not printable(type_):
            raise RefusedError(f"A result of type {type_} (column '{name}')", "Cast it.")
    return Translation(query, translator.scans)


def printable(type_: Any) -> bool:
    """Whether it is known how Athena writes a value of this type."""
    if type_.element:
        return type_.element.element is None and printable(type_.element)
    return type_.runs and not (type_.name.startswith("timestamp") and type_.precision == 0)


KNOWN_VERBS = {
    "alter", "analyze", "create", "deallocate", "delete", "desc", "describe", "drop", "execute", "explain", "insert",
    "merge", "msck", "optimize", "prepare", "show", "truncate", "unload", "update", "use", "vacuum",
}  # fmt: skip
EXPECTED = ", ".join(f"'{verb.upper()}'" for verb in ("select", "with", *sorted(KNOWN_VERBS)))


def refuse(statement: Statement) -> QueryError:
    name = statement.verb.replace("_", " ").upper()
    text = (
        f"{name} is not run on the laptop yet: expected SELECT, SHOW TABLES, SHOW DATABASES or DESCRIBE. Run it on AWS."
    )
    return QueryError("NOT_SUPPORTED", text)


def allowed() -> set[str]:
    """Every function, operator, cast and piece of syntax on the list; tests hold a case for each."""
    casts = {f"cast {source} to {target}" for source, target in athena_casts.CASTS}
    binary = {" ".join((left, symbol, right)) for symbol, left, right in athena_operators.OPERATORS}
    compared = {f"compare {kind}" for kind in athena_operators.COMPARED}
    comparisons = {symbol for symbol in athena_operators.SYMBOLS.values() if symbol not in "+-*/%||"}
    syntax = {node.__name__ for node in athena_expressions.NODES if node not in athena_operators.SYMBOLS}
    return set(athena_functions.FUNCTIONS) | casts | binary | compared | comparisons | syntax
