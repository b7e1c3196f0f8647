"""Lake Formation: moto keeps grants without checking any, has no data cells filters, no vended credentials, no search
by tags, no paging and no inheritance of tags. Here all of it is kept as AWS keeps it, judged by one pure judge, and the
Glue catalog and Athena answer a role by what it may see.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import moto.lakeformation.urls as urls

from local.services import (
    access_log,
    lakeformation_credentials as credentials,
    lakeformation_filters as filters,
    lakeformation_glue,
    lakeformation_grants as grants,
    lakeformation_places as places,
    lakeformation_state,
    lakeformation_tags as tags,
)
from local.services.seams import add, patch

if TYPE_CHECKING:
    from local.endpoint import Endpoint

RESPONSE = "moto.lakeformation.responses:LakeFormationResponse"
DOCS = "docs.aws.amazon.com"
FIDELITY = (
    ("Lake Formation", "LF-tags: values, inheritance (column over table over database), search", "ours", "real"),
    ("Lake Formation", "permissions by name, columns, tag expression, filter; grant options; paging", "ours", "real"),
    ("Lake Formation", "data cells filters in AWS's part of PartiQL, 100 a principal and table", "ours", "real"),
    ("Lake Formation", "several filters add up; of a row that some filter has, cells that none has are NULL "
     f"({DOCS}/lake-formation/latest/dg/data-filters-about.html)", "ours", "real"),
    ("Lake Formation", "places: registered, hybrid access and opt-ins, data location permissions", "ours", "real"),
    ("Lake Formation", "GetTemporaryGlueTableCredentials: scoped to the table's prefix", "ours", "real"),
    ("Lake Formation", "saved tag expressions, transactions, other accounts, nested columns", "", "refused"),
    ("Lake Formation", "names of hidden columns of Iceberg tables are in information_schema, as on AWS "
     f"({DOCS}/athena/latest/ug/querying-iceberg.html: S3 metadata is the source)", "ours", "real"),
    ("Lake Formation", "$partitions, $files, $manifests, $snapshots fail unless every cell is seen; $history and $refs "
     f"are shown ({DOCS}/athena/latest/ug/querying-iceberg.html)", "ours", "real"),
    ("Lake Formation", "a view is read with its reader's rights on what is below it "
     f"({DOCS}/athena/latest/ug/lf-athena-limitations.html)", "ours", "real"),
    ("Lake Formation", "GetPartitions of a table with hidden rows or keys fails: AWS's pages do not say", "ours",
     "simulated"),
)  # fmt: skip
OURS: dict[str, Callable[[Any], dict[str, Any]]] = {
    "RegisterResource": places.register, "UpdateResource": places.update, "DeregisterResource": places.deregister,
    "DescribeResource": places.describe, "ListResources": places.list_, "PutDataLakeSettings": places.put_settings,
    "GrantPermissions": grants.grant, "RevokePermissions": grants.revoke, "ListPermissions": grants.list_,
    "BatchGrantPermissions": grants.batch_grant, "BatchRevokePermissions": grants.batch_revoke,
    "GetEffectivePermissionsForPath": places.effective_for_path,
    "CreateLFTag": tags.create, "GetLFTag": tags.get, "UpdateLFTag": tags.update, "DeleteLFTag": tags.delete,
    "ListLFTags": tags.list_, "AddLFTagsToResource": tags.assign, "RemoveLFTagsFromResource": tags.remove,
    "GetResourceLFTags": tags.of_resource, "SearchTablesByLFTags": tags.search_tables,
    "SearchDatabasesByLFTags": tags.search_databases,
    "CreateDataCellsFilter": filters.create, "UpdateDataCellsFilter": filters.update,
    "GetDataCellsFilter": filters.get, "ListDataCellsFilter": filters.list_, "DeleteDataCellsFilter": filters.delete,
    "CreateLakeFormationOptIn": places.opt_in, "DeleteLakeFormationOptIn": places.opt_out,
    "ListLakeFormationOptIns": places.list_opt_ins, "GetTemporaryGlueTableCredentials": credentials.vend,
}  # fmt: skip


def install(endpoint: Endpoint) -> None:
    from moto.core.utils import camelcase_to_underscores
    from moto.lakeformation.responses import LakeFormationResponse

    for name, call in OURS.items():
        path, attribute = f"{{0}}/{name}$", camelcase_to_underscores(name)
        urls.url_paths.setdefault(path, LakeFormationResponse.dispatch)
        put = patch if hasattr(LakeFormationResponse, attribute) else add
        put(f"{RESPONSE}.{attribute}", answering(call))

    def governed(path: str) -> bool:
        found = lakeformation_state.kept(endpoint.account, endpoint.region).state
        return bool(found.locations) and found.location_of(path) is not None

    access_log.install(endpoint, governed, lambda key: lakeformation_state.principal_of_key(key, endpoint.account))
    lakeformation_glue.install(endpoint)


def answering(call: Callable[[Any], dict[str, Any]]) -> Callable[[Any], str]:
    return lambda response: json.dumps(call(response))
