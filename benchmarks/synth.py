"""How long synth of the whole app takes, beside an empty Python CDK app's, and with 1,000 contracts in 20 pipelines."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from statistics import median
from typing import Any

from benchmarks.many_contracts import make
from local.prerequisites import node_environment

ROOT = Path(__file__).parents[1]
ENVIRONMENT = "prod"  # all of its pipelines have schedules, so it is the largest
RUNS = 5
EMPTY = """\
import aws_cdk as cdk

app = cdk.App()
stack = cdk.Stack(app, "Empty")
cdk.CfnResource(stack, "Nothing", type="AWS::CloudFormation::WaitConditionHandle")  # no template may be without one
app.synth()
"""


class SynthFailedError(RuntimeError):
    """An app that was to be measured did not synthesize."""


def measure(runs: int = RUNS) -> dict[str, Any]:
    """Medians over runs that take turns; as `cdk synth` runs the app, with the template validation and cdk-nag on."""
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        empty = folder / "empty.py"
        empty.write_text(EMPTY)
        lake_root = str(make(folder / "many"))
        cases: dict[str, tuple[Path, dict[str, str]]] = {
            "empty": (empty, {}),
            "shipped": (ROOT / "app.py", {}),
            "1000": (ROOT / "app.py", {"lake_root": lake_root}),
        }
        for script, context in cases.values():  # bytecode and file caches are warm for all, or for none
            _seconds(script, folder / "out", context)
        taken: dict[str, list[float]] = {name: [] for name in cases}
        for _ in range(runs):
            for name, (script, context) in cases.items():
                taken[name].append(_seconds(script, folder / "out" / name, context))
        largest = max(_resources(folder / "out" / "1000"))
    seconds = {name: median(values) for name, values in taken.items()}
    return {
        "empty_seconds": seconds["empty"],
        "shipped_seconds": seconds["shipped"],
        "seconds_1000": seconds["1000"],
        "ratio": seconds["shipped"] / seconds["empty"],
        "ratio_1000": seconds["1000"] / seconds["shipped"],
        "resources_of_largest_stack_1000": largest,
        "runs": runs,
    }


def _seconds(script: Path, output: Path, context: dict[str, str]) -> float:
    shipped = json.loads((ROOT / "cdk.json").read_text())["context"]
    environment = {
        **{name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"},
        **node_environment(),
        "CDK_OUTDIR": str(output),
        "CDK_CONTEXT_JSON": json.dumps({**shipped, "env": ENVIRONMENT, **context}),
        "CDK_VALIDATION": "true",
    }
    start = time.perf_counter()
    done = subprocess.run([sys.executable, str(script)], cwd=ROOT, env=environment, capture_output=True, text=True)
    taken = time.perf_counter() - start
    if done.returncode:
        raise SynthFailedError(f"The app '{script}' did not synthesize: {done.stderr.strip()[-500:]}")
    return taken


def _resources(folder: Path) -> list[int]:
    return [len(json.loads(path.read_text())["Resources"]) for path in folder.glob("*.template.json")]
