"""What we replace of moto is there to be replaced, in the one version that we pin."""

from __future__ import annotations

import ast
import subprocess
import sys
import tomllib
from importlib.metadata import version
from pathlib import Path

import pytest

from local.services import seams

ROOT = Path(__file__).parents[2]
LISTING = """
import pathlib, sys, tempfile
from local.endpoint import start
from local.services.seams import SEAMS
endpoint = start(0, state=pathlib.Path(tempfile.mkdtemp()))
print("\\n".join(sorted(SEAMS)))
endpoint.stop()
"""


@pytest.fixture(scope="module")
def patched() -> list[str]:
    """The seams of an endpoint with every service installed, in a process that may then be thrown away."""
    listed = subprocess.run([sys.executable, "-c", LISTING], cwd=ROOT, capture_output=True, text=True, check=True)
    return listed.stdout.split()


def test_moto_is_pinned_exactly() -> None:
    laptop = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["optional-dependencies"]["laptop"]
    assert f"moto[all,server]=={version('moto')}" in laptop


def test_every_seam_is_a_name_of_moto(patched: list[str]) -> None:
    assert patched
    for name in patched:
        seams.seam(name)


def test_a_name_that_moto_does_not_have_is_an_error() -> None:
    with pytest.raises(AttributeError, match=r"The seam 'moto.s3.models:FakeBucket.no_such_name'"):
        seams.patch("moto.s3.models:FakeBucket.no_such_name", None)


def test_moto_is_patched_through_seams_alone() -> None:
    """Assigning to a name of moto's elsewhere would escape the tests above."""
    sources = [path for path in (ROOT / "local").rglob("*.py") if path.name != "seams.py"]
    guilty = {path.name: names for path in sources if (names := assigned_to_moto(ast.parse(path.read_text())))}
    assert not guilty


def assigned_to_moto(source: ast.Module) -> list[str]:
    nodes = list(ast.walk(source))
    imported = {
        alias.asname or alias.name
        for node in nodes
        if isinstance(node, ast.ImportFrom) and (node.module or "").split(".")[0] == "moto"
        for alias in node.names
    }
    targets = [target for node in nodes if isinstance(node, ast.Assign) for target in node.targets]
    return [
        f"{target.value.id}.{target.attr}"
        for target in targets
        if isinstance(target, ast.Attribute) and isinstance(target.value, ast.Name) and target.value.id in imported
    ]
