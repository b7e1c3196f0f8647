"""The clinics' stream with faults on its way: silver holds each event once, dead letters each malformed one once."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime

import pytest

from cli import demo_stream, execution
from lake.records import Outcome
from local.clinic import Load, checking
from local.clinic.trial import DATASET, PIPELINE, Delivered, Trial
from tests.local import policies
from tests.local.stream_lake import stream_lake

COUNT, KILLS = 3000, 3


@dataclass(frozen=True)
class Loaded:
    trial: Trial
    load: Load
    delivered: Delivered
    ended: execution.Ended

    def outcome(self, step: str) -> Outcome:
        outcomes = self.trial.at.ledger().outcomes(self.ended.run)
        return next(each for each in outcomes if each.step == step and each.dataset == DATASET)


@pytest.fixture(scope="module")
def loaded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Loaded]:
    with stream_lake(tmp_path_factory.mktemp("stream")) as at:
        trial, load = Trial(at), Load(COUNT, ending=datetime.now(UTC))
        delivered = trial.deliver(load, trial.kinesis(), kills=KILLS, s3_put=0.3, put_records=0.05)
        yield Loaded(trial, load, delivered, execution.follow(at, execution.start(at, PIPELINE)))


def test_the_faults_struck(loaded: Loaded) -> None:
    struck = loaded.delivered.struck
    assert struck["kill"] == KILLS
    assert struck["s3_put"] > 0
    assert loaded.delivered.sent.again >= struck["put_records"] > 0


def test_silver_holds_the_latest_event_of_each_id_once_and_nothing_else(loaded: Loaded) -> None:
    assert loaded.ended.status == "SUCCEEDED", loaded.ended.cause
    assert checking.silver([loaded.load], loaded.trial.silver()) == checking.Difference(0, 0)


def test_dead_letters_hold_each_malformed_record_once_and_nothing_else(loaded: Loaded) -> None:
    assert checking.dead_letters([loaded.load], loaded.trial.dead_letters()) == checking.Difference(0, 0)
    assert loaded.trial.undelivered() == 0


def test_what_was_read_adds_up(loaded: Loaded) -> None:
    """A batch that was cut in two after it was written is read twice, and counts as superseded."""
    counts = loaded.outcome("refine")
    assert counts.read == counts.inserted + counts.superseded
    assert counts.read >= COUNT - loaded.load.malformed
    assert counts.inserted == loaded.load.ids


def test_the_demo_posts_over_http_and_finds_everything(loaded: Loaded, capsys: pytest.CaptureFixture[str]) -> None:
    phases: dict[str, float] = {}
    demo_stream.show(loaded.trial.at, phases, events=2000)
    assert list(phases) == ["post and consume", "query bronze", "run"]
    assert checking.silver([loaded.load], loaded.trial.silver()).missing == 0


def test_nothing_that_a_role_asked_for_on_a_streams_way_was_refused(loaded: Loaded) -> None:
    iam, ours = loaded.trial.at.client("iam"), f"{loaded.trial.at.environment.resource('')}"
    acted = {role for role, *_ in policies.told(iam, ours, "used")}
    assert {"clinic-api", "consume-clinic-immunizations-function"} <= acted
    assert policies.told(iam, ours, "refused") == set()


def test_each_grant_of_a_role_on_a_streams_way_is_used_or_has_a_reason(loaded: Loaded) -> None:
    at = loaded.trial.at
    unused = policies.unused(at.client("iam"), at.environment.resource(""))
    assert [each for each in unused if not each[0].endswith("-job")] == []  # jobs serve batches too
