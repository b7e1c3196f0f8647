"""The CDK app: `cdk deploy --all -c env=prod`; without `-c env` it is dev."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

import aws_cdk as cdk
from aws_cdk import cx_api
from cdk_nag import AwsSolutionsChecks

import config
import pipelines
from config import ports
from contracts import compile
from stacks.catalog_stack import CatalogStack
from stacks.governance_stack import GovernanceStack
from stacks.monitoring_stack import MonitoringStack
from stacks.pipeline_stack import PipelineStack
from stacks.storage_stack import StorageStack
from stacks.stream_stack import StreamStack

from datalake.code import ROOT, pack  # isort: skip  (stacks puts constructs/ on the path)


def build(app: cdk.App, folder: Path) -> None:
    """The stacks of one environment; `folder` holds the packed code until the app is synthesized."""
    context = app.node.try_get_context
    given = context("source_ports")
    environment = config.load(context("env") or "dev", ports.parse(given) if given else None)
    root = Path(context("lake_root") or ROOT)  # of contracts/, pipelines/, models/ and queries/
    lake = compile.read(environment, root)
    archive = pack(lake.write, folder)
    schedules = {each.name: pipelines.schedule(each, environment) for each in pipelines.load_all(root).values()}

    name, options = environment.resource, _options(environment)
    storage = StorageStack(app, name("storage"), environment=environment, **options)
    catalog = CatalogStack(app, name("catalog"), environment=environment, queries=lake.queries.named, **options)
    pipeline = PipelineStack(
        app, name("pipeline"), environment=environment, schedules=schedules, archive=archive, **options
    )
    monitoring = MonitoringStack(app, name("monitoring"), environment=environment, archive=archive, **options)
    governance = GovernanceStack(
        app, name("governance"), environment=environment, plan=lake.plan, readable=lake.readable, **options
    )
    # They find each other by name, so nothing but this says in which order they are made.
    order = ((catalog, storage), (pipeline, catalog), (monitoring, pipeline), (governance, pipeline))
    for later, earlier in order:
        later.add_stack_dependency(earlier)
    if environment.streams:
        stream = StreamStack(app, name("stream"), environment=environment, archive=archive, **options)
        stream.add_stack_dependency(monitoring)  # its alarms publish to that stack's topic
    for key, value in environment.tags.items():
        cdk.Tags.of(app).add(key, value)


def _options(environment: config.Environment) -> dict[str, Any]:
    options: dict[str, Any] = {"env": cdk.Environment(account=environment.account, region=environment.region)}
    policy = environment.permissions_boundary
    if policy is None:
        return options
    from_text = cdk.PermissionsBoundary.from_arn if policy.startswith("arn:") else cdk.PermissionsBoundary.from_name
    return {**options, "permissions_boundary": from_text(policy)}


def synthesize(app: cdk.App) -> cx_api.CloudAssembly:
    """Check every resource against the AwsSolutions rules, and write the templates and assets."""
    cdk.Validations.of(app).add_plugins(AwsSolutionsChecks(app))
    with tempfile.TemporaryDirectory() as folder:
        build(app, Path(folder))
        return app.synth()


if __name__ == "__main__":
    synthesize(cdk.App())
