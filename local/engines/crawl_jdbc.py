"""What a database says of its tables through JDBC: one way for every engine."""

from __future__ import annotations

import fnmatch
import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from py4j.java_gateway import JavaGateway
from py4j.protocol import Py4JError, Py4JJavaError, Py4JNetworkError

from local.engines.crawl_types import hive_of_jdbc

KINDS = ("TABLE", "BASE TABLE", "PARTITIONED TABLE", "VIEW")
WITHOUT_SCHEMAS = ("mysql", "mariadb")
LOGIN_SECONDS = 10


class JdbcError(Exception):
    """A database that cannot be reached or read; its text says which and why."""


@dataclass(frozen=True)
class LiveColumn:
    """A column in the database: `type` as the catalog writes it, `native` as the database does; `key` is from 1."""

    name: str
    type: str
    native: str
    nullable: bool
    key: int = 0


@dataclass(frozen=True)
class LiveTable:
    """A table in the database: `path` is database, schema where the engine has them, and table."""

    path: tuple[str, ...]
    columns: tuple[LiveColumn, ...] = ()


@dataclass(frozen=True)
class Login:
    """Where a database is and who asks."""

    url: str
    user: str
    password: str = field(repr=False)

    @classmethod
    def of(cls, properties: Mapping[str, str], secrets: Any) -> Login:
        """As a Glue connection describes it, with its secret where it names one."""
        url = properties["JDBC_CONNECTION_URL"]
        if "SECRET_ID" not in properties:
            return cls(url, properties.get("USERNAME", ""), properties.get("PASSWORD", ""))
        name = properties["SECRET_ID"]
        try:
            secret = json.loads(secrets.get_secret_value(SecretId=name)["SecretString"])
            user, password = secret["username"], secret["password"]
        except (ValueError, KeyError, TypeError):  # whose text may hold what is secret
            user = password = None
        if not (isinstance(user, str) and isinstance(password, str)):
            raise JdbcError(
                f"The secret '{name}': expected a JSON object with username and password, as texts. Write it so."
            )
        return cls(url, user, password)

    @property
    def engine(self) -> str:
        return self.url.split(":")[1]

    @property
    def place(self) -> str:
        return self.url.partition("?")[0].partition(";")[0]  # what follows may hold a password


class Database:
    """An open connection, as a context; `gateway` leads to the JVM that has the drivers."""

    def __init__(self, gateway: JavaGateway, login: Login) -> None:
        self._gateway, self._jvm, self._login = gateway, gateway.jvm, login

    def __enter__(self) -> Database:
        properties = self._jvm.java.util.Properties()
        login = {"user": self._login.user, "password": self._login.password}
        if self._login.engine in WITHOUT_SCHEMAS:
            login["connectTimeout"] = str(LOGIN_SECONDS * 1000)
        for name, value in login.items():
            properties.setProperty(name, value)
        self._jvm.java.sql.DriverManager.setLoginTimeout(LOGIN_SECONDS)
        self._connection = self._asked(self._jvm.java.sql.DriverManager.getConnection, self._login.url, properties)
        return self

    def __exit__(self, *_: object) -> None:
        self._connection.close()

    def named(self, path: str) -> list[LiveTable]:
        """The tables of an include path, still without their columns."""
        found = []
        kinds = self._gateway.new_array(self._jvm.java.lang.String, len(KINDS))
        for number, kind in enumerate(KINDS):
            kinds[number] = kind
        catalog = self._connection.getCatalog()
        for row in self._rows("getTables", catalog, None, "%", kinds):
            each = self._path(row("TABLE_CAT") or catalog, row("TABLE_SCHEM"), row("TABLE_NAME"))
            if _included(each, path):
                found.append(LiveTable(each))
        return sorted(found, key=lambda each: each.path)

    def described(self, table: LiveTable) -> LiveTable:
        """The table with its columns in their order."""
        catalog, schema, name = self._parts(table)
        keys = {row("COLUMN_NAME"): int(row("KEY_SEQ")) for row in self._rows("getPrimaryKeys", catalog, schema, name)}
        columns = [
            (int(row("ORDINAL_POSITION")), self._column(row, keys))
            for row in self._rows("getColumns", catalog, self._escaped(schema), self._escaped(name), "%")
        ]
        return LiveTable(table.path, tuple(each for _, each in sorted(columns, key=lambda pair: pair[0])))

    def sample(self, table: LiveTable, rows: int) -> list[list[str | None]]:
        """Some of the table's rows, as text."""
        quote = self._metadata().getIdentifierQuoteString().strip()
        parts = [part for part in self._parts(table)[1:] if part]
        named = ".".join(f"{quote}{part.replace(quote, quote * 2) if quote else part}{quote}" for part in parts)
        statement = self._asked(self._connection.createStatement)
        statement.setMaxRows(rows)
        results = self._asked(statement.executeQuery, f"SELECT * FROM {named}")
        width = range(1, len(table.columns) + 1)
        found = []
        while self._asked(results.next):
            found.append([self._asked(results.getString, number) for number in width])
        statement.close()
        return found

    def _column(self, row: Callable[[str], Any], keys: dict[str, int]) -> LiveColumn:
        name, native = row("COLUMN_NAME"), str(row("TYPE_NAME"))
        kind = self._jvm.java.sql.JDBCType
        number = int(row("DATA_TYPE"))
        try:
            said = str(kind.valueOf(number).getName())
        except Py4JJavaError:
            said = "TIMESTAMP_WITH_TIMEZONE" if number == -155 else "OTHER"  # SQL Server's own number
        size, digits = int(row("COLUMN_SIZE") or 0), int(row("DECIMAL_DIGITS") or 0)
        return LiveColumn(
            name,
            hive_of_jdbc(said, native, size, digits),
            f"{native}({size},{digits})" if said in ("NUMERIC", "DECIMAL") else native,
            row("IS_NULLABLE") != "NO",
            keys.get(name, 0),
        )

    def _rows(self, asked: str, *arguments: Any) -> Iterator[Callable[[str], Any]]:
        results = self._asked(getattr(self._metadata(), asked), *arguments)
        while self._asked(results.next):
            yield results.getString
        results.close()

    def _metadata(self) -> Any:
        return self._asked(self._connection.getMetaData)

    def _asked(self, call: Callable[..., Any], *arguments: Any) -> Any:
        try:
            return call(*arguments)
        except Py4JJavaError as error:
            why = " ".join(str(error.java_exception.getMessage() or error.java_exception.getClass().getName()).split())
            raise JdbcError(
                f"The database '{self._login.place}' refused user '{self._login.user}', or cannot be reached:"
                f" {why.rstrip('.')}. Look whether it is up, and whether its secret is right."
            ) from error
        except (Py4JNetworkError, Py4JError) as error:
            raise JdbcError(f"The database '{self._login.place}': the JVM that asks it ended. Crawl again.") from error

    def _path(self, catalog: str, schema: str | None, name: str) -> tuple[str, ...]:
        return (catalog, name) if self._login.engine in WITHOUT_SCHEMAS else (catalog, schema or "", name)

    def _parts(self, table: LiveTable) -> tuple[str, str | None, str]:
        return table.path[0], table.path[1] if len(table.path) == 3 else None, table.path[-1]

    def _escaped(self, name: str | None) -> str | None:
        """A name where JDBC takes a pattern."""
        if name is None:
            return None
        escape = self._metadata().getSearchStringEscape()
        return name.replace(escape, escape * 2).replace("_", f"{escape}_").replace("%", f"{escape}%")


def _included(path: tuple[str, ...], include: str) -> bool:
    """Whether an include path means a table; names are compared without their case."""
    patterns = [part.replace("%", "*").lower() for part in include.split("/")]
    if len(patterns) < len(path) and patterns[-1] == "*":
        patterns += ["*"] * (len(path) - len(patterns))
    names = [part.lower() for part in path]
    return len(patterns) == len(names) and all(map(fnmatch.fnmatchcase, names, patterns))
