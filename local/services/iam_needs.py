"""Which permissions a request needs, on which resources: for each service that the lake uses.

What has no mapping is unclear, and a role that asks for it is refused by name.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Iterator
from typing import Any
from urllib.parse import unquote

from moto.awslambda.exceptions import UnknownFunctionException
from moto.awslambda.models import lambda_backends
from moto.kinesis.utils import decompose_shard_iterator
from moto.sns.models import sns_backends
from moto.sqs.models import sqs_backends

from local.services import iam_glue, iam_kms, iam_s3
from local.services.iam_permissions import GLOBAL, PASSES, PLAIN, SAME_AS, WILD
from local.services.iam_request import Asked, Need, UnclearError

PARAMETER = re.compile(r"\{([^}]+)\}")
BY_ITEM = {"Put": "PutItem", "Update": "UpdateItem", "Delete": "DeleteItem", "ConditionCheck": "ConditionCheckItem",
           "Get": "GetItem"}  # fmt: skip
FUNCTION_PATH = re.compile(r"^/20\d\d-\d\d-\d\d/functions/([^/]+)")
SCHEDULE_PATH = re.compile(r"^/schedules/([^/]+)")


def _plain(asked: Asked) -> Iterator[Need]:
    for actions, template in PLAIN[asked.prefix].items():
        if asked.action in actions.split() or actions == WILD:
            resource = PARAMETER.sub(lambda found: asked.first(*found[1].split("|")), template)
            resource = resource[resource.index("arn:") :] if "arn:" in resource else resource.replace("//", "/")
            whole = f"arn:aws:iam::{asked.account}:{resource}" if asked.prefix in GLOBAL else resource
            yield asked.need(resource if resource == WILD or resource.startswith("arn:") else whole, _permission(asked))
            return
    raise UnclearError(f"{asked.prefix}:{asked.action}, which the laptop has no mapping for")


def _permission(asked: Asked) -> str:
    return SAME_AS.get(f"{asked.prefix}:{asked.action}", asked.action)


def _dynamodb(asked: Asked) -> Iterator[Need]:
    params = asked.params
    if asked.action == "ListTables":
        yield asked.need(WILD)
        return
    if asked.action in ("TransactWriteItems", "TransactGetItems"):
        found = [
            (BY_ITEM[kind], str(one["TableName"])) for each in params["TransactItems"] for kind, one in each.items()
        ]
    elif asked.action in ("BatchGetItem", "BatchWriteItem"):
        found = [(asked.action, name) for name in params.get("RequestItems") or {}]
    else:
        found = [(asked.action, asked.first("TableName", "TableArn"))]
    for permission, table in dict.fromkeys(found):
        name = table.rpartition("/")[2]
        index = f"/index/{params['IndexName']}" if "IndexName" in params else ""
        yield asked.need(f"table/{name}{index}", permission)
        yield from iam_kms.of_table(asked, name)


def _kinesis(asked: Asked) -> Iterator[Need]:
    if asked.action == "GetRecords":
        name = decompose_shard_iterator(asked["ShardIterator"])[0]
        yield asked.need(f"stream/{name}")
    else:
        yield from _plain(asked)
        name = str(asked.params.get("StreamName") or asked.params.get("StreamARN", "")).rpartition("/")[2]
    yield from iam_kms.of_stream(asked, name)


def _logs(asked: Asked) -> Iterator[Need]:
    """AWS writes a group as the group with a stream that has no name."""
    if asked.action in ("DescribeLogGroups", "DescribeResourcePolicies", "PutResourcePolicy") or (
        asked.action.endswith(("LogDelivery", "LogDeliveries"))
    ):
        yield asked.need(WILD)
        return
    group = asked.first("logGroupName", "logGroupIdentifier")
    group = group.partition(":log-group:")[2].removesuffix(":*") if group.startswith("arn:") else group
    yield asked.need(f"log-group:{group}:log-stream:{asked.params.get('logStreamName') or ''}")


def _metrics(asked: Asked) -> Iterator[Need]:
    if asked.action == "PutMetricData":
        yield asked.need(WILD, context={"cloudwatch:namespace": asked["Namespace"]})
    elif asked.action == "DeleteAlarms":
        names = asked.params.get("AlarmNames") or asked.listed("AlarmNames")
        yield from asked.needs(f"alarm:{each}" for each in names)
    else:
        yield from _plain(asked)


def _secrets(asked: Asked) -> Iterator[Need]:
    if asked.action in ("CreateSecret", "ListSecrets", "GetRandomPassword"):
        yield from _plain(asked)
        return
    names = asked.params.get("SecretIdList") or [asked["SecretId"]]
    for name in names:
        found = iam_kms.secret_named(asked, name)
        policy = found.policy if found is not None else None
        whole = found.arn if found is not None else name if name.startswith("arn:") else f"secret:{name}"
        permission = "GetSecretValue" if asked.action == "BatchGetSecretValue" else asked.action
        yield asked.need(whole, permission, policy=policy)
        yield from iam_kms.of_secret(asked, found)


def _queues(asked: Asked) -> Iterator[Need]:
    if asked.action == "ListQueues":
        yield asked.need(WILD)
        return
    name = asked.first("QueueUrl", "QueueName").rpartition("/")[2]
    queue: Any = sqs_backends[asked.account][asked.region].queues.get(name)
    policy = queue.policy if queue is not None else None
    yield asked.need(name, _permission(asked), policy=policy if isinstance(policy, str) else _json(policy))
    yield from iam_kms.of_queue(asked, name)


def _topics(asked: Asked) -> Iterator[Need]:
    for need in _plain(asked):
        topic: Any = sns_backends[asked.account][asked.region].topics.get(need.resource)
        owner: dict[str, str | tuple[str, ...]] = {"aws:sourceowner": asked.account}  # as SNS's default policy asks
        yield Need(need.permission, need.resource, owner, topic.policy if topic is not None else None)
        yield from iam_kms.of_topic(asked, need.resource)


def _events(asked: Asked) -> Iterator[Need]:
    if asked.action != "PutEvents":
        yield from _plain(asked)
        return
    buses = dict.fromkeys(str(each.get("EventBusName") or "default") for each in asked.params.get("Entries") or ())
    yield from asked.needs(bus if bus.startswith("arn:") else f"event-bus/{bus}" for bus in buses)


def _parameters(asked: Asked) -> Iterator[Need]:
    if asked.action in ("GetParameters", "DeleteParameters"):
        yield from asked.needs(f"parameter/{each}".replace("//", "/") for each in asked.params["Names"])
    else:
        yield from _plain(asked)


def _functions(asked: Asked) -> Iterator[Need]:
    found = FUNCTION_PATH.match(asked.raw.path)
    if found is None and asked.action.startswith("List"):
        yield asked.need(WILD)
        return
    name = unquote(found[1]) if found else asked["FunctionName"]
    name = name.partition(":function:")[2] or name
    qualifier = asked.query.get("Qualifier", "")
    whole = f"function:{name}:{qualifier}" if qualifier and ":" not in name else f"function:{name}"
    yield asked.need(whole, _permission(asked), policy=_function_policy(asked, name.partition(":")[0]))


def _function_policy(asked: Asked, name: str) -> str | None:
    try:
        function: Any = lambda_backends[asked.account][asked.region].get_function(name)
    except UnknownFunctionException:
        return None
    return _json({"Version": "2012-10-17", "Statement": function.policy.statements})


def _schedules(asked: Asked) -> Iterator[Need]:
    found = SCHEDULE_PATH.match(asked.raw.path)
    if found is None:
        yield asked.need(WILD)
        return
    group = asked.query.get("groupName") or asked.params.get("GroupName") or "default"
    yield asked.need(f"schedule/{group}/{unquote(found[1])}")


def _apis(asked: Asked) -> Iterator[Need]:
    yield Need(f"apigateway:{asked.raw.method}", f"arn:aws:apigateway:{asked.region}::{asked.raw.path}")


def _json(value: Any) -> str | None:
    return json.dumps(value) if value else None


SERVICES: dict[str, Callable[[Asked], Iterable[Need]]] = {
    "apigateway": _apis,
    "athena": iam_glue.athena,
    "cloudwatch": _metrics,
    "dynamodb": _dynamodb,
    "events": _events,
    "glue": iam_glue.needs,
    "kinesis": _kinesis,
    "kms": iam_kms.needs,
    "lambda": _functions,
    "logs": _logs,
    "s3": iam_s3.needs,
    "scheduler": _schedules,
    "secretsmanager": _secrets,
    "sns": _topics,
    "sqs": _queues,
    "ssm": _parameters,
}


def needs(asked: Asked) -> list[Need]:
    """All that the request needs; an UnclearError where that cannot be told."""
    known = SERVICES.get(asked.prefix) or (_plain if asked.prefix in PLAIN else None)
    if known is None:
        raise UnclearError(f"{asked.prefix}:{asked.action}, which the laptop has no mapping for")
    return list(known(asked))


def passed(asked: Asked) -> list[tuple[str, str]]:
    """The roles that the request hands to a service, and that service."""
    if asked.prefix == "s3":
        return []
    name = f"{asked.prefix}:{asked.action}"
    if name == "events:PutTargets":
        targets = asked.params.get("Targets") or ()
        return [(each["RoleArn"], "events.amazonaws.com") for each in targets if each.get("RoleArn")]
    if name not in PASSES:
        return []
    parameter, service = PASSES[name]
    try:
        return [(asked[parameter], f"{service}.amazonaws.com")]
    except UnclearError:
        return []  # none is handed over
