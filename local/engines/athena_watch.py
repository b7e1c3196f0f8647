"""A statement under way: it stops when somebody cancels it, and when it has read more than its workgroup lets it."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import duckdb

from local.engines.athena_errors import ByteLimitError, CancelledError
from local.engines.duckdb_instance import BYTES_OF_DATA

LOOK_SECONDS = 0.2


class Watch:
    """One statement's: `with watch.over(connection):` around its work, `watch.go_on()` before each step that stays."""

    def __init__(self, limit: int | None = None) -> None:
        self._limit = limit or None
        self._cancelled = threading.Event()
        self._ended = threading.Event()
        self._read = 0

    def cancel(self) -> None:
        self._cancelled.set()

    def go_on(self, scanned: int = 0) -> None:
        """Raises where the statement must not go on."""
        if self._cancelled.is_set():
            raise CancelledError
        if self._limit is not None and max(scanned, self._read) > self._limit:
            raise ByteLimitError(max(scanned, self._read))

    @contextmanager
    def over(self, connection: Any) -> Iterator[None]:
        """DuckDB stops within moments; whatever it then fails with is told as what it is."""
        logs = connection.cursor() if self._limit is not None else None
        if logs is not None:
            logs.execute("CALL enable_logging('FileSystem')")
        thread = threading.Thread(target=self._look, args=(connection, logs), daemon=True)
        thread.start()
        try:
            yield
        except duckdb.InterruptException:
            self.go_on()
            raise
        finally:
            self._ended.set()
            thread.join()
            if logs is not None:
                logs.execute("CALL disable_logging()")
                logs.execute("CALL truncate_duckdb_logs()")
                logs.close()

    def _look(self, connection: Any, logs: Any) -> None:
        while not self._ended.wait(LOOK_SECONDS):
            if logs is not None:
                self._read = logs.execute(BYTES_OF_DATA).fetchone()[0]
            if self._cancelled.is_set() or (self._limit is not None and self._read > self._limit):
                connection.interrupt()  # again and again: between two statements there is nothing to interrupt
