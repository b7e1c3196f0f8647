"""MariaDB for the sources that are MySQL: one server from a Maven jar, on 127.0.0.1, gone with its starter."""

from __future__ import annotations

import contextlib
import os
import pwd
import secrets
import shutil
import subprocess
import sys
import tempfile
import time
import zipfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pymysql
from pymysql.connections import Connection as _Connection
from pymysql.cursors import Cursor

from local.engines import guard, jars, versions
from local.engines.listening import free_port, refuse_taken
from local.engines.sources import Columns, ServerError

ADMIN = "root"
START_SECONDS = 60.0
NEEDED = ("/bin/mariadbd", "/share/english/errmsg.sys", "/share/charsets/", ".sql")
SYSTEM_TABLES = ("mariadb_system_tables.sql", "mariadb_system_tables_data.sql")
# The data is made anew at each `up`, so nothing needs to survive a crash of the machine, and files start small.
STORAGE = {
    "innodb-autoextend-increment": "4",
    "innodb-buffer-pool-size": "128M",
    "innodb-data-file-path": "ibdata1:4M:autoextend",
    "innodb-doublewrite": "0",
    "innodb-fast-shutdown": "2",
    "innodb-flush-log-at-trx-commit": "0",
    "innodb-log-file-size": "48M",
    "innodb-temp-data-file-path": "ibtmp1:1M:autoextend",
    "innodb-undo-tablespaces": "0",
    "skip-innodb-buffer-pool-dump-at-shutdown": "",
    "skip-innodb-buffer-pool-load-at-startup": "",
    "skip-log-bin": "",
    "sync-frm": "0",
}
SERVING = {
    "bind-address": "127.0.0.1",
    "character-set-server": "utf8mb4",
    "default-time-zone": "+00:00",
    "local-infile": "ON",
    "max-allowed-packet": "64M",
    "open-files-limit": "2048",
    "skip-name-resolve": "",
    "skip-ssl": "",  # else it makes itself a key of 4096 bits at each start, which takes 13 s
}


if TYPE_CHECKING:
    Plain = _Connection[Cursor]
else:
    Plain = _Connection


class MariaDBError(ServerError):
    """MariaDB did not start, or was asked for something that it cannot give."""


class Connection(Plain):
    """A connection as PyMySQL makes it, with psycopg's short way to run a statement."""

    def execute(self, statement: str, parameters: Sequence[Any] = ()) -> Cursor:
        cursor = self.cursor()
        cursor.execute(statement, parameters or None)
        return cursor


@dataclass
class Server:
    """A server's administrator, in any process that knows the password: `connect(database)` is a connection."""

    port: int
    password: str = field(repr=False)

    @contextlib.contextmanager
    def connect(self, database: str = "") -> Iterator[Connection]:
        """An administrator's connection; commits at the end of the block. Names stand in double quotes, as in SQL."""
        connection = Connection(
            host="127.0.0.1",
            port=self.port,
            user=ADMIN,
            password=self.password,
            database=database or None,
            charset="utf8mb4",
            local_infile=True,
            sql_mode="ANSI_QUOTES,STRICT_TRANS_TABLES",
            connect_timeout=10,
        )
        with connection:
            yield connection
            connection.commit()

    def create_database(self, name: str) -> None:
        """Make a database that only its readers may use; one that is there is left as it is."""
        with self.connect() as connection:
            connection.execute(f"CREATE DATABASE IF NOT EXISTS {quoted(name)}")

    def let_read(self, database: str, username: str, password: str) -> None:
        """Let a user with this password read every table of one database, those made later too, and change none."""
        with self.connect() as connection:
            elsewhere = "SELECT Db FROM mysql.db WHERE User = %s AND Db <> %s"
            if other := connection.execute(elsewhere, (username, database)).fetchone():
                raise MariaDBError(
                    f"The user '{username}' of database '{database}': it reads '{other[0]}' already. "
                    "Give each source's secret a user name of its own."
                )
            user = (username, "127.0.0.1")
            connection.execute("CREATE USER IF NOT EXISTS %s@%s", user)
            connection.execute("ALTER USER %s@%s IDENTIFIED BY %s", (*user, password))
            connection.execute(f"GRANT SELECT ON {quoted(database)}.* TO %s@%s", user)

    def fill(self, database: str, table: str, types: str, columns: Columns) -> None:
        """Make the table anew, with these column types, and load its rows from a file."""
        with self.connect(database) as connection, tempfile.NamedTemporaryFile("w", encoding="utf-8") as file:
            connection.execute(f"DROP TABLE IF EXISTS {quoted(table)}")
            connection.execute(f"CREATE TABLE {quoted(table)} ({types})")
            file.writelines("\t".join(map(_field, row)) + "\n" for row in zip(*columns.values(), strict=True))
            file.flush()
            load = f"LOAD DATA LOCAL INFILE %s INTO TABLE {quoted(table)} CHARACTER SET utf8mb4"
            connection.execute(load, (file.name,))


@dataclass
class MariaDB(Server):
    """A server that this process started: `stop()` ends it."""

    folder: Path
    _process: subprocess.Popen[bytes] = field(repr=False)

    def stop(self) -> None:
        """End the server and remove its data. Safe to call twice."""
        if self._process.stdin:
            self._process.stdin.close()
        self._process.wait(3 * guard.PATIENCE)
        shutil.rmtree(self.folder, ignore_errors=True)


def quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


def start(state_folder: Path, port: int = 0) -> MariaDB:
    """Start a server on 127.0.0.1; with port 0, on a free one. Its data lives no longer than it."""
    refuse_taken(port, "MariaDB")
    programs = _programs()
    state_folder.mkdir(parents=True, exist_ok=True)
    account = "nobody" if os.geteuid() == 0 else None  # to which the server changes by itself, before it does anything
    folder = Path(tempfile.mkdtemp(prefix="mariadb-", dir=None if account else state_folder))
    password, log = secrets.token_urlsafe(24), state_folder / "mariadb.log"
    common = _options(programs, folder, account)
    try:
        _initialize(programs, common, folder, password, account)
    except MariaDBError:
        shutil.rmtree(folder, ignore_errors=True)
        raise
    chosen = port or free_port()
    server = MariaDB(chosen, password, folder, _launch(programs, common, chosen, folder, log))
    try:
        _wait(server, log)
    except MariaDBError:
        server.stop()
        raise
    return server


def _programs() -> Path:
    """The folder with mariadbd and share/, unpacked once into the cache."""
    version = versions.MARIADB.rpartition(":")[2]
    folder = jars.cache() / f"mariadb-{version}"
    if folder.exists():
        return folder
    with jars.only_one("mariadb"):
        if folder.exists():
            return folder
        unfinished = folder.with_name(f"{folder.name}.{os.getpid()}")
        with zipfile.ZipFile(jars.jar_of(versions.MARIADB)) as jar:
            for entry in jar.namelist():
                inside = entry.partition(f"mariadb-{version}/")[2].partition("/")[2]
                if inside and not entry.endswith("/") and any(part in f"/{inside}" for part in NEEDED):
                    path = unfinished / inside
                    path.parent.mkdir(parents=True, exist_ok=True)
                    with jar.open(entry) as source, path.open("wb") as target:
                        shutil.copyfileobj(source, target, 1 << 20)
        (unfinished / "bin" / "mariadbd").chmod(0o755)
        unfinished.rename(folder)  # whole or not at all
    return folder


def _options(programs: Path, folder: Path, account: str | None) -> list[str]:
    """What initialization and serving share; as root the server is told whom to be."""
    data = folder / "data"
    data.mkdir()
    if account:
        for path in (folder, data):
            os.chown(path, pwd.getpwnam(account).pw_uid, -1)
    share = programs / "share"
    places = {"datadir": data, "tmpdir": folder, "lc-messages-dir": share, "character-sets-dir": share / "charsets"}
    options = {
        **{name: str(path) for name, path in places.items()},
        **STORAGE,
        **({"user": account} if account else {}),
    }
    return ["--no-defaults", *_written(options)]


def _written(options: dict[str, str]) -> list[str]:
    return [f"--{name}={value}" if value else f"--{name}" for name, value in options.items()]


def _initialize(programs: Path, common: list[str], folder: Path, password: str, account: str | None) -> None:
    """The system tables, with one user: the administrator, who has a password."""
    statements = ["CREATE DATABASE mysql;", "USE mysql;", "SET @auth_root_socket=NULL;"]
    statements += [(programs / "share" / name).read_text() for name in SYSTEM_TABLES]
    command = [str(programs / "bin" / "mariadbd"), *common, "--bootstrap", "--skip-networking", "--skip-ssl"]
    try:
        done = subprocess.run(command, input="\n".join(statements), capture_output=True, text=True, check=False)
    except OSError as error:
        raise MariaDBError(
            f"The program '{command[0]}': expected MariaDB for this machine, and it cannot run ({error.strerror})."
            " There are builds for Linux on x86-64 and macOS on ARM: use one of these."
        ) from error
    if done.returncode != 0:
        said = (done.stderr.strip().splitlines() or ["it said nothing"])[-1]
        raise MariaDBError(f"The folder '{folder}': MariaDB could not make a database in it: {said}")
    first = folder / "first.sql"
    first.touch(0o600)
    administrator = f"'{ADMIN}'@'127.0.0.1'"
    first.write_text(
        "DELETE FROM mysql.global_priv;\nDELETE FROM mysql.proxies_priv;\nFLUSH PRIVILEGES;\n"
        f"CREATE USER {administrator} IDENTIFIED BY '{password}';\n"
        f"GRANT ALL PRIVILEGES ON *.* TO {administrator} WITH GRANT OPTION;\n"
    )
    if account:
        os.chown(first, pwd.getpwnam(account).pw_uid, -1)


def _launch(programs: Path, common: list[str], port: int, folder: Path, log: Path) -> subprocess.Popen[bytes]:
    ours = {"port": str(port), "socket": str(folder / "socket"), "init-file": str(folder / "first.sql"), **SERVING}
    command = [str(programs / "bin" / "mariadbd"), *common, *_written(ours)]
    guarded = [sys.executable, "-I", "-S", guard.__file__, str(folder), "-", "SIGTERM", *command]
    environment = {"PATH": os.defpath, "LC_ALL": "C", "TZ": "UTC"}
    with log.open("ab") as output:
        return subprocess.Popen(guarded, env=environment, stdin=subprocess.PIPE, stdout=output, stderr=output)


def _wait(server: MariaDB, log: Path) -> None:
    end = time.monotonic() + START_SECONDS
    while time.monotonic() < end and server._process.poll() is None:
        try:
            with server.connect():
                (server.folder / "first.sql").unlink(missing_ok=True)
                return
        except pymysql.err.OperationalError:
            time.sleep(0.05)
    lines = log.read_text(errors="replace").strip().splitlines() or ["nothing was logged"]
    raise MariaDBError(f"The port '{server.port}': MariaDB did not start on it: {lines[-1]}. See {log}.")


def _field(value: str | None) -> str:
    r"""A value as LOAD DATA reads it by default."""
    if value is None:
        return r"\N"
    return value.replace("\\", "\\\\").replace("\t", "\\t").replace("\n", "\\n")
