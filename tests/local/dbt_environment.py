"""dbt in an environment of its own: it asks for older packages than ours, so its lock lies beside its project."""

from __future__ import annotations

import hashlib
import subprocess
import sys
from pathlib import Path

import uv

from local.engines import jars

FOLDER = Path(__file__).parent / "dbt"
LOCK = FOLDER / "requirements.txt"


def dbt() -> Path:
    """The program dbt; installed from its lock on the first use, into the cache where Spark's jars lie."""
    made = jars.cache() / f"dbt-{hashlib.sha256(LOCK.read_bytes()).hexdigest()[:12]}"
    finished = made / "installed-requirements.txt"
    with jars.only_one("dbt"):
        if not finished.exists():
            program = uv.find_uv_bin()
            subprocess.run([program, "venv", "--quiet", "--clear", "--python", sys.executable, made], check=True)
            subprocess.run(
                [program, "pip", "sync", "--quiet", "--python", made, "--require-hashes", "--compile-bytecode", LOCK],
                check=True,
            )
            finished.write_bytes(LOCK.read_bytes())  # last: an interrupted set-up starts again
    return made / "bin" / "dbt"
