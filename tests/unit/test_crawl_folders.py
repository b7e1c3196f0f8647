"""Which objects of a folder a crawler looks at."""

from __future__ import annotations

import pytest

from local.engines.crawl_folders import Object, wanted


@pytest.mark.parametrize(
    ("exclusion", "left"),
    [
        ("*.csv", ["deep/b.csv", "deep/er/c.csv", "d.json"]),
        ("**.csv", ["d.json"]),
        ("deep/*", ["a.csv", "deep/er/c.csv", "d.json"]),
        ("deep/**", ["a.csv", "d.json"]),
        ("{a,b}.csv", ["deep/b.csv", "deep/er/c.csv", "d.json"]),
        ("[!a].json", ["a.csv", "deep/b.csv", "deep/er/c.csv"]),
        (r"\*.csv", ["a.csv", "deep/b.csv", "deep/er/c.csv", "d.json"]),
    ],
)
def test_an_exclusion_is_a_glob_as_glue_reads_it(exclusion: str, left: list[str]) -> None:
    objects = [Object(f"shop/{key}", 1) for key in ("a.csv", "deep/b.csv", "deep/er/c.csv", "d.json")]
    assert [each.key for each in wanted(objects, [exclusion], "shop/")] == [f"shop/{key}" for key in left]
