"""A lake of the clinics' stream alone: its API, stream, consumer, pipeline and gold, without any source database."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import config
import contracts
from cli.target import Target
from local import deploy, synthesis
from local.clinic.trial import DATASET, PIPELINE
from tests.local.conftest import start_endpoint

FILES = ("contracts/clinic/*.odcs.yaml", f"pipelines/{PIPELINE}.yaml")
GOLD = ("doses_by_vaccine_site_week", "coverage_by_cohort")
OTHER_PIPELINE = f"datasets: [{DATASET}]\ninterval_hours: 24\nsla_minutes: 60\nowner: tests\n"


@contextmanager
def stream_lake(state: Path) -> Iterator[Target]:
    root = _write(state / "root")
    endpoint = start_endpoint(state, "--lazy")
    try:
        ports = dict.fromkeys(config.load("local").sources, 1)  # nobody asks them
        given = ",".join(f"{source}:{port}" for source, port in ports.items())
        synthesis.synth(state / "cdk.out", validate=False, env="local", source_ports=given, lake_root=str(root))
        deploy.deploy(state / "cdk.out", endpoint.url)
        yield Target(config.load("local", ports), endpoint.url, root)
    finally:
        endpoint.process.terminate()
        endpoint.process.wait(30)


def _write(root: Path) -> Path:
    shipped = [path for pattern in FILES for path in contracts.ROOT.glob(pattern)]
    shipped += [contracts.ROOT / f"contracts/gold/{name}.odcs.yaml" for name in GOLD]
    shipped += [contracts.ROOT / f"models/{name}.sql" for name in GOLD]
    texts = {path.relative_to(contracts.ROOT): path.read_text() for path in shipped}
    for name in config.load("local").schedules:  # an environment's schedules are of pipelines that there are
        texts.setdefault(Path(f"pipelines/{name}.yaml"), OTHER_PIPELINE)
    for path, text in texts.items():
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_text(text)
    return root
