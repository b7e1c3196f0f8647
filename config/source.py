"""A source: the database behind one business system, and how a JDBC driver reaches it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Engine = Literal["postgresql", "mysql", "sqlserver", "h2"]
# H2 has no such database: what a connection says here makes it behave as SQL Server does, as far as it can.
AS_SQL_SERVER = "MODE=MSSQLServer;DATABASE_TO_UPPER=FALSE;CASE_INSENSITIVE_IDENTIFIERS=TRUE"
URLS: dict[Engine, str] = {
    "postgresql": "jdbc:postgresql://{host}:{port}/{database}",
    "mysql": "jdbc:mysql://{host}:{port}/{database}",
    "sqlserver": "jdbc:sqlserver://{host}:{port};databaseName={database};encrypt=true",
    "h2": "jdbc:h2:tcp://{host}:{port}/{database};" + AS_SQL_SERVER,
}
INCLUDE_PATHS: dict[Engine, str] = {
    "postgresql": "{database}/public/%",
    "mysql": "{database}/%",
    "sqlserver": "{database}/dbo/%",
    "h2": "{database}/public/%",
}


@dataclass(frozen=True)
class Source:
    """The database behind one business system, in this environment."""

    engine: Engine
    host: str
    port: int
    database: str

    @property
    def include_path(self) -> str:
        """Which tables a crawler looks at: those of the schema that a name without one means."""
        return INCLUDE_PATHS[self.engine].format(database=self.database)

    @property
    def jdbc_url(self) -> str:
        """Its address; user and password are the secret's."""
        return URLS[self.engine].format(host=self.host, port=self.port, database=self.database)
