"""The layer of functions: exactly what pyproject.toml names, in the lock's versions, for Lambda's machines."""

from __future__ import annotations

import re
import tomllib
import zipfile
from pathlib import Path

import pytest

from datalake import layer
from datalake.code import ROOT
from tests.synth.synthesized import Synthesized


@pytest.fixture(scope="module")
def archive() -> zipfile.ZipFile:
    return zipfile.ZipFile(layer.packed(ROOT))


def test_the_layer_holds_what_the_extra_names_in_the_versions_of_the_lock(archive: zipfile.ZipFile) -> None:
    held = {found[1] for name in archive.namelist() if (found := re.match(r"python/([^/]+)\.dist-info/", name))}
    named = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["optional-dependencies"][layer.EXTRA]
    lock = dict(re.findall(r"^([a-z0-9.-]+)==(\S+)", (ROOT / "requirements.txt").read_text(), re.MULTILINE))
    names = [re.match(r"[a-z0-9.-]+", each) for each in named]
    assert held == {f"{name[0].replace('-', '_')}-{lock[name[0]]}" for name in names if name}


def test_its_native_code_is_for_lambdas_python_and_processor(archive: zipfile.ZipFile) -> None:
    native = [name for name in archive.namelist() if ".so" in name]
    assert native
    assert all(name.endswith(".cpython-312-aarch64-linux-gnu.so") for name in native)


def test_its_files_are_readable_for_all_and_have_no_date(archive: zipfile.ZipFile) -> None:
    assert {(each.external_attr >> 16, each.date_time) for each in archive.infolist()} == {
        (0o644, (1980, 1, 1, 0, 0, 0))
    }


def test_the_layer_is_made_once_for_a_lock(monkeypatch: pytest.MonkeyPatch) -> None:
    made = layer.packed(ROOT)
    monkeypatch.setattr("subprocess.run", None)
    assert layer.packed(ROOT) == made


def test_another_version_in_the_lock_is_another_layer_and_what_cannot_be_had_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    monkeypatch.setenv("UV_OFFLINE", "1")
    (tmp_path / "pyproject.toml").write_text((ROOT / "pyproject.toml").read_text())
    lock = (ROOT / "requirements.txt").read_text()
    (tmp_path / "requirements.txt").write_text(re.sub(r"(?m)^orjson==\S+", "orjson==0.0.0", lock))
    with pytest.raises(layer.LayerError, match="The wheels of the layer could not be fetched: "):
        layer.packed(tmp_path)
    assert not list((tmp_path / "headwater" / "layers").glob("*.zip"))


def test_the_consumer_has_the_layer_and_is_of_its_processor(dev: Synthesized) -> None:
    resources = dev.templates["stream"]["Resources"]
    (packages,) = [each for each in resources.values() if each["Type"] == "AWS::Lambda::LayerVersion"]
    (consumer,) = [
        each["Properties"]
        for each in resources.values()
        if each["Type"] == "AWS::Lambda::Function" and each["Properties"].get("Layers")
    ]
    assert packages["Properties"]["CompatibleArchitectures"] == consumer["Architectures"] == ["arm64"]
    assert packages["Properties"]["CompatibleRuntimes"] == [consumer["Runtime"]] == [f"python{layer.PYTHON}"]
    assert consumer["Handler"] == "lambdas.consume.handler.handle"
    assert consumer["Environment"]["Variables"] == {"DATASET": "clinic.immunizations"}
