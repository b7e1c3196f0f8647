"""The layer of third-party packages that functions import: wheels from the lock, for Lambda's machines, in one zip."""

from __future__ import annotations

import hashlib
import re
import subprocess
import sys
import tempfile
import tomllib
import zipfile
from pathlib import Path

import uv
from aws_cdk import AssetHashType, aws_lambda as lambda_
from constructs import Construct

from config import Environment
from datalake.code import ROOT, entry
from datalake.jars import cache

EXTRA = "stream"  # of pyproject.toml, which names each package that the layer holds
PYTHON, PLATFORM = "3.12", "aarch64-manylinux2014"  # LakeFunction's runtime and architecture
PIN = re.compile(r"^[a-z0-9.-]+==", re.MULTILINE)
NAME = re.compile(r"^[a-z0-9.-]+", re.MULTILINE)
LEFT_OUT = re.compile(r"(.*/)?(__pycache__|tests|bin)/.*|.*\.dist-info/(RECORD|INSTALLER|REQUESTED|uv_.*)|\.lock")


class LayerError(Exception):
    """The wheels of the layer are neither in the cache nor to be had."""


class PackagesLayer(Construct):
    """The packages that the lock pins, as a layer of functions: `layer`."""

    def __init__(self, scope: Construct, construct_id: str, *, environment: Environment) -> None:
        super().__init__(scope, construct_id)
        archive = packed(ROOT)
        self.layer = lambda_.LayerVersion(
            self,
            "Layer",
            layer_version_name=environment.resource("packages"),
            description="What functions import beyond Lambda's own Python",
            code=lambda_.Code.from_asset(str(archive), asset_hash=archive.stem, asset_hash_type=AssetHashType.CUSTOM),
            compatible_runtimes=[lambda_.Runtime.PYTHON_3_12],
            compatible_architectures=[lambda_.Architecture.ARM_64],
        )


def packed(root: Path) -> Path:
    """The zip in the cache, made the first time that these versions are asked for."""
    pins = locked(root)
    digest = hashlib.sha256("\n".join((PYTHON, PLATFORM, *pins)).encode()).hexdigest()
    archive = cache() / "layers" / f"{digest}.zip"
    if not archive.exists():
        archive.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=archive.parent) as place:
            folder = Path(place)
            _install(pins, folder)
            _zip(folder / "python", made := folder / archive.name)
            made.rename(archive)  # whole or not at all
    return archive


def locked(root: Path) -> list[str]:
    """The lines of the lock, hashes and all, that pin the packages of the layer."""
    project = tomllib.loads((root / "pyproject.toml").read_text())["project"]
    wanted = set(NAME.findall("\n".join(project["optional-dependencies"][EXTRA])))
    text = (root / "requirements.txt").read_text()
    starts = [found.start() for found in PIN.finditer(text)]
    blocks = (text[start:end] for start, end in zip(starts, [*starts[1:], len(text)], strict=True))
    return [block for block in blocks if block.partition("==")[0] in wanted]


def _install(pins: list[str], folder: Path) -> None:
    """Wheels with the lock's hashes; nothing is built, and nothing that the lock does not name comes with them."""
    lock = folder / "requirements.txt"
    lock.write_text("".join(pins))
    where = ["--target", str(folder / "python"), "--python", sys.executable]
    machine = ["--python-version", PYTHON, "--python-platform", PLATFORM, "--only-binary", ":all:"]
    command = [uv.find_uv_bin(), "pip", "install", *where, *machine, "--no-deps", "--require-hashes", "-r", str(lock)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    if done.returncode:
        reason = " ".join(done.stderr.split())[-500:]
        raise LayerError(f"The wheels of the layer could not be fetched: {reason} Check the network, then try again.")


def _zip(folder: Path, archive: Path) -> None:
    names = sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file())
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED) as packed:
        for name in names:
            if not LEFT_OUT.fullmatch(name):
                packed.writestr(entry(f"python/{name}"), (folder / name).read_bytes(), zipfile.ZIP_DEFLATED)
