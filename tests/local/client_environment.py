"""What a client library is told at the laptop: the environment of its user, and nothing else."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import boto3
import pytest

from tests.local.conftest import RunningEndpoint


@contextmanager
def at_the_laptop(endpoint: RunningEndpoint) -> Iterator[boto3.session.Session]:
    """The variables that the README has a person set, and a session that reads them."""
    with pytest.MonkeyPatch.context() as patch:
        for name, value in endpoint.environment.items():
            if name.startswith("AWS_"):
                patch.setenv(name, value)
        for name in ("AWS_PROFILE", "AWS_SESSION_TOKEN", "AWS_CONFIG_FILE"):
            patch.delenv(name, raising=False)
        yield boto3.session.Session()
