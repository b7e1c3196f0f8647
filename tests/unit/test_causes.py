"""What is said of an error that nobody expected."""

from __future__ import annotations

from typing import Any

import pytest
from py4j.protocol import Py4JError, Py4JNetworkError

from glue_jobs.causes import explain
from lake.parts import Dataset
from lake.published import LoadConflictError

USERS = Dataset("saas.users", "saas", "users", "silver", "1.0.0", "h", (), (), source_object="users")


class Java:
    """A Java object as py4j shows it: its class, what that extends, and what it says."""

    def __init__(
        self, *classes: str, text: str = "", state: str = "", code: int = 0, cause: Java | None = None
    ) -> None:
        self.classes, self.text, self.state, self.code, self.cause = classes, text, state, code, cause

    def getClass(self) -> Java:
        return self

    def getName(self) -> str:
        return self.classes[0]

    def getSuperclass(self) -> Java | None:
        return Java(*self.classes[1:]) if self.classes[1:] else None

    def getInterfaces(self) -> list[Any]:
        return []

    def getSQLState(self) -> str:
        return self.state

    def getErrorCode(self) -> int:
        return self.code

    def getCause(self) -> Java | None:
        return self.cause

    def toString(self) -> str:
        return f"{self.classes[0]}: {self.text}"


class JavaError(Exception):
    """As py4j raises it."""

    def __init__(self, java: Java) -> None:
        super().__init__("An error occurred while calling o1.load")
        self.java_exception = java


def sql(kind: str, state: str, code: int) -> JavaError:
    return JavaError(
        Java("org.apache.spark.SparkException", cause=Java(kind, "java.sql.SQLException", state=state, code=code))
    )


def test_an_unexpected_error_of_ours_is_told_in_one_line_without_its_password() -> None:
    error = OSError("no route to jdbc:postgresql://reader:hunter2@db/saas?password=hunter3\nand more")
    assert explain(error, USERS).cause == "OSError: no route to jdbc:postgresql://reader:***@db/saas?password=***"
    assert explain(LoadConflictError("The load is there."), USERS).cause == "LoadConflictError: The load is there."


def test_an_error_that_may_quote_a_row_is_told_by_its_kind_and_place() -> None:
    with pytest.raises(ValueError, match="ada@example") as caught:
        int("ada@example.org")
    assert explain(caught.value, USERS).cause.startswith("ValueError at test_causes.py:")
    java = JavaError(Java("java.lang.NumberFormatException", text='For input string: "ada@example.org"'))
    assert explain(java, USERS).cause == "java.lang.NumberFormatException"


@pytest.mark.parametrize(
    ("kind", "state", "code", "says"),
    [
        ("com.microsoft.sqlserver.jdbc.SQLServerException", "S0002", 208, 'Table "users" does not exist'),
        ("com.microsoft.sqlserver.jdbc.SQLServerException", "S0005", 229, "does not let its user read table"),
        ("com.microsoft.sqlserver.jdbc.SQLServerException", "S0001", 18456, "refused the user name or password"),
        ("com.microsoft.sqlserver.jdbc.SQLServerException", "S0001", 4060, "has no such database"),
        ("com.microsoft.sqlserver.jdbc.SQLServerException", "08S01", 0, "does not answer"),
        ("com.mysql.cj.jdbc.exceptions.CommunicationsException", "08S01", 0, "does not answer"),
        ("java.sql.SQLSyntaxErrorException", "42000", 1142, "does not let its user read table"),
        ("org.h2.jdbc.JdbcSQLNonTransientConnectionException", "90067", 90067, "does not answer"),
        ("org.postgresql.util.PSQLException", "57P03", 0, "does not answer"),
    ],
)
def test_what_a_database_refused_is_said_by_its_own_codes(kind: str, state: str, code: int, says: str) -> None:
    failure = explain(sql(kind, state, code), USERS)
    assert says in failure.cause
    assert failure.transient == (says == "does not answer")


@pytest.mark.parametrize(
    ("kind", "code"), [("org.postgresql.util.PSQLException", 1142), ("java.sql.SQLException", 229)]
)
def test_a_code_of_one_engine_means_nothing_to_another(kind: str, code: int) -> None:
    assert explain(sql(kind, "XX000", code), USERS).cause == f"{kind} (SQL state XX000, code {code})"


def test_a_full_disk_and_a_broken_file_are_said_in_a_sentence() -> None:
    full = JavaError(
        Java("org.apache.spark.SparkException", cause=Java("java.io.IOException", text="No space left on device"))
    )
    assert explain(full, USERS).cause == "The disk of the job that works on saas.users is full."
    read = "Encountered error while reading file s3://bronze/saas/users/part-1.avro. Details:"
    broken = Java("java.io.IOException", text="Not an Avro data file.")
    failure = explain(JavaError(Java("org.apache.spark.SparkException", text=read, cause=broken)), USERS)
    assert failure.cause == "The Avro file part-1.avro of saas.users in bronze cannot be read."


def test_a_spark_that_is_gone_is_told_as_such() -> None:
    error = Py4JError("An error occurred while calling o42.count")
    assert explain(error, USERS).cause.startswith("Spark ended while saas.users was worked on")
    refused = Py4JError("An error occurred while calling o42.count. Trace:\nMethod count([]) does not exist")
    assert "Spark ended" not in explain(refused, USERS).cause
    assert "Redrive the execution" in explain(Py4JNetworkError("Answer from Java side is empty"), USERS).remedy
