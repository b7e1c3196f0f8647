"""What a query can fail with: Athena's error classes, and the refusal of what is not proven equal to Athena."""

from __future__ import annotations

from typing import Any

from sqlglot import exp

# what the parser notes of a node and does not change its meaning here
HARMLESS = {"typed", "safe", "value_constructor", "bracket_notation", "only_json_types", "nulls_first", "over"}
CLAUSES = {"sample": "TABLESAMPLE", "match": "MATCH_RECOGNIZE"}
HIVE_FAILED = "Execution Error, return code 1 from org.apache.hadoop.hive.ql.exec.DDLTask."
USER, SYSTEM = 2, 1  # Athena's error categories


class QueryError(Exception):
    """A query that ends FAILED; its text begins with Athena's error class, as clients expect."""

    def __init__(self, kind: str, text: str, node: Any = None, *, category: int = USER) -> None:
        self.kind = kind
        self.category = category
        super().__init__(f"{kind}: {place(node)}{text}")


class ForbiddenError(QueryError):
    """Lake Formation does not let the caller do this, in Athena's words, which have no class before them."""

    def __init__(self, told: str) -> None:
        self.kind, self.category = "PERMISSION_DENIED", USER
        Exception.__init__(self, f"Insufficient permissions to execute the query. {told}")


class ByteLimitError(Exception):
    """A query has read more than its workgroup lets it."""

    def __init__(self, scanned: int) -> None:
        self.scanned = scanned
        super().__init__("Bytes scanned limit was exceeded")


class CancelledError(Exception):
    """Somebody has cancelled the statement, which has left nothing behind."""


class RefusedError(QueryError):
    """A statement, function, operator or type that the laptop does not run, since nothing proves its answer."""

    def __init__(self, what: str, advice: str = "", node: Any = None) -> None:
        advice = advice or "nothing proves its answers equal to Athena's. Say it otherwise, or run this query on AWS."
        super().__init__("NOT_SUPPORTED", f"{what} is not on the laptop's list: {advice}", node)


def place(node: Any) -> str:
    """`line 1:8: ` where the node begins, or nothing for a node that has no position."""
    found = position(node)
    return f"line {found[0]}:{found[1]}: " if found else ""


def position(node: Any) -> tuple[int, int] | None:
    if node is None:
        return None
    known = [part.meta for part in node.walk() if "start" in part.meta]
    if not known:
        return None
    first = min(known, key=lambda meta: int(meta["start"]))
    # sqlglot counts the column of a token's end
    return int(first["line"]), int(first["col"]) - (int(first["end"]) - int(first["start"]))


def only(node: exp.Expr, *names: str) -> None:
    """Refuse a node that holds more than we look at."""
    extra = [name for name, value in node.args.items() if value and name not in (*names, *HARMLESS)]
    if extra and extra[0] in CLAUSES:
        raise RefusedError(CLAUSES[extra[0]], node=node)
    if extra:
        raise RefusedError(f"'{extra[0].strip('_')}' in '{node.sql('trino')[:60]}'", node=node)
