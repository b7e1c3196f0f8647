"""The words of a statement that is no query, read one after another: CREATE, DROP, ALTER, SHOW and their like."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from sqlglot import exp

from local.engines.athena_errors import QueryError
from local.engines.athena_grammar import parse

TOKEN = re.compile(
    r"""(?P<space>\s+|--[^\n]*|/\*.*?\*/)|(?P<string>'(?:[^']|'')*')|(?P<name>`[^`]+`|"(?:[^"]|"")+")"""
    r"""|(?P<word>[^\W]+)|(?P<mark>.)""",
    re.S,
)
QUOTES = '"`'
Name = tuple[str, str]


@dataclass(frozen=True)
class Token:
    kind: str
    text: str
    start: int

    @property
    def upper(self) -> str:
        return self.text.upper() if self.kind in ("word", "mark") else ""


class Words:
    """A statement's words from the first on; each method takes what it finds, or fails with Athena's syntax error."""

    def __init__(self, sql: str, tokens: list[Token] | None = None) -> None:
        self.sql = sql
        self.tokens = lex(sql) if tokens is None else tokens
        self.at = 0

    def peek(self, *words: str) -> bool:
        ahead = self.tokens[self.at : self.at + len(words)]
        return [token.upper for token in ahead] == list(words)

    def accept(self, *words: str) -> bool:
        found = self.peek(*words)
        if found:
            self.at += len(words)
        return found

    def expect(self, *words: str) -> None:
        for word in words:
            if not self.accept(word):
                raise self.unexpected(f"'{word}'")

    @property
    def ended(self) -> bool:
        return self.at == len(self.tokens)

    def end(self) -> None:
        if not self.ended:
            raise self.unexpected("<EOF>")

    def name(self) -> str:
        token = self._take("<identifier>", "name", "word")
        return unquoted(token).lower()

    def path(self) -> tuple[str | None, str]:
        """`table` or `database.table`, the catalog before it left out."""
        parts = [self.name()]
        while self.accept("."):
            parts.append(self.name())
        return (parts[-2] if len(parts) > 1 else None), parts[-1]

    def string(self) -> str:
        return unquoted(self._take("<string>", "string"))

    def number(self) -> int:
        token = self._take("<integer>", "word")
        if not token.text.isdigit():
            self.at -= 1
            raise self.unexpected("<integer>")
        return int(token.text)

    def group(self) -> Words:
        """What stands between the brackets that begin here."""
        self.expect("(")
        first, depth = self.at, 1
        while depth:
            token = self._take("')'", "string", "name", "word", "mark")
            depth += {"(": 1, ")": -1}.get(token.upper, 0)
        return Words(self.sql, self.tokens[first : self.at - 1])

    def listed(self, read: Callable[[Words], Any]) -> list[Any]:
        """What `read` finds between commas, to the end of these words."""
        found = [read(self)]
        while self.accept(","):
            found.append(read(self))
        self.end()
        return found

    def until(self, *marks: str) -> str:
        """The text up to the next comma or one of the words given, outside of brackets."""
        first, depth = self.at, 0
        while not self.ended:
            word = self.tokens[self.at].upper
            if depth == 0 and word in (",", *marks):
                break
            depth += {"(": 1, "<": 1, ")": -1, ">": -1}.get(word, 0)
            self.at += 1
        return "".join(token.text for token in self.tokens[first : self.at])

    def written(self) -> str:
        """What stands up to the next comma, as it is written."""
        first = self.at
        self.until()
        if self.at == first:
            raise self.unexpected("<expression>")
        last = self.tokens[self.at - 1]
        return self.sql[self.tokens[first].start : last.start + len(last.text)]

    def text(self) -> str:
        """The rest as it is written."""
        if self.ended:
            raise self.unexpected("'SELECT'")
        last = self.tokens[-1]
        return self.sql[self.tokens[self.at].start : last.start + len(last.text)]

    def query(self) -> exp.Expr:
        """The rest as a query of Athena's, whose errors have their places in the whole statement."""
        text = self.text()
        before = re.sub(r"[^\n]", " ", self.sql[: self.tokens[self.at].start])
        self.at = len(self.tokens)
        return parse(before + text)

    def unexpected(self, expecting: str) -> QueryError:
        if self.ended:
            start, text = len(self.sql.rstrip()), "<EOF>"
        else:
            start, text = self.tokens[self.at].start, self.tokens[self.at].text
        line = self.sql.count("\n", 0, start) + 1
        column = start - (self.sql.rfind("\n", 0, start) + 1) + 1
        return QueryError("SYNTAX", f"line {line}:{column}: mismatched input '{text}'. Expecting: {expecting}")

    def _take(self, expecting: str, *kinds: str) -> Token:
        if self.ended or self.tokens[self.at].kind not in kinds:
            raise self.unexpected(expecting)
        self.at += 1
        return self.tokens[self.at - 1]


def lex(sql: str) -> list[Token]:
    tokens = [Token(str(found.lastgroup), found[0], found.start()) for found in TOKEN.finditer(sql)]
    tokens = [token for token in tokens if token.kind != "space"]
    while tokens and tokens[-1].text == ";":
        tokens.pop()
    return tokens


def unquoted(token: Token) -> str:
    if token.kind == "word":
        return token.text
    quote = token.text[0]
    return token.text[1:-1].replace(quote * 2, quote)


def properties(words: Words) -> dict[str, str]:
    """`('name' = 'value', …)`, as TBLPROPERTIES and SERDEPROPERTIES have it."""

    def pair(inner: Words) -> tuple[str, str]:
        name = inner.string()
        inner.expect("=")
        return name, inner.string()

    return dict(words.group().listed(pair))


def options(words: Words) -> dict[str, Any]:
    """`(name = value, …)`, as CTAS and UNLOAD have it: a value is a text, a number, true or false, or an array."""
    return dict(words.group().listed(option))


def option(words: Words) -> tuple[str, Any]:
    name = words.name()
    words.expect("=")
    if words.accept("ARRAY"):
        words.expect("[")
        values: list[str] = []
        while not words.accept("]"):
            values.append(words.string())
            if not words.peek("]"):
                words.expect(",")
        return name, values
    for word, value in (("TRUE", True), ("FALSE", False)):
        if words.accept(word):
            return name, value
    if not words.ended and words.tokens[words.at].kind == "string":
        return name, words.string()
    return name, words.number()
