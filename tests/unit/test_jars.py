"""The jar that jobs bring to Glue: the one that was expected, or none."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from datalake import jars


@pytest.fixture
def empty_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    return tmp_path / "headwater"


def test_a_jar_that_was_changed_is_refused(empty_cache: Path) -> None:
    path = empty_cache / "ivy" / "jars" / jars.SPARK_AVRO
    path.parent.mkdir(parents=True)
    path.write_bytes(b"something else")
    with pytest.raises(jars.JarError, match=f"'{path}': expected SHA-256 b0660.*Delete it"):
        jars.spark_avro()


def test_a_jar_that_cannot_be_fetched_is_named_with_the_resolvers_reason(
    empty_cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(jars, "FETCH", [sys.executable, "-c", "raise SystemExit('No network. Check it.')"])
    with pytest.raises(jars.JarError, match=r"spark-avro.*missing and could not be fetched: No network\. Check it\."):
        jars.spark_avro()
