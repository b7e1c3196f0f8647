"""H2 in SQL Server mode for the sources that are SQL Server: one server on 127.0.0.1, gone with its starter.

Its JVM is spoken to by py4j: it makes the databases and is the administrator's way in, from any process that knows the
secret. Everyone else comes as a user of one database over H2's own protocol, by which none can be made.
"""

from __future__ import annotations

import contextlib
import os
import secrets
import shutil
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path
from typing import Any

from py4j.java_gateway import GatewayParameters, JavaGateway
from py4j.protocol import Py4JError, Py4JJavaError

from config.source import AS_SQL_SERVER
from local.engines import gateway, guard, jars, java, versions
from local.engines.listening import free_port, refuse_taken
from local.engines.sources import Columns, ServerError

ADMIN = "ADMIN"
START_SECONDS = 60.0
ELSEWHERE = "SELECT count(*) FROM INFORMATION_SCHEMA.USERS WHERE USER_NAME = %s"
SMALL = ("-Xmx256m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", "-Duser.timezone=UTC")


class H2Error(ServerError):
    """H2 did not start, or was asked for something that it cannot give."""


class Cursor:
    """What a statement gave, all of it."""

    def __init__(self, rows: list[tuple[Any, ...]], changed: int) -> None:
        self._rows, self.rowcount = iter(rows), changed

    def fetchone(self) -> tuple[Any, ...] | None:
        return next(self._rows, None)

    def fetchall(self) -> list[tuple[Any, ...]]:
        return list(self._rows)


class Connection:
    """A JDBC connection with psycopg's short way to run a statement; each %s stands for a value."""

    def __init__(self, jdbc: Any) -> None:
        self._jdbc = jdbc

    def execute(self, statement: str, parameters: Sequence[Any] = ()) -> Cursor:
        try:
            prepared = self._jdbc.prepareStatement(statement.replace("%s", "?"))
            for place, value in enumerate(parameters, 1):
                prepared.setObject(place, value)
            rows = list(_rows(prepared.getResultSet())) if prepared.execute() else []
            changed = int(prepared.getUpdateCount())
            prepared.close()
        except Py4JJavaError as error:
            raise H2Error(str(error.java_exception.getMessage())) from error
        return Cursor(rows, changed)


@dataclass
class Server:
    """A server's administrator, in any process that knows the secrets: `connect(database)` is a connection."""

    port: int
    folder: Path | str
    gateway_port: int
    gateway_secret: str = field(repr=False)
    password: str = field(repr=False)

    @contextlib.contextmanager
    def connect(self, database: str) -> Iterator[Connection]:
        """An administrator's connection; commits at the end of the block."""
        with self.open(self._url(database), ADMIN, self.password) as connection:
            yield connection

    @contextlib.contextmanager
    def open(self, url: str, username: str, password: str) -> Iterator[Connection]:
        """A connection by a JDBC address, made in the server's own JVM."""
        client = self._client()
        try:
            try:
                jdbc = client.jvm.java.sql.DriverManager.getConnection(url, username, password)
            except Py4JJavaError as error:
                raise H2Error(str(error.java_exception.getMessage())) from error
            try:
                jdbc.setAutoCommit(False)
                yield Connection(jdbc)
                jdbc.commit()
            finally:
                jdbc.close()
        finally:
            client.close()

    def create_database(self, name: str) -> None:
        """Make a database that only its readers may open; one that is there is left as it is."""
        with self.connect(name) as connection:
            connection.execute("SELECT 1")

    def let_read(self, database: str, username: str, password: str) -> None:
        """Let a user with this password read every table of one database, those made later too, and change none."""
        user = quoted(username.upper())  # as H2 takes the name that a connection gives
        with self.connect(database) as connection:
            known = connection.execute(ELSEWHERE, (username.upper(),)).fetchone() != (0,)
            verb = "ALTER USER {} SET PASSWORD {}" if known else "CREATE USER {} PASSWORD {}"
            connection.execute(verb.format(user, "'" + password.replace("'", "''") + "'"))
            connection.execute(f"GRANT SELECT ON SCHEMA PUBLIC TO {user}")

    def fill(self, database: str, table: str, types: str, columns: Columns) -> None:
        """Make the table anew, with these column types, and load its rows from a file."""
        with self.connect(database) as connection, tempfile.NamedTemporaryFile("w", encoding="utf-8") as file:
            connection.execute(f"DROP TABLE IF EXISTS {quoted(table)}")
            connection.execute(f"CREATE TABLE {quoted(table)} ({types})")
            for row in (list(columns), *zip(*columns.values(), strict=True)):
                file.write(",".join(map(_field, row)) + "\n")
            file.flush()
            read = f"CSVREAD('{file.name}', NULL, 'charset=UTF-8 caseSensitiveColumnNames=true')"
            connection.execute(f"INSERT INTO {quoted(table)} SELECT * FROM {read}")

    def _client(self) -> JavaGateway:
        """A way in; it leaves objects to the JVM's end, since telling of each that is gone fails once that has come."""
        address = {"port": self.gateway_port, "auth_token": self.gateway_secret}
        parameters = GatewayParameters(**address, auto_convert=True, enable_memory_management=False)
        return JavaGateway(gateway_parameters=parameters)

    def _url(self, database: str) -> str:
        return f"jdbc:h2:{self.folder}/{database};{AS_SQL_SERVER};DB_CLOSE_DELAY=-1"


@dataclass
class H2(Server):
    """A server that this process started: `stop()` ends it."""

    _process: subprocess.Popen[bytes] = field(repr=False)

    def stop(self) -> None:
        """End the server and remove its data. Safe to call twice."""
        _end(self._process, Path(self.folder))


def quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


def start(state_folder: Path, port: int = 0) -> H2:
    """Start a server on 127.0.0.1; with port 0, on a free one. Its data lives no longer than it."""
    refuse_taken(port, "H2")
    state_folder.mkdir(parents=True, exist_ok=True)
    folder, log = Path(tempfile.mkdtemp(prefix="h2-", dir=state_folder)), state_folder / "h2.log"
    process = _launch(folder, log)
    told: list[bytes] = []
    reading = threading.Thread(target=lambda: told.extend(_lines(process)), daemon=True)
    reading.start()
    reading.join(START_SECONDS)
    if len(told) < 2:
        _end(process, folder)
        lines = log.read_text(errors="replace").strip().splitlines() or ["nothing was logged"]
        raise H2Error(f"The folder '{folder}': H2 did not start in it: {lines[-1]}. See {log}.")
    chosen = port or free_port()
    server = H2(chosen, folder, int(told[0]), told[1].decode().strip(), secrets.token_urlsafe(24), process)
    try:
        _listen(server)
    except (Py4JError, OSError) as error:
        server.stop()
        raise H2Error(f"The port '{chosen}': H2 did not start on it. See {log}.") from error
    return server


def _end(process: subprocess.Popen[bytes], folder: Path) -> None:
    """By the guard, which ends the JVM too; killing the guard would leave that behind."""
    if process.stdin:
        process.stdin.close()
    process.wait(3 * guard.PATIENCE)
    shutil.rmtree(folder, ignore_errors=True)


def _launch(folder: Path, log: Path) -> subprocess.Popen[bytes]:
    py4j = next((gateway.SPARK_HOME / "jars").glob("py4j-*.jar"))
    classes = os.pathsep.join((str(jars.jar_of(versions.H2)), str(py4j)))
    ours = [*SMALL, "-Dh2.bindAddress=127.0.0.1", f"-Djava.io.tmpdir={folder}", "-cp", classes]
    command = [str(java.find().home / "bin" / "java"), *ours, "py4j.GatewayServer", "--enable-auth", "0"]
    guarded = [sys.executable, "-I", "-S", guard.__file__, str(folder), "-", "SIGKILL", *command]
    with log.open("ab") as output:
        return subprocess.Popen(
            guarded, env=gateway.inherited(), stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=output
        )


def _lines(process: subprocess.Popen[bytes]) -> list[bytes]:
    """The gateway's port and secret, which it says first."""
    return [process.stdout.readline(), process.stdout.readline()] if process.stdout else []


def _listen(server: H2) -> None:
    """Let H2 take connections to databases that are there; it can make none for those who come."""
    client = server._client()
    try:
        options = client.new_array(client.jvm.java.lang.String, 4)
        for place, option in enumerate(("-tcpPort", str(server.port), "-baseDir", str(server.folder))):
            options[place] = option
        client.jvm.org.h2.tools.Server.createTcpServer(options).start()
    finally:
        client.close()


def _rows(result: Any) -> Iterator[tuple[Any, ...]]:
    count = result.getMetaData().getColumnCount()
    while result.next():
        yield tuple(_value(result, place) for place in range(1, count + 1))


def _value(result: Any, place: int) -> Any:
    """A value as Python has it; what py4j does not know, as its text."""
    value = result.getObject(place)
    known = value is None or isinstance(value, bool | int | float | str | Decimal | bytes)
    return value if known else result.getString(place)


def _field(value: str | None) -> str:
    """A value as CSVREAD reads it by default: nothing is null, quotes around nothing are an empty text."""
    return "" if value is None else quoted(value)
