"""What a person reads when the app does not synthesize."""

from __future__ import annotations

import pytest

from local.synthesis import _last_words

TRACE = 'Traceback (most recent call last):\n  File "app.py", line 1, in <module>\n    main()\n'


@pytest.mark.parametrize(
    ("ended", "told"),
    [
        ("contracts.contract.ContractError: a.yaml:1: 'x'.\nb.yaml", "a.yaml:1: 'x'.\nb.yaml"),
        ("config.EnvironmentError: expected y", "expected y"),
        ("KeyError: 'x'", "KeyError: 'x'"),
    ],
)  # fmt: skip
def test_a_mistake_of_the_user_is_told_without_the_name_of_its_class(ended: str, told: str) -> None:
    assert _last_words(TRACE + ended) == told
