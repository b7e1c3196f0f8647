"""Commands that look into sources, asked about what is posted and has none."""

from __future__ import annotations

import pytest

import config
import contracts
from cli import contract_drift, contract_import
from cli.errors import CommandError
from cli.expectations import expectations
from cli.target import Target

LAPTOP = Target(config.load("local"), "http://127.0.0.1:1")  # where nothing answers


def test_no_crawler_is_asked_how_a_stream_drifted() -> None:
    with pytest.raises(CommandError, match=r"'clinic.immunizations': expected one that comes from a source"):
        contract_drift.reported(LAPTOP, "clinic.immunizations")


def test_a_contract_of_what_is_posted_is_not_imported() -> None:
    with pytest.raises(CommandError, match=r"'clinic.visits': expected one of a database. .* contracts/clinic/NAME"):
        contract_import.imported(LAPTOP, "clinic.visits", None, crawl=False, live=False)


def test_a_conflict_says_how_an_event_is_corrected() -> None:
    told = expectations(contracts.load("clinic.immunizations"))["key_conflict"]
    assert told.endswith("a correction has a later event_time")
