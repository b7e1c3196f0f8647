"""The endpoint's clock: schedules and waits between retries go by it, so a test can move it on instead of waiting."""

from __future__ import annotations

import threading
import time
from datetime import UTC, datetime, timedelta


class Clock:
    """Real time plus what `advance` added: `clock.advance(minutes=5)` wakes everything that waits."""

    def __init__(self) -> None:
        self._ahead = timedelta()
        self._moved = threading.Condition()
        self._closed = False

    def now(self) -> datetime:
        return datetime.now(UTC) + self._ahead

    def advance(self, **by: float) -> None:
        """Move on by `timedelta(**by)`."""
        with self._moved:
            self._ahead += timedelta(**by)
            self._moved.notify_all()

    def wait_until(self, moment: datetime, longest: float = 3600.0) -> bool:
        """Wait for the moment on this clock, at most `longest` real seconds; False when it has not come."""
        limit = time.monotonic() + longest
        with self._moved:
            while not self._closed:
                left = (moment - self.now()).total_seconds()
                patience = limit - time.monotonic()
                if left <= 0:
                    return True
                if patience <= 0:
                    return False
                self._moved.wait(min(left, patience))
        return False

    def sleep(self, seconds: float) -> bool:
        """Wait so many seconds of this clock; False when the clock was closed meanwhile."""
        return self.wait_until(self.now() + timedelta(seconds=seconds), longest=seconds + 1)

    def close(self) -> None:
        """Wake every waiter for good: the endpoint stops."""
        with self._moved:
            self._closed = True
            self._moved.notify_all()
