"""Errors of the JVM as they may be told: their classes and codes, and the words of those that never quote a row."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

SQL_ERROR = "java.sql.SQLException"
# Their messages name hosts, files, tables and requests. What else the JVM says may quote the value that it broke at.
SPEAKS = (
    "com.amazonaws.",
    "java.io.FileNotFoundException",
    "java.net.",
    "java.nio.file.",
    "javax.net.ssl.",
    "org.apache.hadoop.security.AccessControlException",
    "org.apache.iceberg.exceptions.AlreadyExistsException",
    "org.apache.iceberg.exceptions.CommitFailedException",
    "org.apache.iceberg.exceptions.CommitStateUnknownException",
    "org.apache.iceberg.exceptions.NoSuch",
    "org.apache.iceberg.exceptions.NotFoundException",
    "org.apache.spark.sql.AnalysisException",
    "software.amazon.awssdk.",
)


def chain(error: BaseException) -> list[Any]:
    """The Java exceptions behind an error of py4j or of Spark, outermost first."""
    found: list[Any] = []
    each = getattr(error, "java_exception", None) or getattr(error, "_origin", None)
    while each is not None and len(found) < 20:  # a chain may bite its own tail
        found.append(each)
        each = each.getCause()
    return found


def told(each: Any) -> str:
    """One exception in words that hold no value of a row: its message where it speaks, else its class and codes."""
    name = str(each.getClass().getName())
    if name.startswith(SPEAKS):
        return str(each.toString())
    codes = []
    if is_a(each, SQL_ERROR):
        codes = [f"SQL state {each.getSQLState()}", f"code {each.getErrorCode()}"]
    elif is_a(each, "org.apache.spark.SparkThrowable") and each.getErrorClass():
        codes = [str(each.getErrorClass())]
    return f"{name} ({', '.join(codes)})" if codes else name


def is_a(each: Any, name: str) -> bool:
    """Whether a Java object is of a class or one that extends it, or directly implements it."""
    return any(name == str(of.getName()) for of in _classes(each.getClass()))


def _classes(kind: Any) -> Iterator[Any]:
    while kind is not None:
        yield kind
        yield from kind.getInterfaces()
        kind = kind.getSuperclass()
