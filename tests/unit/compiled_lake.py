"""A small compiled lake: two sources, one model, one pipeline."""

from __future__ import annotations

import json
from typing import Any

from lake.model import Lake

ENVIRONMENT: dict[str, Any] = {
    "name": "test",
    "account": "123456789012",
    "region": "us-east-1",
    "buckets": {"bronze": "bronze-bucket", "silver": "silver-bucket", "gold": "gold-bucket"},
    "databases": {layer: f"headwater_test_{layer}" for layer in ("bronze", "silver", "gold")},
    "ledger": "headwater-test-ledger",
    "topic_arn": "arn:aws:sns:us-east-1:123456789012:headwater-test-alerts",
    "connections": {"saas": "headwater-test-saas"},
    "resources": {noun: f"headwater-test-{noun}" for noun in ("tickit", "apply", "maintain")},
    "rows_per_partition": 100000,
    "runbook": "docs/runbook.md",
}
USERS: dict[str, Any] = {
    "id": "saas.users",
    "source": "saas",
    "name": "users",
    "layer": "silver",
    "version": "1.0.0",
    "hash": "hash-of-users",
    "columns": [
        {"name": "user_id", "type": "int", "source": "userid", "required": True},
        {"name": "email", "type": "string", "source": "email", "classification": "pii"},
    ],
    "key": ["user_id"],
    "freshness_hours": 24,
}
SALES: dict[str, Any] = {
    **USERS,
    "id": "ecommerce.sales",
    "source": "ecommerce",
    "name": "sales",
    "hash": "hash-of-sales",
    "references": [
        {"name": "foreign_key_user_id", "columns": ["user_id"], "dataset": "saas.users", "parent_columns": ["user_id"]}
    ],
}
SALES_BY_DATE: dict[str, Any] = {
    **USERS,
    "id": "gold.sales_by_date",
    "source": "gold",
    "name": "sales_by_date",
    "layer": "gold",
    "hash": "hash-of-sales-by-date",
    "sql": "SELECT 1",
    "inputs": ["ecommerce.sales"],
}
VIEW: dict[str, Any] = {
    "name": "sales_of_days",
    "description": "Sales by day.",
    "sql": "SELECT user_id FROM sales_by_date",
    "columns": [{"name": "user_id", "type": "int", "description": "Who."}],
    "inputs": ["gold.sales_by_date"],
}
PIPELINE: dict[str, Any] = {
    "name": "tickit",
    "schedule": "cron(0 3 * * ? *)",
    "interval_hours": 24,
    "datasets": ["saas.users", "ecommerce.sales"],
    "models": ["gold.sales_by_date"],
    "sla_minutes": 90,
}
DATASETS = [USERS, SALES, SALES_BY_DATE]
LAKE = Lake.from_dict({"environment": ENVIRONMENT, "datasets": DATASETS, "pipelines": [PIPELINE], "views": [VIEW]})


def compiled_files() -> dict[str, str]:
    """The package `compiled` of an asset, by path."""
    files: dict[str, Any] = {"compiled/environment.json": ENVIRONMENT, "compiled/pipelines/tickit.json": PIPELINE}
    files["compiled/views.json"] = [VIEW]
    files |= {f"compiled/datasets/{each['id']}.json": each for each in DATASETS}
    return {"compiled/__init__.py": '""', **{path: json.dumps(content) for path, content in files.items()}}
