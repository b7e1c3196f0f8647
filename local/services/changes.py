"""Glue and Athena: moto makes connections, crawlers, workgroups and named queries, but cannot change or delete all of
them; CloudFormation needs both.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from moto.athena.models import athena_backends
from moto.core.exceptions import JsonRESTError
from moto.core.responses import ActionResult
from moto.core.utils import utcnow
from moto.glue.exceptions import EntityNotFoundException

from local.services.glue_crawlers import refuse_what_cannot_be_crawled
from local.services.seams import add

if TYPE_CHECKING:
    from local.endpoint import Endpoint

FIDELITY = (
    ("Athena", "workgroups and named queries: changed and deleted", "moto, mended", "real"),
    ("Glue", "connections: changed and deleted", "moto, mended", "real"),
)

CRAWLER_SETTINGS = (
    "Role", "DatabaseName", "Description", "Targets", "Schedule", "Classifiers", "TablePrefix", "SchemaChangePolicy",
    "RecrawlPolicy", "LineageConfiguration", "Configuration", "CrawlerSecurityConfiguration",
)  # fmt: skip


def install(endpoint: Endpoint) -> None:
    glue, athena = "moto.glue.responses:GlueResponse", "moto.athena.responses:AthenaResponse"
    add(f"{glue}.update_connection", update_connection)
    add(f"{glue}.delete_connection", delete_connection)
    add(f"{glue}.update_crawler", update_crawler)
    add(f"{athena}.update_work_group", update_work_group)
    add(f"{athena}.delete_named_query", delete_named_query)


def attribute(name: str) -> str:
    return re.sub(r"(?<!^)(?=[A-Z])", "_", name).lower()


def connection(response: Any, name: str) -> Any:
    found = response.glue_backend.connections.get(name)
    if found is None:
        raise EntityNotFoundException(f"Connection {name} not found.")
    return found


def update_connection(response: Any) -> ActionResult:
    found = connection(response, response._get_param("Name"))
    wanted = response._get_param("ConnectionInput")
    found.connection_input = wanted
    found.description = wanted.get("Description")
    for name in ("ConnectionProperties", "SparkProperties", "AthenaProperties", "PythonProperties"):
        setattr(found, attribute(name), wanted.get(name, {}))
    found.updated_time = utcnow()
    return ActionResult({})


def delete_connection(response: Any) -> ActionResult:
    found = connection(response, response._get_param("ConnectionName"))
    del response.glue_backend.connections[found.name]
    return ActionResult({})


def update_crawler(response: Any) -> ActionResult:
    refuse_what_cannot_be_crawled("UpdateCrawler", response.parameters)
    crawler = response.glue_backend.get_crawler(response._get_param("Name"))
    for name in CRAWLER_SETTINGS:
        if (value := response._get_param(name)) is not None:
            setattr(crawler, attribute(name), value)
    crawler.version += 1
    crawler.last_updated = utcnow()
    return ActionResult({})


def update_work_group(response: Any) -> str:
    backend = athena_backends[response.current_account][response.region]
    found = backend.work_groups.get(response._get_param("WorkGroup"))
    if found is None:
        raise JsonRESTError("InvalidRequestException", f"WorkGroup {response._get_param('WorkGroup')} is not found.")
    found.description = response._get_param("Description") or found.description
    found.state = response._get_param("State") or found.state
    found.configuration = updated(found.configuration, response._get_param("ConfigurationUpdates") or {})
    return "{}"


def updated(configuration: dict[str, Any], changes: dict[str, Any]) -> dict[str, Any]:
    """A workgroup's configuration after ConfigurationUpdates, whose names are longer for the results' place."""
    said = {name.removesuffix("Updates"): value for name, value in changes.items() if not name.startswith("Remove")}
    return {**configuration, **said}


def delete_named_query(response: Any) -> str:
    backend = athena_backends[response.current_account][response.region]
    backend.named_queries.pop(response._get_param("NamedQueryId"), None)
    return "{}"
