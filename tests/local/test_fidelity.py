"""docs/fidelity.md says what the code does, no more and no less."""

from __future__ import annotations

import importlib

import pytest

from local import fidelity
from local.endpoint import SERVICES


def test_the_page_is_what_the_code_says() -> None:
    text = fidelity.PAGE.read_text()
    assert fidelity.page(text) == text, "Run `python -m local.fidelity`."


@pytest.mark.parametrize("row", fidelity.rows(), ids=lambda row: f"{row[0]}: {row[1]}")
def test_a_row_says_how_far_it_goes(row: tuple[str, str, str, str]) -> None:
    service, what, _, level = row
    assert service
    assert what
    assert level in fidelity.LEVELS


@pytest.mark.parametrize("service", SERVICES)
def test_every_service_of_the_endpoint_says_how_far_it_goes(service: str) -> None:
    assert importlib.import_module(f"local.services.{service}").FIDELITY
