"""The jar that jobs bring to Glue: the one that was expected, or none."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest

from datalake import jars


@pytest.fixture
def empty_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    monkeypatch.delenv("HEADWATER_JARS", raising=False)
    return tmp_path / "headwater"


def test_a_jar_that_was_changed_is_refused(empty_cache: Path) -> None:
    path = empty_cache / "jars" / Path(jars.SPARK_AVRO).name
    path.parent.mkdir(parents=True)
    path.write_bytes(b"something else")
    with pytest.raises(jars.JarError, match=f"'{path}': expected SHA-256 b0660.*Delete it"):
        jars.spark_avro()


def test_without_network_the_message_says_what_to_do(empty_cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HEADWATER_MAVEN", "http://127.0.0.1:9")
    with pytest.raises(
        jars.JarError, match=r"is missing and 'http://127.0.0.1:9/.*jar' could not be fetched.*HEADWATER_JARS"
    ):
        jars.spark_avro()
    assert not list(empty_cache.rglob("*.jar"))


def test_a_mirror_is_asked_where_one_is_named_and_only_once(
    empty_cache: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    mirrored = tmp_path / "mirror" / jars.SPARK_AVRO
    mirrored.parent.mkdir(parents=True)
    mirrored.write_bytes(b"jar")
    monkeypatch.setattr(jars, "SPARK_AVRO_SHA256", hashlib.sha256(b"jar").hexdigest())
    monkeypatch.setenv("HEADWATER_MAVEN", (tmp_path / "mirror").as_uri())
    fetched = jars.spark_avro()
    mirrored.unlink()
    assert jars.spark_avro() == fetched == empty_cache / "jars" / mirrored.name
