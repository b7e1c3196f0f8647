"""Synthesize the CDK app in a process of its own, as `cdk synth` does, without the CLI."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path

from local import prerequisites

ROOT = Path(__file__).parents[1]
OWN_ERROR = re.compile(r"^(config|contracts|datalake|lake|pipelines|stacks)\.[\w.]+: ")  # whose text is a sentence


class SynthError(Exception):
    """The app did not synthesize; its text is what the app said."""


def synth(output: Path, *, validate: bool = True, **context: str) -> dict[str, int]:
    """Write the templates of the app into `output`; answers each template's name and number of resources.

    `validate=False` leaves out the CDK's own check of templates against CloudFormation's schemas, which takes
    longer than the rest together; cdk-nag runs in any case.
    """
    output.mkdir(parents=True, exist_ok=True)
    environment = {
        **os.environ,
        **prerequisites.node_environment(),
        "CDK_OUTDIR": str(output),
        "CDK_CONTEXT_JSON": json.dumps({**_shipped_context(), **context}),
        "CDK_VALIDATION": "true" if validate else "false",
    }
    done = subprocess.run(
        [sys.executable, str(ROOT / "app.py")], cwd=ROOT, env=environment, capture_output=True, text=True
    )
    if done.returncode:
        raise SynthError(_last_words(done.stderr))
    templates = sorted(output.glob("*.template.json"))
    return {
        path.name.removesuffix(".template.json"): len(json.loads(path.read_text())["Resources"]) for path in templates
    }


def _shipped_context() -> dict[str, object]:
    context: dict[str, object] = json.loads((ROOT / "cdk.json").read_text()).get("context", {})
    return context


def _last_words(stderr: str) -> str:
    """The exception's own text where there is a traceback, else all of it."""
    lines = stderr.strip().splitlines()
    frames = [number for number, line in enumerate(lines) if line.startswith("  File ")]
    words = "\n".join(lines[frames[-1] + 2 :] if frames else lines[-20:])
    return OWN_ERROR.sub("", words) or "The app gave no reason."
