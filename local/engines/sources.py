"""What the embedded servers of sources have in common: an administrator's way to make, fill and open databases."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager
from typing import Any, Protocol

Columns = Mapping[str, Sequence[str | None]]
"""A table's rows by column, each value as text, null where there is none."""


class ServerError(Exception):
    """A server did not start, or was asked for something that it cannot give."""


class Cursor(Protocol):
    """What a statement gave."""

    def fetchone(self) -> Any: ...

    def fetchall(self) -> Any: ...


class Connection(Protocol):
    """A connection to one database; names in statements stand in double quotes, values are given for each %s."""

    def execute(self, statement: Any, parameters: Sequence[Any] = ..., /) -> Cursor: ...


class Server(Protocol):
    """A server's administrator, in any process that knows its password."""

    port: int

    def connect(self, database: str) -> AbstractContextManager[Connection]:
        """A connection that commits at the end of the block."""

    def create_database(self, name: str) -> None:
        """Make a database; one that is there is left as it is."""

    def let_read(self, database: str, username: str, password: str) -> None:
        """Let a user with this password read every table of one database, those made later too, and change none."""

    def fill(self, database: str, table: str, types: str, columns: Columns) -> None:
        """Make the table anew, with these column types in the server's own words, and load its rows."""
