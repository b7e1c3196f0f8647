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
    lakeformation_tagged as tagged,
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
    ("Lake Formation", "a principal has the union of its grants, by name and by tag "
     f"({DOCS}/lake-formation/latest/dg/access-control-metadata.html)", "ours", "real"),
    ("Lake Formation", "several filters of one principal: a row that any has, in it the cells that one of them has, "
     f"NULL for others. AWS says that hidden cells are NULL ({DOCS}/lake-formation/latest/dg/data-filters-about.html); "
     "no page says how two filters meet in a row", "ours", "simulated"),
    ("Lake Formation", "DESCRIBE without SELECT shows every column, SELECT on some columns shows these alone "
     f"({DOCS}/lake-formation/latest/dg/lf-permissions-reference.html)", "ours", "real"),
    ("Lake Formation", "grants that AWS refuses beside SELECT on some columns: DESCRIBE, ALTER, DROP, DELETE, INSERT "
     f"({DOCS}/lake-formation/latest/dg/lf-permissions-reference.html)", "taken, and added up", "simulated"),
    ("Lake Formation", "places: registered, hybrid access and opt-ins, data location permissions", "ours", "real"),
    ("Lake Formation", "GetTemporaryGlueTableCredentials: by lakeformation:GetDataAccess, for the table's prefix "
     f"({DOCS}/lake-formation/latest/APIReference/API_GetTemporaryGlueTableCredentials.html), for who sees all of it "
     f"and where the account allows it ({DOCS}/lake-formation/latest/dg/using-cred-vending.html)", "ours", "real"),
    ("Lake Formation", "GetTemporaryGluePartitionCredentials, GetTemporaryDataLocationCredentials, session tags of "
     "engines of other makers", "", "refused"),
    ("Lake Formation", "saved tag expressions, transactions, other accounts, nested columns", "", "refused"),
    ("Lake Formation", "names of hidden columns of Iceberg tables are in information_schema, as on AWS "
     f"({DOCS}/athena/latest/ug/querying-iceberg.html: S3 metadata is the source)", "ours", "real"),
    ("Lake Formation", "$partitions, $files, $manifests, $snapshots fail unless every cell is seen; $history and $refs "
     f"are shown ({DOCS}/athena/latest/ug/querying-iceberg.html)", "ours", "real"),
    ("Lake Formation", "a view is read with its reader's rights on what is below it, and granted whole or not at all "
     f"({DOCS}/athena/latest/ug/lf-athena-limitations.html)", "ours", "real"),
    ("Lake Formation", "a view over a table with row or cell filters keeps to them; AWS says: 'Cell filters defined on "
     f"a table do not apply to a VIEW for that table' ({DOCS}/athena/latest/ug/lf-athena-limitations.html)",
     "stricter than AWS", "simulated"),
    ("Lake Formation", "a query's credentials for one table open no file that another table's metadata names: such a "
     "table of the caller's own is read apart, whole", "ours", "real"),
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
    "GetResourceLFTags": tagged.of_resource, "SearchTablesByLFTags": tagged.search_tables,
    "SearchDatabasesByLFTags": tagged.search_databases,
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

    access_log.install(endpoint)
    lakeformation_glue.install(endpoint)


def answering(call: Callable[[Any], dict[str, Any]]) -> Callable[[Any], str]:
    return lambda response: json.dumps(call(response))
