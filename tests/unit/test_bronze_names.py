"""Names of a source in Avro: any name comes back, and those that Avro can hold stay as they are."""

from __future__ import annotations

import re

import pytest
from hypothesis import given, strategies as st

from glue_jobs.bronze import avro_name, source_name


@given(st.text(st.characters(codec="utf-8"), min_size=1, max_size=20))
def test_a_name_comes_back_from_avro(name: str) -> None:
    stored = avro_name(name)
    assert source_name(stored) == name
    assert re.fullmatch(r"[^\W0-9]\w*", stored)
    assert not set("²½") & set(stored)


@pytest.mark.parametrize("name", ["userid", "Order", "_x", "größe", "a1", "名前", "x_x41_"])
def test_a_name_that_avro_can_hold_stays(name: str) -> None:
    assert avro_name(name) == name


def test_other_names_are_written_as_xml_writes_them() -> None:
    assert [avro_name(each) for each in ("a b", "E-Mail", "1st", "_x0020_", "\U0001d49c")] == [
        "a_x0020_b",
        "E_x002d_Mail",
        "_x0031_st",
        "_x005f_x0020_",
        "_x1d49c_",
    ]
