"""The sources' servers: each reached by its own secret only, read and never written, gone with its starter."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import psycopg
import pymysql
import pytest
from py4j import java_gateway, protocol

from config.source import Engine, Source
from local import crm, tickit
from local.engines import h2, mariadb, postgres
from local.engines.sources import Columns, Server, ServerError

SCALE = 0.02
ROOT = Path(__file__).parents[2]
MODULES: dict[Engine, Any] = {"postgresql": postgres, "mysql": mariadb, "h2": h2}
SOURCE: dict[Engine, str] = {"postgresql": "saas", "mysql": "ecommerce", "h2": "crm"}
TABLE: dict[Engine, str] = {"postgresql": "users", "mysql": "sales", "h2": "Customers"}
ENGINES = list(MODULES)
RIGHT, OTHER = "first word", "second word"
STARTER = """
import sys, time
from importlib import import_module
from pathlib import Path
server = import_module("local.engines." + sys.argv[1]).start(Path(sys.argv[2]))
print(server.port, server.folder, flush=True)
time.sleep(60)
"""


@pytest.fixture(autouse=True)
def errors_as_java_has_them(monkeypatch: pytest.MonkeyPatch) -> None:
    """A Spark session of this process, which other tests start, would translate what H2's own JVM raises."""
    monkeypatch.setattr(java_gateway, "get_return_value", protocol.get_return_value)


@pytest.fixture(scope="module")
def servers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[Engine, Server]]:
    """One of each engine with its source's data, and a second database beside it with a reader of its own."""
    with ThreadPoolExecutor() as pool:
        begun = {each: pool.submit(MODULES[each].start, tmp_path_factory.mktemp(each)) for each in ENGINES}
    started = {each: future.result() for each, future in begun.items()}
    tickit.load({SOURCE[each]: started[each] for each in ("postgresql", "mysql")}, SCALE)
    crm.load(started["h2"], SCALE)
    for each, server in started.items():
        server.create_database("other")
        server.fill("other", "things", "id int", {"id": ["1", "2"]})
        server.let_read(SOURCE[each], "reader", RIGHT)
        server.let_read("other", "stranger", OTHER)
    yield started
    for server in started.values():
        server.stop()


def ask(engine: Engine, server: Server, database: str, user: str, password: str, statement: str) -> Any:
    """The first value that a user of the database is given, as jobs come: by its own protocol and password."""
    if engine == "postgresql":
        with psycopg.connect(
            host="127.0.0.1", port=server.port, dbname=database, user=user, password=password
        ) as connection:
            return (connection.execute(statement).fetchone() or (None,))[0]
    if engine == "mysql":
        opened = mariadb.Connection(
            host="127.0.0.1",
            port=server.port,
            database=database,
            user=user,
            password=password,
            sql_mode="ANSI_QUOTES",
        )
        with opened as found:
            return (found.execute(statement).fetchone() or (None,))[0]
    assert isinstance(server, h2.Server)
    url = Source("h2", "127.0.0.1", server.port, database).jdbc_url
    with server.open(url, user, password) as reached:
        return (reached.execute(statement).fetchone() or (None,))[0]


def refused(engine: Engine) -> type[Exception]:
    return {"postgresql": psycopg.Error, "mysql": pymysql.err.MySQLError, "h2": ServerError}[engine]


@pytest.mark.parametrize("engine", ENGINES)
def test_a_reader_sees_every_row_of_its_source(servers: dict[Engine, Server], engine: Engine) -> None:
    source = SOURCE[engine]
    sizes = {**tickit.sizes(SCALE), **crm.sizes(SCALE)}
    tables = {name.split(".")[1]: size for name, size in sizes.items() if name.startswith(f"{source}.")}
    for table, size in tables.items():
        name = table.capitalize() if source == "crm" else table
        assert ask(engine, servers[engine], source, "reader", RIGHT, f'SELECT count(*) FROM "{name}"') == size


@pytest.mark.parametrize("engine", ENGINES)
def test_a_wrong_password_and_another_database_are_refused(servers: dict[Engine, Server], engine: Engine) -> None:
    with pytest.raises(refused(engine)):
        ask(engine, servers[engine], SOURCE[engine], "reader", OTHER, "SELECT 1")
    with pytest.raises(refused(engine)):
        ask(engine, servers[engine], "other", "reader", RIGHT, 'SELECT count(*) FROM "things"')


@pytest.mark.parametrize("engine", ENGINES)
def test_a_new_password_replaces_the_old(servers: dict[Engine, Server], engine: Engine) -> None:
    server, count = servers[engine], 'SELECT count(*) FROM "things"'
    server.let_read("other", "stranger", "third word")
    assert ask(engine, server, "other", "stranger", "third word", count) == 2
    server.let_read("other", "stranger", OTHER)
    with pytest.raises(refused(engine)):
        ask(engine, server, "other", "stranger", "third word", count)


@pytest.mark.parametrize("engine", ["postgresql", "mysql"])  # a user of H2 is one database's
def test_one_user_for_two_databases_is_refused(servers: dict[Engine, Server], engine: Engine) -> None:
    with pytest.raises(ServerError, match=f"'reader' of database 'other': it reads '{SOURCE[engine]}' already"):
        servers[engine].let_read("other", "reader", "other word")


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("statement", ['DELETE FROM "{}"', 'DROP TABLE "{}"', 'ALTER TABLE "{}" RENAME TO "mine"'])
def test_a_reader_cannot_write(servers: dict[Engine, Server], engine: Engine, statement: str) -> None:
    with pytest.raises(refused(engine)):
        ask(engine, servers[engine], SOURCE[engine], "reader", RIGHT, statement.format(TABLE[engine]))


@pytest.mark.parametrize("engine", ENGINES)
def test_a_vanished_table_comes_back_as_it_was(servers: dict[Engine, Server], engine: Engine) -> None:
    server, source, table = servers[engine], SOURCE[engine], TABLE[engine]
    size = {**tickit.sizes(SCALE), **crm.sizes(SCALE)}[f"{source}.{table.lower()}"]
    tickit.vanish(server, f"{source}.{table}")
    with pytest.raises(refused(engine)):
        ask(engine, server, source, "reader", RIGHT, f'SELECT count(*) FROM "{table}"')
    tickit.restore(server, f"{source}.{table}")
    assert ask(engine, server, source, "reader", RIGHT, f'SELECT count(*) FROM "{table}"') == size


@pytest.mark.parametrize("engine", ENGINES)
def test_text_arrives_as_it_was_given(servers: dict[Engine, Server], engine: Engine) -> None:
    given = [None, "", " ", "NULL", r"\N", "a\tb\nc\r\nd", 'say "no"', "it's", r"back\slash", "😀 漢字", ","]
    kind = {"postgresql": "text", "mysql": "text", "h2": "nvarchar(max)"}[engine]
    rows: Columns = {"id": [str(number) for number in range(len(given))], "text": given}
    servers[engine].fill("other", "texts", f'id int, "text" {kind}', rows)
    with servers[engine].connect("other") as connection:
        found = connection.execute('SELECT id, "text" FROM texts ORDER BY id').fetchall()
    assert [text for _, text in found] == given


@pytest.mark.parametrize(
    "statement",
    [
        'SELECT count(*) FROM dbo."Customers"',
        "SELECT TRY_CAST('1' AS int)",
        "SELECT name FROM sys.tables",
        "SELECT CAST('2024-01-01 00:00:00 +02:00' AS datetimeoffset)",
    ],
)
def test_what_h2_lacks_of_sql_server_it_refuses(servers: dict[Engine, Server], statement: str) -> None:
    with pytest.raises(ServerError):
        ask("h2", servers["h2"], "crm", "reader", RIGHT, statement)


@pytest.mark.parametrize("engine", ENGINES)
def test_a_port_in_use_is_named(servers: dict[Engine, Server], engine: Engine, tmp_path: Path) -> None:
    port = servers[engine].port
    with pytest.raises(ServerError, match=f"The port '{port}': expected a free one"):
        MODULES[engine].start(tmp_path, port)


def test_nothing_is_left_when_the_starter_is_killed(tmp_path: Path) -> None:
    command = [sys.executable, "-c", STARTER]
    names = [module.__name__.rpartition(".")[2] for module in MODULES.values()]
    starters = [
        subprocess.Popen([*command, name, str(tmp_path / name)], cwd=ROOT, stdout=subprocess.PIPE, text=True)
        for name in names
    ]
    told = [(starter.stdout.readline() if starter.stdout else "").split() for starter in starters]
    for starter in starters:
        os.kill(starter.pid, signal.SIGKILL)
        starter.wait()
    for port, folder in told:
        assert _within(20, lambda folder=folder: not Path(folder).exists()), folder  # type: ignore[misc]
        assert not _listens(int(port))


def test_nothing_is_left_of_a_server_that_started_too_late(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(h2, "START_SECONDS", 0.0)
    with pytest.raises(ServerError, match="H2 did not start in it"):
        h2.start(tmp_path)
    assert list(tmp_path.glob("h2-*")) == []


def test_a_server_for_another_processor_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("bin/mariadbd", *(f"share/{each}" for each in mariadb.SYSTEM_TABLES)):
        path = tmp_path / "other" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("not for this machine")
        path.chmod(0o755)
    monkeypatch.setattr(mariadb, "_programs", lambda: tmp_path / "other")
    with pytest.raises(ServerError, match="expected MariaDB for this machine"):
        mariadb.start(tmp_path / "state")


def _within(seconds: float, holds: Callable[[], bool]) -> bool:
    end = time.monotonic() + seconds
    while not holds() and time.monotonic() < end:
        time.sleep(0.1)
    return holds()


def _listens(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0
