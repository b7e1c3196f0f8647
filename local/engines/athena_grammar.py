"""Athena's grammar: Trino's, with every call left as it is written."""

from __future__ import annotations

import re
from itertools import pairwise
from typing import Any, ClassVar

from sqlglot import Token, TokenType, exp
from sqlglot.dialects.trino import Trino
from sqlglot.errors import ParseError, TokenError
from sqlglot.parsers.trino import TrinoParser

from local.engines.athena_errors import QueryError, RefusedError

OWN_GRAMMAR = ("CAST", "TRY_CAST", "EXTRACT", "TRIM", "POSITION", "SUBSTRING")
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

    INDEX_OFFSET = 0  # subscripts stay as they are written

    class Parser(TrinoParser):
        FUNCTIONS: ClassVar[dict[str, Any]] = {}
        FUNCTION_PARSERS: ClassVar[dict[str, Any]] = {
            name: parser for name, parser in TrinoParser.FUNCTION_PARSERS.items() if name in OWN_GRAMMAR
        }
        TYPE_LITERAL_PARSERS: ClassVar[dict[Any, Any]] = dict.fromkeys(
            (exp.DType.DATE, exp.DType.DECIMAL, exp.DType.JSON, exp.DType.TIMESTAMP, exp.DType.TIMESTAMPTZ), _typed
        )


DIALECT = AthenaDialect()
NUMBER = re.compile(r"(\d+\.?\d*|\.\d+)(e[+-]?\d+)?", re.IGNORECASE)
OTHER_NUMBER = re.compile(r"0[xbo]\w+|\d[\d_]*_\d+", re.IGNORECASE)
SAID_ELSEWHERE = ("::", "==")  # by other dialects


def parse(sql: str) -> exp.Expr:
    try:
        trees = [
            tree
            for tree in DIALECT.parser().parse(_tokens(sql), sql)
            if tree is not None and not isinstance(tree, exp.Semicolon)
        ]
    except (ParseError, TokenError) as error:
        raise QueryError("SYNTAX", _syntax(error)) from error
    except RecursionError as error:
        raise RefusedError(RECURSION) from error
    if len(trees) != 1:
        raise QueryError("SYNTAX", "Only one sql statement is allowed")
    return trees[0]


def _tokens(sql: str) -> list[Token]:
    """The tokens, without those that the grammar would take for something else than Trino does."""
    found = DIALECT.tokenize(sql)
    for one, after in pairwise([*found, Token(TokenType.SEMICOLON, ";", start=len(sql) + 1)]):
        written = sql[one.start : one.end + 1]
        if written in SAID_ELSEWHERE:
            raise QueryError("SYNTAX", f"line {one.line}:{one.col}: mismatched input '{written[1]}'")
        if not written[:1].isdigit() or one.token_type == TokenType.VAR:
            continue
        behind = sql[after.start : after.end + 1] if after.start == one.end + 1 else ""
        if OTHER_NUMBER.fullmatch(written + behind):
            raise RefusedError(f"The number '{written}{behind}'", "Write its decimal digits.")
        if behind[:1].isidentifier() or not NUMBER.fullmatch(written):
            told = "identifiers must not start with a digit; surround the identifier with double quotes"
            raise QueryError("SYNTAX", f"line {one.line}:{one.col - len(written) + 1}: {told}")
    return found


def _syntax(error: ParseError | TokenError) -> str:
    found = error.errors[0] if isinstance(error, ParseError) and error.errors else {}
    if not found.get("line"):
        return f"line 1:1: {str(error).splitlines()[0]}"
    word = found.get("highlight") or "<EOF>"
    column = int(found["col"]) - len(word) + 1
    return f"line {found['line']}:{max(1, column)}: mismatched input '{word}'. {found['description']}"
