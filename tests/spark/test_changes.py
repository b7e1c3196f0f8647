"""What becomes of each row: a model in Python, compared with Spark's answer for many random rows at once."""

from __future__ import annotations

import random
from collections import Counter, defaultdict
from datetime import UTC, datetime
from typing import Any, NamedTuple

import pytest
from pyspark.sql import SparkSession, functions as F

from glue_jobs.changes import STATUS, Known, classify

START = datetime(2026, 1, 1, tzinfo=UTC)
COLUMNS = "id bigint, _version timestamp, _hash string, _rules array<string>, _lane bigint"


class Row(NamedTuple):
    """A row that came, or one of the table."""

    key: int
    version: int
    content: str
    dirty: bool = False


def at(version: int) -> datetime:
    return START.replace(day=version + 1)


def run(spark: SparkSession, rows: list[Row], held: list[Row], known: Known | None = None) -> Counter[Any]:
    came = [
        (
            each.key,
            at(each.version),
            each.content,
            ["bad"] if each.dirty else [],
            abs(hash(each)) | 1 if each.dirty else 0,
        )
        for each in rows
    ]
    kept = [(each.key, at(each.version), each.content) for each in held]
    table = spark.createDataFrame(kept, "id bigint, _version timestamp, _hash string") if held else None
    known = known or Known()
    judged = classify(spark.createDataFrame(came, COLUMNS), table, ("id",), known)
    return Counter((each["id"], each["_hash"], each[STATUS]) for each in judged.collect())


def expected(rows: list[Row], held: list[Row]) -> Counter[Any]:
    """The rules, one row after another."""
    answer: Counter[Any] = Counter()
    table = {each.key: each for each in held}
    contents: dict[tuple[int, int], set[str]] = defaultdict(set)
    best: dict[int, int] = {}
    for each in (row for row in rows if not row.dirty):
        contents[each.key, each.version].add(each.content)
    for key, version in contents:
        if len(contents[key, version]) == 1:
            best[key] = max(version, best.get(key, version))
    seen = set()
    for each in rows:
        status = "superseded" if each in seen else judge(each, contents, best, table.get(each.key))
        seen.add(each)
        answer[each.key, each.content, status] += 1
    return answer


def judge(row: Row, contents: Any, best: dict[int, int], held: Row | None) -> str:
    if row.dirty or len(contents[row.key, row.version]) > 1:
        return "quarantined"
    if row.version < best[row.key]:
        return "superseded"
    if held is None:
        return "inserted"
    if row.content == held.content:
        return "unchanged"
    return "superseded" if row.version < held.version else "updated"


@pytest.mark.parametrize("seed", range(3))
def test_every_row_is_told_apart_as_the_rules_say(spark: SparkSession, seed: int) -> None:
    chance = random.Random(seed)

    def some(count: int) -> list[Row]:
        return [
            Row(chance.randrange(150), chance.randrange(4), chance.choice("abc"), chance.random() < 0.1)
            for _ in range(count)
        ]

    held = list({each.key: each._replace(dirty=False) for each in some(80)}.values()) if seed else []
    rows = some(400)
    answer = run(spark, rows, held)
    assert answer == expected(rows, held)
    assert answer.total() == len(rows)


def test_the_order_in_which_rows_come_does_not_matter(spark: SparkSession) -> None:
    rows = [Row(1, 0, "a"), Row(1, 2, "c"), Row(1, 1, "b"), Row(2, 1, "a"), Row(2, 1, "b"), Row(2, 0, "z")]
    assert run(spark, rows, []) == run(spark, rows[::-1], [])


def test_a_conflict_does_not_hide_an_older_version(spark: SparkSession) -> None:
    rows = [Row(1, 0, "old"), Row(1, 1, "a"), Row(1, 1, "b")]
    assert run(spark, rows, []) == Counter(
        {(1, "old", "inserted"): 1, (1, "a", "quarantined"): 1, (1, "b", "quarantined"): 1}
    )


def test_what_did_not_come_is_deleted_unless_a_later_run_wrote_it(spark: SparkSession) -> None:
    held = [Row(1, 0, "a"), Row(2, 0, "a"), Row(3, 2, "a")]
    answer = run(spark, [Row(1, 1, "a")], held, Known(deletes=F.col("_version") <= F.lit(at(1))))
    assert answer == Counter({(1, "a", "unchanged"): 1, (2, "a", "deleted"): 1})


def test_a_broken_row_shows_that_its_key_is_still_there(spark: SparkSession) -> None:
    held = [Row(1, 0, "a"), Row(2, 0, "a"), Row(3, 0, "a")]
    keys = spark.createDataFrame([(3,)], "id bigint")
    rows = [Row(1, 1, "x", dirty=True), Row(1, 1, "x", dirty=True)]
    answer = run(spark, rows, held, Known(deletes=F.lit(True), present=keys))
    assert answer == Counter({(1, "x", "quarantined"): 1, (1, "x", "superseded"): 1, (2, "a", "deleted"): 1})


def test_a_late_load_brings_back_nothing(spark: SparkSession) -> None:
    held = [Row(1, 1, "new"), Row(2, 1, "a"), Row(6, 0, "a")]
    gone, present = (spark.createDataFrame([(each,) for each in ids], "id bigint") for ids in ([3, 4], [1, 4, 5]))
    rows = [Row(1, 1, "old"), Row(3, 0, "a"), Row(4, 0, "a"), Row(5, 0, "a"), Row(6, 1, "b"), Row(7, 0, "a")]
    answer = run(spark, rows, held, Known(present=present, gone=gone, late=True))
    assert {key: status for key, _, status in answer} == {
        1: "superseded",  # its version was read again later
        3: "superseded",
        4: "superseded",
        5: "inserted",
        6: "updated",
        7: "superseded",  # not among the keys that a later load found
    }


def test_what_was_appended_stays_as_it_is(spark: SparkSession) -> None:
    held = [Row(1, 1, "a"), Row(2, 1, "a"), Row(3, 1, "a")]
    rows = [Row(1, 1, "a"), Row(2, 2, "b"), Row(3, 0, "b"), Row(4, 1, "a"), Row(4, 2, "b"), Row(5, 1, "a")]
    answer = run(spark, rows, held, Known(append_only=True))
    assert {(key, content): status for key, content, status in answer} == {
        (1, "a"): "unchanged",
        (2, "b"): "quarantined",
        (3, "b"): "quarantined",
        (4, "a"): "inserted",
        (4, "b"): "quarantined",
        (5, "a"): "inserted",
    }
