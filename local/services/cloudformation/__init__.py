"""CloudFormation: moto knows some hundred types in part, skips unknown ones and properties, and never rolls back.

Here the types that a lake uses are made by calls to the services' own APIs; anything else is an error that names it.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING

from local.services.cloudformation import changes, stacks

if TYPE_CHECKING:
    from local.endpoint import Endpoint

TYPES = (
    "analytics", "api_keys", "apis", "buckets", "functions", "identity", "keys", "lake_formation", "machines",
    "messages", "queries", "schedules", "streams", "tables", "trails", "watching",
)  # fmt: skip

FIDELITY = (
    ("CloudFormation", "create, update, delete of stacks and change sets", "ours, over moto's protocol", "real"),
    ("CloudFormation", "order by reference, roll-back, deletion and replacement policies, events", "ours", "real"),
    ("CloudFormation", "exports, conditions, mappings, parameters from SSM", "moto", "real"),
    ("CloudFormation", "work is done when the call returns, not after it", "ours", "simulated"),
    ("CloudFormation", "Rules of a template, stack policies, termination protection, drift", "", "simulated"),
    ("CloudFormation", "resource types and properties that this page does not list", "", "refused"),
    ("CloudFormation", "custom resources, nested stacks, macros, transforms, other functions", "", "refused"),
)

for _module in TYPES:
    importlib.import_module(f"local.services.cloudformation.types.{_module}")


FIRST_CALLS = {
    "ssm": "describe_parameters", "s3": "list_buckets", "cloudformation": "list_stacks", "iam": "list_roles",
    "kms": "list_keys", "glue": "get_databases", "lambda": "list_functions", "logs": "describe_log_groups",
    "athena": "list_work_groups", "dynamodb": "list_tables", "stepfunctions": "list_state_machines",
    "cloudwatch": "describe_alarms", "events": "list_rules", "sqs": "list_queues", "sns": "list_topics",
    "secretsmanager": "list_secrets", "budgets": "", "scheduler": "list_schedules", "apigateway": "get_rest_apis",
    "kinesis": "list_streams", "lakeformation": "list_lf_tags", "cloudtrail": "list_trails",
}  # fmt: skip


def install(endpoint: Endpoint) -> None:
    changes.install(stacks.install(endpoint))
    if endpoint.warm_up:
        endpoint.on_ready(lambda: call_first(endpoint))


def call_first(endpoint: Endpoint) -> None:
    """The first client and the first call of a service cost 0.1 to 2 s, which the app's synthesis can hide."""
    for service, action in FIRST_CALLS.items():
        if endpoint.stopping.is_set():
            return
        client = endpoint.client(service)
        if action:
            getattr(client, action)()
