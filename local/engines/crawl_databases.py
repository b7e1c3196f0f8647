"""The small JVM through which crawlers ask databases: one way for every engine, without Spark."""

from __future__ import annotations

import subprocess
import threading
from collections.abc import Callable

from py4j.java_gateway import JavaGateway

from local.engines import gateway, jars
from local.engines.crawl_jdbc import Database, LiveTable, Login

DRIVERS = ("postgresql", "mysql-connector", "mssql-jdbc", "h2")


class Databases:
    """Reads databases: `databases.tables(login, "saas/public/%")`, or `opened(login)`; `close()` ends it."""

    def __init__(self) -> None:
        self._gateway: JavaGateway | None = None
        self._lock = threading.Lock()
        self._process: subprocess.Popen[bytes] | None = None

    def tables(self, login: Login, path: str, stopped: Callable[[], bool] = lambda: False) -> list[LiveTable]:
        """The tables that an include path such as `saas/public/%` means, each with its columns."""
        with self.opened(login) as database:
            found = []
            for each in database.named(path):
                if stopped():
                    break
                found.append(database.described(each))
            return found

    def opened(self, login: Login) -> Database:
        return Database(self._java(), login)

    def close(self) -> None:
        with self._lock:
            if self._gateway is not None and self._process is not None:
                self._gateway.shutdown()  # objects that are still held do not call a JVM that is gone
                self._process.kill()
                self._process.wait()
            self._gateway = self._process = None

    def _java(self) -> JavaGateway:
        with self._lock:
            if self._gateway is None or self._process is None or self._process.poll() is not None:
                self._launch()
            assert self._gateway is not None
            return self._gateway

    def _launch(self) -> None:
        drivers = [jar for jar in jars.fetch() if any(name in jar.name for name in DRIVERS)]
        options = ["-Xmx256m", "-Duser.timezone=UTC"]
        self._process, self._gateway = gateway.small(drivers, options, auto_convert=True)
