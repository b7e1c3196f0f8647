"""The sources' PostgreSQL: reached by its own secret only, read and never written, gone with its starter."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from local import tickit
from local.engines import postgres

SCALE = 0.02
ROOT = Path(__file__).parents[2]
STARTER = """
import sys, time
from pathlib import Path
from local.engines import postgres
server = postgres.start(Path(sys.argv[1]))
print(server.port, server.folder, flush=True)
time.sleep(60)
"""


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[postgres.Postgres]:
    started = postgres.start(tmp_path_factory.mktemp("source"))
    tickit.load({"saas": started}, SCALE)
    started.create_database("ecommerce")
    started.fill("ecommerce", "date", "dateid smallint", {"dateid": ["1", "2"]})
    started.let_read("saas", "saas_reader", "first word")
    started.let_read("ecommerce", "ecommerce_reader", "second word")
    yield started
    started.stop()


def count(server: postgres.Postgres, database: str, table: str, user: str, password: str) -> int:
    with psycopg.connect(
        host="127.0.0.1", port=server.port, dbname=database, user=user, password=password
    ) as connection:
        row = connection.execute(f'SELECT count(*) FROM "{table}"').fetchone()
    assert row
    return int(row[0])


def test_a_reader_sees_every_row_of_its_database(server: postgres.Postgres) -> None:
    for name, size in tickit.sizes(SCALE).items():
        database, table = name.split(".")
        if database == "saas":
            assert count(server, database, table, "saas_reader", "first word") == size


def test_a_wrong_password_and_the_other_database_are_refused(server: postgres.Postgres) -> None:
    with pytest.raises(psycopg.OperationalError, match="password authentication failed"):
        count(server, "saas", "users", "saas_reader", "second word")
    with pytest.raises(psycopg.OperationalError, match="does not have CONNECT privilege"):
        count(server, "ecommerce", "date", "saas_reader", "first word")


def test_a_new_password_replaces_the_old(server: postgres.Postgres) -> None:
    server.let_read("ecommerce", "ecommerce_reader", "third word")
    assert count(server, "ecommerce", "date", "ecommerce_reader", "third word") == 2
    server.let_read("ecommerce", "ecommerce_reader", "second word")
    with pytest.raises(psycopg.OperationalError, match="password authentication failed"):
        count(server, "ecommerce", "date", "ecommerce_reader", "third word")


def test_one_user_for_two_databases_is_refused(server: postgres.Postgres) -> None:
    with pytest.raises(postgres.PostgresError, match="'saas_reader' of database 'ecommerce'"):
        server.let_read("ecommerce", "saas_reader", "other word")


def test_a_reader_cannot_write(server: postgres.Postgres) -> None:
    with (
        psycopg.connect(
            host="127.0.0.1", port=server.port, dbname="saas", user="saas_reader", password="first word"
        ) as connection,
        pytest.raises(psycopg.errors.InsufficientPrivilege),
    ):
        connection.execute("DELETE FROM users")


def test_a_vanished_table_comes_back_as_it_was(server: postgres.Postgres) -> None:
    tickit.vanish(server, "saas.event")
    with pytest.raises(psycopg.errors.UndefinedTable):
        count(server, "saas", "event", "saas_reader", "first word")
    tickit.restore(server, "saas.event")
    assert count(server, "saas", "event", "saas_reader", "first word") == tickit.sizes(SCALE)["saas.event"]


def test_a_port_in_use_is_named(server: postgres.Postgres, tmp_path: Path) -> None:
    with pytest.raises(postgres.PostgresError, match=f"The port '{server.port}'"):
        postgres.start(tmp_path, server.port)


def test_nothing_is_left_when_the_starter_is_killed(tmp_path: Path) -> None:
    starter = subprocess.Popen(
        [sys.executable, "-c", STARTER, str(tmp_path)], cwd=ROOT, stdout=subprocess.PIPE, text=True
    )
    assert starter.stdout
    port, folder = starter.stdout.readline().split()
    os.kill(starter.pid, signal.SIGKILL)
    starter.wait()
    end = time.monotonic() + 10
    while time.monotonic() < end and (Path(folder).exists() or _listens(int(port))):
        time.sleep(0.1)
    assert not Path(folder).exists()
    assert not _listens(int(port))


def _listens(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0
