"""Glue: moto makes connections and crawlers, but cannot change or delete all of them; CloudFormation needs both."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from moto.core.responses import ActionResult
from moto.core.utils import utcnow
from moto.glue.exceptions import EntityNotFoundException

from local.services.glue_crawlers import refuse_what_cannot_be_crawled
from local.services.seams import add

if TYPE_CHECKING:
    from local.endpoint import Endpoint

FIDELITY = (("Glue", "connections: changed and deleted", "moto, mended", "real"),)

CRAWLER_SETTINGS = (
    "Role", "DatabaseName", "Description", "Targets", "Schedule", "Classifiers", "TablePrefix", "SchemaChangePolicy",
    "RecrawlPolicy", "LineageConfiguration", "Configuration", "CrawlerSecurityConfiguration",
)  # fmt: skip


def install(endpoint: Endpoint) -> None:
    glue = "moto.glue.responses:GlueResponse"
    add(f"{glue}.update_connection", update_connection)
    add(f"{glue}.delete_connection", delete_connection)
    add(f"{glue}.update_crawler", update_crawler)


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
