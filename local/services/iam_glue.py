"""What requests to Glue and Athena need: on the catalog a resource with all that is above it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from moto.athena.models import athena_backends

from local.services.iam_request import Asked, Need, UnclearError

CATALOG_WIDE = {"GetDatabases", "GetCatalogImportStatus", "GetDataCatalogEncryptionSettings", "GetResourcePolicies"}
BELOW = ("table", "userDefinedFunction")  # what deleting a database deletes
OWN = {  # what stands beside the catalog, by the end of an action's name
    "Job": "job", "Jobs": "job", "JobRun": "job", "JobRuns": "job", "JobBookmark": "job",
    "Crawler": "crawler", "CrawlerSchedule": "crawler", "Crawls": "crawler",
    "DataQualityRuleset": "dataQualityRuleset", "Trigger": "trigger", "Workflow": "workflow",
}  # fmt: skip
VERBS = ("BatchCreate", "BatchDelete", "BatchGet", "BatchStop", "BatchUpdate", "Create", "Delete", "Get", "List",
         "Reset", "Search", "Start", "Stop", "Update")  # fmt: skip
LISTS = {
    "GetJobs", "ListJobs", "GetCrawlers", "ListCrawlers", "GetCrawlerMetrics", "ListDataQualityRulesets",
    "ListTriggers", "ListWorkflows", "GetSecurityConfigurations", "GetSecurityConfiguration", "GetTags", "TagResource",
    "UntagResource", "GetClassifiers", "GetConnections",
}  # fmt: skip
NAMED = ("JobName", "Name", "CrawlerName", "DataQualityRulesetName", "RulesetName")
OF_TABLES = ("Table", "Partition", "ColumnStatistics")
BY_GROUP = {  # of Athena: how a request names what belongs to a workgroup
    "QueryExecutionId": "executions", "NamedQueryId": "named_queries",
}  # fmt: skip
ATHENA_LISTS = {"ListDataCatalogs", "ListWorkGroups", "ListEngineVersions", "ListCapacityReservations"}
OF_CATALOG = {"GetDataCatalog", "GetDatabase", "ListDatabases", "GetTableMetadata", "ListTableMetadata",
              "CreateDataCatalog", "UpdateDataCatalog", "DeleteDataCatalog"}  # fmt: skip


def needs(asked: Asked) -> Iterator[Need]:
    action, what = asked.action, _noun(asked.action)
    if action in LISTS:
        yield asked.need("*")
    elif what in OWN:
        yield asked.need(f"{OWN[what]}/{asked.first(*NAMED)}")
    elif what == "Connection":
        yield from asked.needs(["catalog", f"connection/{asked.first('Name', 'ConnectionInput.Name')}"])
    elif action in CATALOG_WIDE:
        yield asked.need("catalog")
    elif action == "SearchTables":
        yield from asked.needs(["catalog", "database/*", "table/*/*"])
    elif what == "Database":
        name = asked.first("Name", "DatabaseInput.Name")
        below = [f"{each}/{name}/*" for each in BELOW] if action == "DeleteDatabase" else []
        yield from asked.needs(["catalog", f"database/{name}", *below])
    elif what.startswith(OF_TABLES):
        yield from _of_tables(asked)
    else:
        raise UnclearError(f"glue:{action}, which the laptop has no mapping for")


def _noun(action: str) -> str:
    verb = next((each for each in VERBS if action.startswith(each)), "")
    return action.removeprefix(verb)


def _of_tables(asked: Asked) -> Iterator[Need]:
    """The catalog, the database and the table; all of a database's tables where none is named."""
    database = asked["DatabaseName"]
    above = ["catalog", f"database/{database}"]
    names = asked.params.get("TablesToDelete")
    if asked.action == "BatchDeleteTable" and isinstance(names, list):
        tables = [str(each) for each in names]
    elif asked.action == "GetTables":
        tables = ["*"]
    else:
        tables = [asked.first("TableName", "Name", "TableInput.Name")]
    yield from asked.needs([*above, *(f"table/{database}/{each}" for each in tables)])


def athena(asked: Asked) -> Iterator[Need]:
    """The workgroup, which a query or a prepared statement belongs to; or the data catalog."""
    if asked.action in ATHENA_LISTS:
        yield asked.need("*")
    elif asked.action in OF_CATALOG:
        name = asked.params.get("CatalogName") or asked.params.get("Name") or "AwsDataCatalog"
        if asked.action in ("GetDatabase", "GetTableMetadata", "ListDatabases", "ListTableMetadata"):
            name = asked.params.get("CatalogName") or "AwsDataCatalog"
        yield asked.need(f"datacatalog/{name}")
    else:
        groups = dict.fromkeys(_groups(asked))
        yield from asked.needs(f"workgroup/{each}" for each in groups)


def _groups(asked: Asked) -> Iterator[str]:
    backend: Any = athena_backends[asked.account][asked.region]
    for parameter, kept in BY_GROUP.items():
        named = asked.params.get(parameter), *(asked.params.get(f"{parameter}s") or ())
        for each in filter(None, named):
            found = getattr(backend, kept).get(each)
            group = getattr(found, "workgroup", None)
            yield str(getattr(group, "name", group) or "primary")
        if any(named):
            return
    group = asked.params.get("WorkGroup")
    if group is None and asked.action in ("GetWorkGroup", "UpdateWorkGroup", "DeleteWorkGroup", "CreateWorkGroup"):
        group = asked.first("WorkGroup", "Name")
    yield str(group or "primary")
