"""Trino's own parser in a small JVM: Athena's engine is Trino, so what it says of a text is what Athena says."""

from __future__ import annotations

import subprocess
import threading
from functools import lru_cache
from pathlib import Path
from typing import Any

from py4j.protocol import Py4JError, Py4JJavaError

from local.engines import gateway, jars, java

FOLDER = "trino-parser-435"  # the last that runs on Java 17
JARS = {
    "io/trino/trino-parser/435/trino-parser-435.jar": (
        "bc705edea09b31f103193d44bce56db2a18d376d173655198bde389d9c7289db"
    ),
    "io/trino/trino-grammar/435/trino-grammar-435.jar": (
        "3abe188ab9d2f5920a8437e4ae16d923c1f2b4798200faec183c3688ddd41d1f"
    ),
    "org/antlr/antlr4-runtime/4.13.1/antlr4-runtime-4.13.1.jar": (
        "54665d2838cc66458343468efc539e454fc95b46a8a04b13c6ac43fc9be63505"
    ),
    "com/google/guava/guava/32.1.3-jre/guava-32.1.3-jre.jar": (
        "6d4e2b5a118aab62e6e5e29d185a0224eed82c85c40ac3d33cf04a270c3b3744"
    ),
    "com/google/guava/failureaccess/1.0.1/failureaccess-1.0.1.jar": (
        "a171ee4c734dd2da837e4b16be9df4661afab72a41adaf31eb84dfdaf936ca26"
    ),
}
REFUSAL = "io.trino.sql.parser.ParsingException"
ANSWER_SECONDS = 5
LARGEST_CHECKED = 20_000  # characters; a longer statement that our grammar takes is not held up
REMEMBERED = 512


class TrinoParser:
    """Judges statements: `refusal(sql)` is Trino's error with its place, or None; `close()` ends the JVM."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._process: subprocess.Popen[bytes] | None = None
        self._gateway: Any = None
        self._parser: Any = None
        self._missing = False
        self._known = lru_cache(REMEMBERED)(self._ask)

    def warm(self) -> None:
        """Start the JVM and let it read its grammar, which takes a second; without it there is no second opinion."""
        self.refusal("SELECT 1")

    def refusal(self, sql: str) -> str | None:
        """Why Trino refuses a text; None for one that it takes, or where there is no Trino to ask."""
        self._start()
        return self._known(sql)

    def refusal_now(self, sql: str) -> str | None:
        """The same of a statement that our grammar takes, which waits for no start."""
        if self._parser is None or len(sql) > LARGEST_CHECKED:
            return None
        return self._known(sql)

    def close(self) -> None:
        with self._lock:
            held, process = self._gateway, self._process
            self._parser = self._gateway = self._process = None
        if held is not None and process is not None:
            held.shutdown()  # objects that are still held do not call a JVM that is gone
            process.kill()
            process.wait()

    def _ask(self, sql: str) -> str | None:
        parser = self._parser
        if parser is None:
            return None
        try:
            parser.createStatement(sql)
        except Py4JJavaError as error:
            thrown = error.java_exception
            return str(thrown.getMessage()) if thrown.getClass().getName() == REFUSAL else None
        except Py4JError:  # it has ended, or did not answer in time: the next that asks starts another
            self.close()
        return None

    def _start(self) -> None:
        with self._lock:
            if self._missing or (self._process is not None and self._process.poll() is None):
                return
            try:
                self._launch(jars.pinned(FOLDER, JARS))
            except (jars.JarsNotFoundError, java.JavaNotFoundError):
                self._missing = True  # a statement is not to wait for the network again

    def _launch(self, classpath: list[Path]) -> None:
        options = ["-Xmx128m", "-XX:+UseSerialGC", "-XX:+ExitOnOutOfMemoryError"]
        self._process, self._gateway = gateway.small(classpath, options, read_timeout=ANSWER_SECONDS)
        self._parser = self._gateway.jvm.io.trino.sql.parser.SqlParser()
