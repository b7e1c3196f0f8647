"""The app synthesized once for each environment: in this process, by the code that `cdk synth` runs."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import aws_cdk as cdk
import pytest

import app
import config
from tests.synth.synthesized import ROOT, Synthesize, Synthesized

ENVIRONMENTS = ("local", "dev", "prod")


@pytest.fixture(scope="session")
def synthesize(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Synthesize]:
    """Synthesize an environment with the context of cdk.json and some more; no AWS credentials are there."""
    shipped = json.loads((ROOT / "cdk.json").read_text())["context"]

    @cache
    def run(environment: str, **context: str) -> Synthesized:
        folder = tmp_path_factory.mktemp(environment)
        made = app.synthesize(
            cdk.App(
                outdir=str(folder),
                context={**shipped, "env": environment, **context},
                builtin_cloud_formation_validation=False,
            )
        )
        return Synthesized(config.load(environment), Path(made.directory))

    with pytest.MonkeyPatch.context() as patch:
        for name in [name for name in os.environ if name.startswith("AWS_")]:
            patch.delenv(name)
        yield run


@pytest.fixture(scope="session", params=ENVIRONMENTS)
def lake(request: pytest.FixtureRequest, synthesize: Synthesize) -> Synthesized:
    """Each environment in turn."""
    return synthesize(request.param)


@pytest.fixture(scope="session")
def dev(synthesize: Synthesize) -> Synthesized:
    return synthesize("dev")
