"""`synth`, `deploy`, `diff`, `destroy`: the CDK app, by the pinned CDK CLI, against AWS or the laptop's endpoint."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Annotated

import typer

from cli.target import ROOT, EnvOption

ContextOption = Annotated[
    list[str] | None, typer.Option("--context", "-c", help="CDK context, KEY=VALUE; may be repeated.")
]


def synth(
    env: EnvOption = "dev", output: Annotated[Path | None, typer.Option(help="Folder for the templates.")] = None
) -> None:
    """Write the CloudFormation templates of an environment; needs no AWS credentials."""
    import config
    from cli.console import console
    from local import prerequisites, synthesis

    environment = config.load(env)
    prerequisites.fetch()
    folder = output or ROOT / "cdk.out" / environment.name
    for template, resources in synthesis.synth(folder, env=env).items():
        console.print(f"{template}: {resources} resources")
    console.print(f"Templates are in {folder}")


def deploy(env: EnvOption = "local", context: ContextOption = None) -> None:
    """Deploy every stack of an environment."""
    _cdk(env, context, "deploy", "--all", "--require-approval", "never")


def diff(env: EnvOption = "local", context: ContextOption = None) -> None:
    """Show what a deploy would change."""
    _cdk(env, context, "diff")


def destroy(
    env: EnvOption = "local",
    context: ContextOption = None,
    force: Annotated[bool, typer.Option("--force", help="Do not ask.")] = False,
) -> None:
    """Delete every stack of an environment; buckets and tables stay unless the environment and a flag say otherwise."""
    _cdk(env, context, "destroy", "--all", *(["--force"] if force else []))


def _cdk(env: str, context: list[str] | None, *arguments: str) -> None:
    import config
    from cli.target import target
    from config import ports
    from local import prerequisites

    config.load(env)
    prerequisites.fetch()
    pairs = [f"env={env}", *(context or [])]
    environment = {**os.environ, **prerequisites.node_environment()}
    if env == "local":
        from local import laptop

        lake = target(env)
        running = laptop.running()
        assert running is not None  # target() has refused otherwise
        assert lake.endpoint_url is not None
        environment |= laptop.USER.environment(lake.endpoint_url, lake.environment.region)
        pairs.append(f"source_ports={ports.write(running.source_ports)}")
    raise typer.Exit(_call(environment, pairs, *arguments))


def _call(environment: dict[str, str], pairs: list[str], *arguments: str) -> int:
    from local import prerequisites

    command = [*prerequisites.cdk(), "--no-notices", *arguments, "--app", f'"{sys.executable}" app.py']
    for pair in pairs:
        command += ["-c", pair]
    return subprocess.call(command, cwd=ROOT, env=environment)
