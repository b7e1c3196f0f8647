"""Athena's SQL, read: which statement it is, and a SELECT as DuckDB's SQL; what is not on the list is refused."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from sqlglot import exp

from local.engines import athena_casts, athena_expressions, athena_functions, athena_operators, athena_statements
from local.engines.athena_errors import QueryError, RefusedError
from local.engines.athena_grammar import RECURSION, parse
from local.engines.athena_parameters import bind
from local.engines.athena_query import Translator
from local.engines.athena_relations import Query, Scan
from local.engines.athena_scope import Catalog
from local.engines.athena_session import Plan

SPACE = r"(?:\s|--[^\n]*(?:\n|$)|/\*.*?\*/)"
LEADING = re.compile(rf"{SPACE}*\(?{SPACE}*(\w+)?", re.S)
NAME = r"""[`"]?([\w$-]+)[`"]?"""
SHOW_TABLES = re.compile(rf"show\s+tables(?:\s+(?:in|from)\s+{NAME})?(?:\s+'([^']*)')?", re.I)
SHOW_DATABASES = re.compile(r"show\s+(?:databases|schemas)(?:\s+like\s+'([^']*)')?", re.I)
SHOW_VIEWS = re.compile(rf"show\s+views(?:\s+(?:in|from)\s+{NAME})?(?:\s+(?:like\s+)?'([^']*)')?", re.I)
SHOW_CREATE_VIEW = re.compile(rf"show\s+create\s+view\s+(?:{NAME}\.)?{NAME}", re.I)
DESCRIBE = re.compile(rf"(?:describe|desc)\s+(?:{NAME}\.)?{NAME}", re.I)
LISTINGS = {"show_tables": SHOW_TABLES, "show_databases": SHOW_DATABASES, "show_views": SHOW_VIEWS,
            "show_create_view": SHOW_CREATE_VIEW, "describe": DESCRIBE}  # fmt: skip
QUERIES = ("select", "with", "values")
UTILITY = ("describe", "desc", "explain", "show")
DML = ("insert", "update", "delete", "merge", "unload", "execute")


@dataclass(frozen=True)
class Statement:
    """A statement: `verb` is select, one of LISTINGS, that of a plan, or another, which is refused."""

    verb: str
    tree: exp.Expr | None = None
    names: tuple[str | None, ...] = ()
    plan: Plan | None = None

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
    word = (leading[1] or "") if leading else ""
    verb = word.lower()
    bare = re.sub(SPACE + "+", " ", sql, flags=re.S).strip().removesuffix(";").strip()
    if verb in QUERIES or bare.startswith("("):
        return Statement("select", parse(sql))
    for name, pattern in LISTINGS.items():
        if found := pattern.fullmatch(bare):
            return Statement(name, names=found.groups())
    if (plan := athena_statements.read(sql)) is not None:
        return Statement(plan.verb, plan=plan)
    if verb not in KNOWN_VERBS:
        start = leading.start(1) if leading and word else 0
        line, column = sql.count("\n", 0, start) + 1, start - sql.rfind("\n", 0, start)
        raise QueryError(
            "SYNTAX", f"line {line}:{column}: mismatched input '{word or sql[:20]}'. Expecting: {EXPECTED}"
        )
    return Statement(verb)


def translate(
    tree: exp.Expr, catalog: Catalog, database: str, parameters: list[str], *, printed: bool = True
) -> Translation:
    translator = Translator(catalog, database)
    try:
        query = translator.query(bind(tree, parameters))
    except RecursionError as error:
        raise RefusedError(RECURSION) from error
    if printed:
        query.check_printable()
    return Translation(query, translator.scans)


KNOWN_VERBS = {
    "alter", "analyze", "create", "deallocate", "delete", "desc", "describe", "drop", "execute", "explain", "insert",
    "merge", "msck", "optimize", "prepare", "show", "truncate", "unload", "update", "use", "vacuum",
}  # fmt: skip
EXPECTED = ", ".join(f"'{verb.upper()}'" for verb in ("select", "with", *sorted(KNOWN_VERBS)))


def refuse(statement: Statement) -> QueryError:
    name = statement.verb.replace("_", " ").upper()
    text = (
        f"{name} is not run on the laptop yet: expected SELECT, DESCRIBE, or SHOW TABLES, DATABASES, VIEWS or CREATE"
        " VIEW. Run it on AWS."
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
