"""The lake's Iceberg tables as PyIceberg sees them, for commands that look into snapshots."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cli.target import Target

if TYPE_CHECKING:
    from pyiceberg.catalog import Catalog


def open_catalog(target: Target) -> Catalog:
    """Glue of the environment; on the laptop that of its endpoint."""
    from pyiceberg.catalog import load_catalog

    region = {"glue.region": target.environment.region, "s3.region": target.environment.region}
    if target.endpoint_url is None:
        return load_catalog("lake", type="glue", **region, **_for_both(_found_by_boto3()))
    from local.laptop import USER

    keys = {"access-key-id": USER.access_key, "secret-access-key": USER.secret_key, "endpoint": target.endpoint_url}
    return load_catalog("lake", type="glue", **region, **_for_both(keys), **{"s3.force-virtual-addressing": "false"})


def _found_by_boto3() -> dict[str, str]:
    """S3's reader would look by itself, and does not know single sign-on as boto3 does."""
    import boto3

    found = boto3.Session().get_credentials()
    if found is None:
        return {}
    frozen = found.get_frozen_credentials()
    token = {"session-token": frozen.token} if frozen.token else {}
    return {"access-key-id": frozen.access_key, "secret-access-key": frozen.secret_key, **token}


def _for_both(settings: dict[str, str]) -> dict[str, str]:
    return {f"{service}.{name}": value for service in ("glue", "s3") for name, value in settings.items()}
