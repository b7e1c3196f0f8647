"""SQL as people hand it over: an argument, a file or standard input, of one statement or of several."""

from __future__ import annotations

import sys
from pathlib import Path

import sqlglot
from sqlglot.errors import SqlglotError
from sqlglot.tokenizer_core import TokenType

from cli.errors import CommandError

STDIN = "-"


def given(sql: str, file: Path | None) -> list[str]:
    """The statements that were asked for; they are run one after another."""
    if sql and file:
        raise CommandError("The SQL comes twice: expected an argument or --file. Leave one of them out.")
    text = sql
    if file is not None and str(file) != STDIN:
        text = _read(file)
    elif sql == STDIN or file is not None or (not sql and not sys.stdin.isatty()):
        text = _decoded(sys.stdin.buffer.read(), "SQL on standard input")
    statements = split(text)
    if not statements:
        raise CommandError("No SQL was given: expected an argument, --file FILE, or SQL on standard input.")
    return statements


def split(text: str) -> list[str]:
    """Apart at each `;` that is in no text, name or comment; Athena takes one statement at a time."""
    return [each for each, _ in parts(text) if each]


def parts(text: str) -> list[tuple[str, bool]]:
    """Each statement, and whether a `;` ends it; comments alone are none."""
    try:
        tokens = sqlglot.tokenize(text, read="athena")
    except SqlglotError:
        return [(text.strip(), False)]  # Athena says what is wrong with it
    found, start, words = [], 0, 0
    for token in tokens:
        if token.token_type != TokenType.SEMICOLON:
            words += 1
            continue
        if words:
            found.append((text[start : token.start].strip(), True))
        start, words = token.end + 1, 0
    if words:
        found.append((text[start:].strip(), False))
    return found


def _read(file: Path) -> str:
    try:
        return _decoded(file.read_bytes(), f"file '{file}'")
    except OSError as error:
        raise CommandError(f"The file '{file}': expected one that can be read: {error.strerror}.") from error


def _decoded(text: bytes, named: str) -> str:
    try:
        return text.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise CommandError(f"The {named}: expected SQL in UTF-8. Save it as such.") from error
