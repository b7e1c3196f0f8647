"""SQL in contracts, read before Spark reads it: it parses, names known columns, and says the same on every run."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache

import sqlglot
from sqlglot import exp
from sqlglot.errors import SqlglotError
from sqlglot.tokenizer_core import TokenType

from config.positions import suggestion

DIALECT = "spark"
CHANGING = (exp.Rand, exp.Randn, exp.Uuid, exp.CurrentTimestamp, exp.CurrentDate, exp.CurrentTime, exp.CurrentUser)
CHANGING_NAMES = ("now", "monotonically_increasing_id", "input_file_name", "shuffle", "localtimestamp")
WHOLE_TABLE = (exp.AggFunc, exp.Window, exp.Query, exp.Subquery)
NO_CONDITION = (exp.Add, exp.Sub, exp.Mul, exp.Div, exp.Literal)


@dataclass(frozen=True)
class Fault:
    """What is wrong with a piece of SQL: the words at fault, what was expected, what to do."""

    value: str
    expected: str
    remedy: str


@lru_cache(4096)
def parse(text: str) -> exp.Expr | Fault:
    """One statement or condition of Spark SQL, which nobody may change: it is kept."""
    try:
        tokens = sqlglot.tokenize(text, read=DIALECT)
        found = [each for each in sqlglot.parse(text, read=DIALECT) if each is not None]
    except SqlglotError as error:
        told = getattr(error, "errors", None)
        first = str(told[0]["description"]).partition(" for <class")[0] if told else str(error).partition("\n")[0]
        return Fault(text, f"expected Spark SQL ({first.rstrip('.')})", "Mend the SQL.")
    kinds = [token.token_type for token in tokens]
    if kinds.count(TokenType.L_PAREN) != kinds.count(TokenType.R_PAREN):
        return Fault(text, "expected as many closing as opening brackets", "Mend the SQL.")
    if len(found) != 1:
        return Fault(text, "expected one statement", "Write one, without `;`.")
    return found[0]


def changing(found: exp.Expr) -> Fault | None:
    """A function that answers differently each time would make every rerun a change."""
    for each in found.find_all(*CHANGING, exp.Anonymous):
        if not isinstance(each, exp.Anonymous) or each.name.lower() in CHANGING_NAMES:
            expected = "expected functions that say the same on every run"
            return Fault(each.sql(dialect=DIALECT), expected, "Compare with a column instead.")
    return None


def condition(text: str, columns: Iterable[str]) -> Fault | None:
    """What keeps a text from being a condition on one row of these columns."""
    found = parse(text)
    if isinstance(found, Fault):
        return found
    whole = found.find(*WHOLE_TABLE)
    if whole is not None:
        expected = "expected a condition on one row, without aggregates, windows or queries"
        return Fault(whole.sql(dialect=DIALECT), expected, "Make it a rule of `type: sql` over ${table}.")
    if isinstance(found.unnest(), NO_CONDITION):
        return Fault(text, "expected a condition, which is true or false for a row", "Compare it with something.")
    return changing(found) or unknown(found, columns)


def unknown(found: exp.Expr, columns: Iterable[str]) -> Fault | None:
    known = list(columns)
    for column in found.find_all(exp.Column):
        if column.table or column.name not in known:
            name = column.sql(dialect=DIALECT)
            return Fault(name, "expected a column of this dataset", suggestion(column.name, known))
    return None


def measure(query: str) -> Fault | None:
    """What keeps a text from being a SELECT of one value."""
    found = parse(query)
    if isinstance(found, Fault):
        return found
    if not isinstance(found, exp.Query) or len(found.named_selects) != 1:
        return Fault(query, "expected a SELECT of one value", "Write it as in SELECT count(*) FROM ${table} WHERE ….")
    return None
