"""A trail as the lake deploys one, over buckets of a test, and what the endpoint has logged."""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any


def trail(endpoint: Any, name: str, logs: str, buckets: Iterable[str]) -> None:
    """Data events of the objects of these buckets, from now on."""
    client = endpoint.client("cloudtrail")
    client.create_trail(Name=name, S3BucketName=logs)
    fields = {
        "eventCategory": {"Equals": ["Data"]},
        "resources.type": {"Equals": ["AWS::S3::Object"]},
        "resources.ARN": {"StartsWith": [f"arn:aws:s3:::{each}/" for each in buckets]},
    }
    told = [{"Field": field, **wanted} for field, wanted in fields.items()]
    client.put_event_selectors(TrailName=name, AdvancedEventSelectors=[{"Name": "Objects", "FieldSelectors": told}])
    client.start_logging(Name=name)


def logged(state: Path) -> list[dict[str, Any]]:
    file = state / "access.jsonl"
    return [json.loads(line) for line in file.read_text().splitlines()] if file.exists() else []
