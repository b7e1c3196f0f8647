"""Whatever happens in a source between loads, and in whatever order the loads come, silver ends as the source is."""

from __future__ import annotations

import random
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from unittest.mock import DEFAULT, Mock

import boto3
import pytest
from botocore.exceptions import ClientError
from psycopg import sql
from pyspark.sql import SparkSession

from glue_jobs import bronze
from local.engines import postgres
from tests.spark.conftest import mocked_ledger
from tests.spark.increments import DDL, WAYS, Increments, assert_succeeded

SEEDS = range(60)
START = datetime(2026, 1, 1, tzinfo=UTC)
HOUR, LOOKBACK = timedelta(hours=1), timedelta(hours=2)
Row = tuple[str, datetime]


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[postgres.Server]:
    started = postgres.start(tmp_path_factory.mktemp("postgres"))
    yield started
    started.stop()


@pytest.fixture(scope="module")
def play(in_utc: SparkSession, warehouse: Path, server: postgres.Server) -> Iterator[Increments]:
    with mocked_ledger() as ledger:
        made = Increments(in_utc, ledger, warehouse, server, "play")
        made.execute(*(f"CREATE TABLE {way} ({DDL})" for way in WAYS))
        made.apply(made.job("20250101T0000"))
        yield made


@dataclass
class Sequence:
    """What one seed does to its rows of one table: nothing that the table's way of loading does not promise to see."""

    way: str
    seed: int
    rows: dict[int, Row] = field(default_factory=dict)
    last: dict[int, datetime] = field(default_factory=dict)  # change of each key, of one that is gone too
    told: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.chance = random.Random(f"{self.way} {self.seed}")

    def step(self, now: datetime, newest: datetime) -> None:
        """A few changes in the hour from `now` on; `newest` is the highest cursor of the whole table before it."""
        for _ in range(self.chance.randrange(1, 6)):
            kinds = ["insert", "insert"] if self.way == "log" else ["insert", "update", "update"]
            kinds += ["delete"] if self.way in ("whole", "shrinking") else []
            getattr(self, self.chance.choice(kinds))(now, newest)

    def insert(self, now: datetime, newest: datetime) -> None:
        free = [each for each in range(12) if each not in self.rows]
        if free:
            self._put("insert", self.chance.choice(free), now, newest)

    def update(self, now: datetime, newest: datetime) -> None:
        if self.rows:
            self._put("update", self.chance.choice(sorted(self.rows)), now, newest)

    def delete(self, now: datetime, newest: datetime) -> None:
        if self.rows:
            each = self.chance.choice(sorted(self.rows))
            del self.rows[each]
            self.told.append(f"delete {each}")

    def _at(self, now: datetime, newest: datetime, after: datetime) -> datetime:
        """A time in the hour, or a late one: not before the key's own last change, and inside the look-back."""
        late = max(newest - LOOKBACK, after) + timedelta(seconds=1)
        if late < now and self.chance.random() < 0.4:
            return late + (now - late) * self.chance.random()
        return now + HOUR * self.chance.random()

    def _put(self, what: str, each: int, now: datetime, newest: datetime) -> None:
        at = self._at(now, newest, self.last.get(each, START - LOOKBACK))
        self.last[each] = at = at.replace(microsecond=at.microsecond // 1000 * 1000)
        self.rows[each] = (self.chance.choice("abcdef"), at)
        self.told.append(f"{what} {each} = {self.rows[each][0]} at {at:%H:%M:%S}")

    def load(self, what: str) -> None:
        self.told.append(f"-- {what}")


class World:
    """Every seed of every way side by side, in the source and in memory."""

    def __init__(self, play: Increments) -> None:
        self.play, self.hour = play, 0
        self.sequences = [Sequence(way, seed) for way in WAYS for seed in SEEDS]

    def change(self) -> None:
        """The next hour."""
        now = START + self.hour * HOUR
        newest = {way: max((at for _, _, _, at in self.rows(way)), default=START) for way in WAYS}
        for each in self.sequences:
            each.step(now, newest[each.way])
        self.hour += 1
        with self.play.server.connect(self.play.name) as connection, connection.cursor() as cursor:
            for way in WAYS:
                table = sql.Identifier(way)
                cursor.execute(sql.SQL("TRUNCATE {}").format(table))
                with cursor.copy(sql.SQL("COPY {} FROM STDIN").format(table)) as copy:
                    for row in self.rows(way):
                        copy.write_row(row)

    def rows(self, way: str) -> list[tuple[int, int, str, datetime]]:
        mine = (each for each in self.sequences if each.way == way)
        return sorted((each.seed, number, *row) for each in mine for number, row in each.rows.items())

    def ingest(self, name: str) -> None:
        for each in self.sequences:
            each.load(f"ingest {name}")
        assert_succeeded(self.play.ingest(self.play.job(name)))

    def refine(self, name: str) -> None:
        for each in self.sequences:
            each.load(f"refine {name}")
        outcomes = self.play.refine(self.play.job(name))
        assert_succeeded(outcomes)
        for outcome in outcomes:
            assert outcome.read == outcome.accounted, outcome
        assert self.differences() == ""

    def differences(self) -> str:
        """Each seed whose silver is not as its source, with all that was done to it."""
        said = []
        for way in WAYS:
            silver = defaultdict(list)
            for seed, *row in self.play.silver(f"play.{way}", "seed", "id", "content", "unix_micros(changed_at)"):
                silver[seed].append(tuple(row))
            for each in (each for each in self.sequences if each.way == way):
                wanted = [(number, content, micros(at)) for number, (content, at) in sorted(each.rows.items())]
                if silver[each.seed] != wanted:
                    said.append(f"{way}, seed {each.seed}: silver {silver[each.seed]}\nsource {wanted}\n{each.told}")
        return "\n\n".join(said[:3])


def micros(at: datetime) -> int:
    return (at - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(microseconds=1)


def test_any_sequence_of_changes_and_loads_ends_in_a_table_equal_to_its_source(play: Increments) -> None:
    world = World(play)
    world.change()
    world.ingest("20260101T0000")
    world.refine("20260101T0000")
    world.change()
    world.ingest("20260101T0100")  # fails before refine, and is redriven at the very end
    world.change()
    world.ingest("20260101T0200")
    world.refine("20260101T0200")
    world.refine("20260101T0100")
    assert_succeeded(list(play.run("play-20260101T0100-02", "backfill").values()))
    assert world.differences() == ""


def test_what_a_cursor_cannot_tell_is_said_and_nothing_is_half_loaded(play: Increments) -> None:
    play.execute(
        "TRUNCATE newer",
        "ALTER TABLE newer ALTER id TYPE bigint",
        "INSERT INTO newer VALUES (-1, 1, 'x', '2026-02-01 12:00Z'), (-1, 2, 'x', NULL)",
        "INSERT INTO newer VALUES (-1, 1099511627776, 'x', '2026-02-01 13:00Z')",
    )
    for name in ("20260201T0000", "20260201T0100"):  # the row without a cursor is read by each run
        outcome = play.run(name, datasets=["play.newer"])["play.newer"]
        assert outcome.rules == {"required_changed_at": 1, "type_id": 1}
        assert play.watermark("play.newer") == "2026-02-01T12:00:00+00:00"
    assert outcome.unchanged == 1
    play.execute("UPDATE newer SET changed = '2026-01-31'")
    both = play.run("20260201T0200", datasets=["play.newer", "play.log"])
    assert (both["play.newer"].status, both["play.log"].status) == ("failed", "succeeded")
    assert "went backwards in source" in both["play.newer"].cause
    assert "rows from 2026-02-01T10:00:00+00:00 on were loaded before" in both["play.newer"].cause
    play.execute("ALTER TABLE newer DROP COLUMN changed")
    gone = play.run("20260201T0300", datasets=["play.newer"])["play.newer"]
    assert gone.cause == 'The cursor, column "changed" of table "newer", does not exist in source "play".'
    assert play.watermark("play.newer") == "2026-02-01T12:00:00+00:00"
    assert play.ledger.load("play.newer", "play-20260201T0200-01") is None


def test_a_cursor_that_went_backwards_is_told_from_rows_that_were_deleted(play: Increments) -> None:
    shrinking = ["play.shrinking"]
    play.execute(
        "TRUNCATE shrinking", "INSERT INTO shrinking VALUES (-2, 1, 'x', '2026-03-01'), (-2, 2, 'x', '2026-03-02')"
    )
    assert play.run("20260302T0000", datasets=shrinking)["play.shrinking"].status == "succeeded"
    play.execute("DELETE FROM shrinking WHERE id = 2")
    deleted = play.run("20260302T0100", datasets=shrinking)["play.shrinking"]
    assert (deleted.status, deleted.read, deleted.deleted) == ("succeeded", 0, 1)
    play.execute("INSERT INTO shrinking VALUES (-2, 3, 'x', '2026-03-02 01:30Z')")
    assert play.run("20260302T0200", datasets=shrinking)["play.shrinking"].status == "succeeded"
    play.execute("UPDATE shrinking SET changed = '2020-01-01'")
    backwards = play.run("20260302T0300", datasets=shrinking)["play.shrinking"]
    assert backwards.status == "failed"
    assert "went backwards in source" in backwards.cause
    assert "replay" in backwards.remedy
    assert play.run("20260302T0400", "replay", datasets=shrinking)["play.shrinking"].status == "succeeded"


def test_a_load_whose_catalog_was_busy_is_shown_there_when_it_is_tried_again(
    play: Increments, monkeypatch: pytest.MonkeyPatch
) -> None:
    busy = ClientError({"Error": {"Code": "ThrottlingException", "Message": "Rate exceeded"}}, "CreatePartition")
    first_busy = Mock(side_effect=[busy, DEFAULT], wraps=bronze.register)
    monkeypatch.setattr(bronze, "register", first_busy)
    assert_succeeded(play.ingest(play.job("20251101T0000", datasets=["play.log"])))
    found = boto3.client("glue").get_partitions(DatabaseName="play_bronze", TableName="play_log")["Partitions"]
    assert [each["Values"] for each in found if "20251101T0000" in each["Values"]] == [
        ["20251101T0000", "play-20251101T0000-01-0"]
    ]


def test_a_date_without_bronze_cannot_be_filled_back(play: Increments) -> None:
    outcome = play.run("20251201T0000", "backfill", ["play.whole"])["play.whole"]
    assert outcome.cause == "There is no bronze of 2025-12-01 00:00 of play.whole."
