"""Topics and queues."""

from __future__ import annotations

import json
from typing import Any

from local.services.cloudformation.registry import (
    Context,
    Made,
    Properties,
    Resource,
    ResourceType,
    present,
    register,
    tag_list,
    tag_map,
)
from local.services.cloudformation.tags import retag


def as_text(document: Any) -> str:
    return document if isinstance(document, str) else json.dumps(document)


TOPIC = ("DisplayName", "KmsMasterKeyId", "SignatureVersion", "TracingConfig")


def create_topic(context: Context, properties: Properties) -> Made:
    attributes = {name: str(properties[name]) for name in TOPIC if name in properties}
    if str(properties.get("FifoTopic", False)).lower() == "true":
        attributes["FifoTopic"] = "true"
    request = {"Name": context.name, "Attributes": attributes, "Tags": tag_list(properties.get("Tags"))}
    arn = context.call("sns", "CreateTopic", request)["TopicArn"]
    for one in properties.get("Subscription", []):
        context.client("sns").subscribe(TopicArn=arn, Protocol=one["Protocol"], Endpoint=one["Endpoint"])
    return Made(arn, {"TopicArn": arn, "TopicName": context.name})


def update_topic(context: Context, old: Resource, properties: Properties) -> Made:
    arn = old.physical_resource_id
    for name in TOPIC:
        if old.properties.get(name) != properties.get(name):
            value = str(properties.get(name, ""))
            context.client("sns").set_topic_attributes(TopicArn=arn, AttributeName=name, AttributeValue=value)
    retag(context, "sns", arn, old.properties.get("Tags"), properties.get("Tags"))
    return old.made


register(
    ResourceType(
        type="AWS::SNS::Topic",
        create=create_topic,
        update=update_topic,
        delete=lambda context, old: context.client("sns").delete_topic(TopicArn=old.physical_resource_id),
        name="TopicName",
        known=frozenset({"FifoTopic", "Subscription", "Tags", "TopicName", *TOPIC}),
        fixed=frozenset({"FifoTopic", "Subscription", "TopicName"}),
    )
)


def put_topic_policy(context: Context, properties: Properties) -> Made:
    policy = as_text(properties["PolicyDocument"])
    for topic in properties["Topics"]:
        context.client("sns").set_topic_attributes(TopicArn=topic, AttributeName="Policy", AttributeValue=policy)
    return Made(context.name, {"Id": context.name})


def keep_policy(context: Context, old: Resource) -> None:
    """A topic's policy goes with the topic; SNS has no call that takes it away."""


register(
    ResourceType(
        type="AWS::SNS::TopicPolicy",
        create=put_topic_policy,
        update=lambda context, old, properties: put_topic_policy(context, properties),
        delete=keep_policy,
        known=frozenset({"PolicyDocument", "Topics"}),
    )
)

SUBSCRIPTION = (
    "DeliveryPolicy", "FilterPolicy", "FilterPolicyScope", "RawMessageDelivery", "RedrivePolicy", "SubscriptionRoleArn",
)  # fmt: skip


def subscribe(context: Context, properties: Properties) -> Made:
    attributes = {name: attribute(properties[name]) for name in SUBSCRIPTION if name in properties}
    request = {**present(properties, "TopicArn", "Protocol", "Endpoint"), "Attributes": attributes}
    arn = context.call("sns", "Subscribe", {**request, "ReturnSubscriptionArn": True})["SubscriptionArn"]
    return Made(arn, {"Arn": arn})


def attribute(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else as_text(value)


def update_subscription(context: Context, old: Resource, properties: Properties) -> Made:
    for name in SUBSCRIPTION:
        if old.properties.get(name) != properties.get(name):
            value = attribute(properties.get(name, {}))
            context.client("sns").set_subscription_attributes(
                SubscriptionArn=old.physical_resource_id, AttributeName=name, AttributeValue=value
            )
    return old.made


register(
    ResourceType(
        type="AWS::SNS::Subscription",
        create=subscribe,
        update=update_subscription,
        delete=lambda context, old: context.client("sns").unsubscribe(SubscriptionArn=old.physical_resource_id),
        known=frozenset({"Endpoint", "Protocol", "TopicArn", *SUBSCRIPTION}),
        fixed=frozenset({"Endpoint", "Protocol", "TopicArn"}),
    )
)

QUEUE = (
    "ContentBasedDeduplication", "DeduplicationScope", "DelaySeconds", "FifoQueue", "FifoThroughputLimit",
    "KmsDataKeyReusePeriodSeconds", "KmsMasterKeyId", "MaximumMessageSize", "MessageRetentionPeriod",
    "ReceiveMessageWaitTimeSeconds", "RedriveAllowPolicy", "RedrivePolicy", "SqsManagedSseEnabled",
    "VisibilityTimeout",
)  # fmt: skip


def create_queue(context: Context, properties: Properties) -> Made:
    attributes = {name: attribute(properties[name]) for name in QUEUE if name in properties}
    request = {"QueueName": context.name, "Attributes": attributes, "tags": tag_map(properties.get("Tags"))}
    url = context.call("sqs", "CreateQueue", request)["QueueUrl"]
    return Made(url, {"Arn": context.arn("sqs", context.name), "QueueName": context.name, "QueueUrl": url})


def update_queue(context: Context, old: Resource, properties: Properties) -> Made:
    url = old.physical_resource_id
    changed = {name for name in QUEUE if old.properties.get(name) != properties.get(name)}
    attributes = {name: attribute(properties.get(name, DEFAULTS.get(name, ""))) for name in sorted(changed)}
    if attributes:
        context.client("sqs").set_queue_attributes(QueueUrl=url, Attributes=attributes)
    retag(context, "sqs", url, old.properties.get("Tags"), properties.get("Tags"))
    return old.made


DEFAULTS = {
    "DelaySeconds": "0", "MaximumMessageSize": "262144", "MessageRetentionPeriod": "345600",
    "ReceiveMessageWaitTimeSeconds": "0", "VisibilityTimeout": "30",
}  # fmt: skip

register(
    ResourceType(
        type="AWS::SQS::Queue",
        create=create_queue,
        update=update_queue,
        delete=lambda context, old: context.client("sqs").delete_queue(QueueUrl=old.physical_resource_id),
        name="QueueName",
        known=frozenset({"QueueName", "Tags", *QUEUE}),
        fixed=frozenset({"FifoQueue", "QueueName"}),
    )
)


def put_queue_policy(context: Context, properties: Properties) -> Made:
    policy = {"Policy": as_text(properties["PolicyDocument"])}
    for queue in properties["Queues"]:
        context.client("sqs").set_queue_attributes(QueueUrl=queue, Attributes=policy)
    return Made(context.name, {"Id": context.name})


def delete_queue_policy(context: Context, old: Resource) -> None:
    for queue in old.properties["Queues"]:
        context.client("sqs").set_queue_attributes(QueueUrl=queue, Attributes={"Policy": ""})


register(
    ResourceType(
        type="AWS::SQS::QueuePolicy",
        create=put_queue_policy,
        update=lambda context, old, properties: put_queue_policy(context, properties),
        delete=delete_queue_policy,
        known=frozenset({"PolicyDocument", "Queues"}),
    )
)
