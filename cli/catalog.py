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
        return load_catalog("lake", type="glue", **region)
    from local.laptop import USER

    keys = {"access-key-id": USER.access_key, "secret-access-key": USER.secret_key, "endpoint": target.endpoint_url}
    local = {f"{service}.{name}": value for service in ("glue", "s3") for name, value in keys.items()}
    return load_catalog("lake", type="glue", **region, **local, **{"s3.force-virtual-addressing": "false"})
