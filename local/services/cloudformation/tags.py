"""Tags that change with a template: each service has its own two calls for it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from local.services.cloudformation.registry import Context, tag_list, tag_map


@dataclass(frozen=True)
class Tagging:
    """How a service tags: its two calls, and their parameters for the resource, the tags, and the keys to go."""

    tag: str
    untag: str
    resource: str
    tags: str
    keys: str
    as_map: bool = False
    lower: bool = False

    def form(self, tags: dict[str, str]) -> Any:
        if self.as_map:
            return tags
        return tag_list(tags, "key", "value") if self.lower else tag_list(tags)


COMMON = Tagging("tag_resource", "untag_resource", "ResourceArn", "Tags", "TagKeys")
SERVICES = {
    "athena": Tagging("tag_resource", "untag_resource", "ResourceARN", "Tags", "TagKeys"),
    "cloudwatch": Tagging("tag_resource", "untag_resource", "ResourceARN", "Tags", "TagKeys"),
    "dynamodb": COMMON,
    "ecr": Tagging("tag_resource", "untag_resource", "resourceArn", "tags", "tagKeys"),
    "events": Tagging("tag_resource", "untag_resource", "ResourceARN", "Tags", "TagKeys"),
    "glue": Tagging("tag_resource", "untag_resource", "ResourceArn", "TagsToAdd", "TagsToRemove", as_map=True),
    "iam": Tagging("tag_role", "untag_role", "RoleName", "Tags", "TagKeys"),
    "kinesis": Tagging("add_tags_to_stream", "remove_tags_from_stream", "StreamName", "Tags", "TagKeys", as_map=True),
    "lambda": Tagging("tag_resource", "untag_resource", "Resource", "Tags", "TagKeys", as_map=True),
    "logs": Tagging("tag_resource", "untag_resource", "resourceArn", "tags", "tagKeys", as_map=True),
    "scheduler": COMMON,
    "secretsmanager": Tagging("tag_resource", "untag_resource", "SecretId", "Tags", "TagKeys"),
    "sns": COMMON,
    "sqs": Tagging("tag_queue", "untag_queue", "QueueUrl", "Tags", "TagKeys", as_map=True),
    "stepfunctions": Tagging("tag_resource", "untag_resource", "resourceArn", "tags", "tagKeys", lower=True),
}


def retag(context: Context, service: str, resource: str, old: Any, new: Any) -> None:
    """Bring the tags of a resource from those of the old template to those of the new."""
    before, after = tag_map(old), tag_map(new)
    if before == after:
        return
    how, client = SERVICES[service], context.client(service)
    gone = sorted(before.keys() - after.keys())
    if gone:
        getattr(client, how.untag)(**{how.resource: resource, how.keys: gone})
    if after:
        getattr(client, how.tag)(**{how.resource: resource, how.tags: how.form(after)})
