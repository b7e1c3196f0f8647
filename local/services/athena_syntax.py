"""Which statement a text holds, or Athena's syntax error: Trino's parser is asked wherever its grammar applies."""

from __future__ import annotations

import re

from moto.core.exceptions import JsonRESTError

from local.engines import athena_sql
from local.engines.athena_errors import QueryError
from local.engines.athena_words import lex
from local.engines.trino_parser import TrinoParser

FIDELITY = (("Athena", "syntax errors: their words and places", "Trino's parser", "real"),)
TRINOS = {
    "select", "insert", "update", "delete", "merge", "create_table_as_select", "create_view", "explain", "prepare",
}  # fmt: skip
# Statements that other grammars than Trino's read on Athena: Hive's, and Athena's own
ELSEWHERE = {
    "alter", "analyze", "desc", "describe", "drop", "msck", "optimize", "show", "truncate", "unload", "use", "vacuum",
}  # fmt: skip
HIVE = re.compile(r"CREATE\s+(?:EXTERNAL|DATABASE|SCHEMA|TABLE(?!.*\bAS\b))", re.I | re.S)
INNER = re.compile(r"^\s*(?:EXPLAIN|PREPARE)\b.*\bUNLOAD\b", re.I | re.S)
BEGINNINGS = re.compile(r"('TRUNCATE', )('UPDATE')")  # only the list of all statements has both


class Syntax:
    """Reads statements as Athena does: `syntax.statement(text)`, which refuses at once a text that is none."""

    def __init__(self, parser: TrinoParser) -> None:
        self._parser = parser

    def statement(self, query: str) -> athena_sql.Statement:
        try:
            found = athena_sql.read(query)
        except QueryError as error:
            if error.kind != "SYNTAX":
                return athena_sql.Statement("select")  # it fails as a query, which tells why
            ours = str(error).removeprefix("SYNTAX: ")
            told = self._trinos(query) if ours.startswith("line ") else None  # else it is about several statements
            raise refused(told or ours) from error
        told = None
        if found.verb == "create":  # of which our grammar knows no more
            told = self._trinos(query)
        elif found.verb in TRINOS and not INNER.search(query):
            told = worded(self._parser.refusal_now(ended(query)))
        if told:
            raise refused(told)
        return found

    def _trinos(self, query: str) -> str | None:
        leading = athena_sql.LEADING.match(query)
        start = leading.start(1) if leading else -1
        word = (leading[1] or "").lower() if leading else ""
        if word in ELSEWHERE or HIVE.match(query, max(start, 0)):
            return None
        return worded(self._parser.refusal(ended(query)))


def worded(told: str | None) -> str | None:
    """Athena has UNLOAD among the statements."""
    return BEGINNINGS.sub(r"\1'UNLOAD', \2", told) if told else None


def ended(query: str) -> str:
    """The text before the semicolon at its end, which is not Trino's."""
    if ";" not in query:
        return query
    tokens = lex(query)
    return query[: tokens[-1].start + len(tokens[-1].text)] if tokens else query


def refused(text: str) -> JsonRESTError:
    return JsonRESTError("InvalidRequestException", text)
