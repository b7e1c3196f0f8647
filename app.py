"""The CDK app: `cdk deploy --all -c env=prod`; without `-c env` it is dev."""

from __future__ import annotations

import tempfile
from pathlib import Path

import aws_cdk as cdk
from aws_cdk import cx_api
from cdk_nag import AwsSolutionsChecks

import config
import pipelines
from contracts import compile
from stacks.catalog_stack import CatalogStack
from stacks.monitoring_stack import MonitoringStack
from stacks.pipeline_stack import PipelineStack
from stacks.storage_stack import StorageStack

from datalake.code import ROOT, pack  # isort: skip  (stacks puts constructs/ on the path)


def build(app: cdk.App, folder: Path) -> None:
    """The stacks of one environment; `folder` holds the packed code until the app is synthesized."""
    context = app.node.try_get_context
    port = context("source_port")
    environment = config.load(context("env") or "dev", source_port=int(port) if port else None)
    root = Path(context("lake_root") or ROOT)
    archive = pack(lambda target: compile.write(target, environment, root), folder)
    options = {
        "environment": environment,
        "env": cdk.Environment(account=environment.account, region=environment.region),
        "permissions_boundary": _boundary(environment.permissions_boundary),
    }
    storage = StorageStack(app, environment.resource("storage"), **options)
    catalog = CatalogStack(app, environment.resource("catalog"), **options)
    pipeline = PipelineStack(
        app, environment.resource("pipeline"), pipelines=pipelines.load(root), archive=archive, **options
    )
    monitoring = MonitoringStack(app, environment.resource("monitoring"), archive=archive, **options)
    # They find each other by name, so nothing but this says in which order they are made.
    for later, earlier in ((catalog, storage), (pipeline, catalog), (monitoring, pipeline)):
        later.add_stack_dependency(earlier)
    for key, value in environment.tags.items():
        cdk.Tags.of(app).add(key, value)


def _boundary(policy: str | None) -> cdk.PermissionsBoundary | None:
    if policy is None:
        return None
    return (
        cdk.PermissionsBoundary.from_arn(policy)
        if policy.startswith("arn:")
        else cdk.PermissionsBoundary.from_name(policy)
    )


def synthesize(app: cdk.App) -> cx_api.CloudAssembly:
    """Check every resource against the AwsSolutions rules, and write the templates and assets."""
    cdk.Validations.of(app).add_plugins(AwsSolutionsChecks(app))
    with tempfile.TemporaryDirectory() as folder:
        build(app, Path(folder))
        return app.synth()


if __name__ == "__main__":
    synthesize(cdk.App())
