"""CREATE DATABASE and DROP DATABASE."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

from local.engines.athena_drop import Drop
from local.engines.athena_errors import HIVE_FAILED, QueryError
from local.engines.athena_session import Done, Session
from local.engines.athena_views import is_view
from local.engines.athena_words import Words, properties


@dataclass(frozen=True)
class CreateDatabase:
    """CREATE DATABASE, read."""

    verb: ClassVar[str] = "create_database"
    name: str
    if_absent: bool
    told: dict[str, Any]

    def run(self, session: Session) -> Done:
        glue = session.catalog.glue
        try:
            glue.create_database(DatabaseInput={"Name": self.name, **self.told})
        except glue.exceptions.AlreadyExistsException as error:
            if not self.if_absent:
                text = f"{HIVE_FAILED} AlreadyExistsException(message:Database {self.name} already exists)"
                raise QueryError("FAILED", text) from error
        return Done()


def read_database(words: Words) -> CreateDatabase:
    if_absent, name = words.accept("IF", "NOT", "EXISTS"), words.name()
    told: dict[str, Any] = {}
    while not words.ended:
        if words.accept("COMMENT"):
            told["Description"] = words.string()
        elif words.accept("LOCATION"):
            told["LocationUri"] = words.string()
        elif words.accept("WITH", "DBPROPERTIES"):
            told["Parameters"] = properties(words)
        else:
            raise words.unexpected("'COMMENT', 'LOCATION', 'WITH DBPROPERTIES'")
    return CreateDatabase(name, if_absent, told)


@dataclass(frozen=True)
class DropDatabase:
    """DROP DATABASE, read."""

    verb: ClassVar[str] = "drop_database"
    name: str
    if_there: bool
    cascade: bool

    def run(self, session: Session) -> Done:
        if not session.catalog.has_database(self.name):
            if self.if_there:
                return Done()
            raise QueryError("FAILED", f"SemanticException [Error 10072]: Database does not exist: {self.name}")
        tables = session.catalog.tables(self.name)
        if tables and not self.cascade:
            text = f"InvalidOperationException(message:Database {self.name} is not empty. One or more tables exist.)"
            raise QueryError("FAILED", f"{HIVE_FAILED} {text}")
        for table in tables:
            Drop("drop_view" if is_view(table) else "drop_table", (self.name, table["Name"]), True).run(session)
        session.catalog.glue.delete_database(Name=self.name)
        return Done()


def read_drop_database(words: Words) -> DropDatabase:
    if_there, name = words.accept("IF", "EXISTS"), words.name()
    cascade = words.accept("CASCADE")
    if not cascade:
        words.accept("RESTRICT")
    words.end()
    return DropDatabase(name, if_there, cascade)
