"""Child processes that never outlive the endpoint: not on exit, not on Ctrl-C, not when it is killed."""

from __future__ import annotations

import ctypes
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

PR_SET_PDEATHSIG = 1
LIBC = ctypes.CDLL(None) if sys.platform == "linux" else None


def die_with(parent: int) -> None:
    """Run in the child before exec: the kernel kills it when the thread that made it ends."""
    if LIBC is not None:
        LIBC.prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != parent:  # the parent ended between fork and here
        os._exit(1)


class Children:
    """Every child of the endpoint, each the leader of its own process group: `children.start(["java", ...])`."""

    def __init__(self) -> None:
        self._running: list[subprocess.Popen[Any]] = []
        self._lock = threading.Lock()
        # The kernel's death signal follows the thread that forked, so one thread that lives as long as we do forks all.
        self._forker = ThreadPoolExecutor(1, thread_name_prefix="forker")

    def start(self, command: Sequence[str], **options: Any) -> subprocess.Popen[Any]:
        return self._forker.submit(self._start, command, options).result()

    def _start(self, command: Sequence[str], options: dict[str, Any]) -> subprocess.Popen[Any]:
        parent = os.getpid()
        child = subprocess.Popen(command, start_new_session=True, preexec_fn=lambda: die_with(parent), **options)
        with self._lock:
            self._running = [other for other in self._running if other.poll() is None] + [child]
        return child

    def call(self, work: Any, *arguments: Any, **options: Any) -> Any:
        """Run a function that forks by itself (PySpark's launch_gateway, for one) in the thread that forks all."""
        return self._forker.submit(work, *arguments, **options).result()

    def stop(self, grace: float = 2.0) -> None:
        """Ask every group to end, wait a little, then kill what is left."""
        with self._lock:
            running = [child for child in self._running if child.poll() is None]
        for child in running:
            end_group(child, signal.SIGTERM)
        until = time.monotonic() + grace
        while time.monotonic() < until and any(child.poll() is None for child in running):
            time.sleep(0.02)
        for child in running:
            end_group(child, signal.SIGKILL)
            child.wait()


def end_group(child: subprocess.Popen[Any], with_signal: signal.Signals) -> None:
    """Signal the whole process group of a child; one that is gone is no error."""
    try:
        os.killpg(child.pid, with_signal)
    except ProcessLookupError:
        return
