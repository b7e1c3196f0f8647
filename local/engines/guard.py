"""Guard: runs a command that ends when the process that started it ends, however that one ended.

Started as `python -I guard.py FOLDER ACCOUNT SIGNAL COMMAND…`; the starter keeps the other end of its standard input
open. When that closes, the command's process group gets SIGNAL, then SIGKILL, and FOLDER is removed. ACCOUNT runs the
command; `-` for FOLDER or ACCOUNT means none.
"""

from __future__ import annotations

import os
import pwd
import shutil
import signal
import subprocess
import sys
import threading
from typing import Any

PATIENCE = 5.0


def _end(process: subprocess.Popen[bytes], first: int) -> None:
    for sent in (first, signal.SIGKILL):
        try:
            os.killpg(process.pid, sent)
            process.wait(PATIENCE)
        except (ProcessLookupError, subprocess.TimeoutExpired):
            continue


def main(argv: list[str]) -> int:
    folder, account, name, *command = argv
    for ignored in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(ignored, signal.SIG_IGN)  # Ctrl-C reaches the whole terminal; the starter decides when to end
    other: dict[str, Any] = {}
    if account != "-":
        other = {"user": account, "group": pwd.getpwnam(account).pw_gid, "extra_groups": []}
    process = subprocess.Popen(command, stdin=subprocess.DEVNULL, start_new_session=True, **other)

    def wait_for_starter() -> None:
        sys.stdin.buffer.read()
        _end(process, getattr(signal, name))

    threading.Thread(target=wait_for_starter, daemon=True).start()
    code = process.wait()
    _end(process, signal.SIGKILL)
    if folder != "-":
        shutil.rmtree(folder, ignore_errors=True)
    return code if code >= 0 else 128 - code


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
