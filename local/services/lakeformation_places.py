"""Places registered with Lake Formation, who is opted in, and the settings."""

from __future__ import annotations

import json
import time
from typing import Any

from moto.glue.models import glue_backends
from moto.iam.models import iam_backends

from local.services.lakeformation_grants import LARGEST_PAGE, entries_of
from local.services.lakeformation_judging import require_administrator
from local.services.lakeformation_resources import check_principal, check_resource, path_of, shown
from local.services.lakeformation_sight import grants
from local.services.lakeformation_state import Kept, absent, error, invalid, kept_of
from local.services.paging import paged

SERVICE_ROLE = "AWSServiceRoleForLakeFormationDataAccess"
READS = ("s3:GetObject", "s3:GetObjectVersion")
WRITES = ("s3:PutObject", "s3:DeleteObject")
TRUST = {
    "Version": "2012-10-17",
    "Statement": [
        {
            "Effect": "Allow",
            "Principal": {"Service": "lakeformation.amazonaws.com"},
            "Action": "sts:AssumeRole",
        }
    ],
}


def register(response: Any) -> dict[str, Any]:
    require_administrator(response)
    arn, role = response._get_param("ResourceArn"), response._get_param("RoleArn")
    found, path = kept_of(response), path_of(arn)
    if arn in found.places:
        raise error("AlreadyExistsException", "Resource is already registered")
    if bool(role) == bool(response._get_param("UseServiceLinkedRole")):
        raise invalid("Either RoleArn or UseServiceLinkedRole must be given.")
    hybrid = bool(response._get_param("HybridAccessEnabled"))
    with found.lock:
        found.state.locations[path] = hybrid
        role = role or _service_role(response.current_account, [*found.state.locations])
        found.places[arn] = {"ResourceArn": arn, "RoleArn": role, "LastModified": time.time(),
                             "HybridAccessEnabled": hybrid,
                             "WithFederation": bool(response._get_param("WithFederation"))}  # fmt: skip
    return {}


def _service_role(account: str, paths: list[str]) -> str:
    """The service-linked role, which may read and write what is registered with it, as on AWS."""
    iam = iam_backends[account]["aws"]
    there = next((role for role in iam.get_roles() if role.name == SERVICE_ROLE), None)
    if there is None:
        there = iam.create_role(
            SERVICE_ROLE, json.dumps(TRUST), "/aws-service-role/lakeformation.amazonaws.com/", None, "", [], "3600",
            linked_service="lakeformation.amazonaws.com",
        )  # fmt: skip
    arns = [f"arn:aws:s3:::{path.removeprefix('s3://')}" for path in paths]
    policy = {
        "Version": "2012-10-17",
        "Statement": [
            {"Effect": "Allow", "Action": [*READS, *WRITES], "Resource": [f"{arn}/*" for arn in arns]},
            {"Effect": "Allow", "Action": "s3:ListBucket", "Resource": [arn.partition("/")[0] for arn in arns]},
            {"Effect": "Allow", "Action": ["kms:Decrypt", "kms:GenerateDataKey"], "Resource": "*"},
        ],
    }
    iam.put_role_policy(there.name, "LakeFormationDataAccessPolicyForS3", json.dumps(policy))
    return str(there.arn)


def update(response: Any) -> dict[str, Any]:
    require_administrator(response)
    told, found = _registered(response), kept_of(response)
    hybrid = response._get_param("HybridAccessEnabled")
    told["RoleArn"] = response._get_param("RoleArn") or told["RoleArn"]
    if hybrid is not None:
        told["HybridAccessEnabled"] = found.state.locations[path_of(told["ResourceArn"])] = bool(hybrid)
    return {}


def deregister(response: Any) -> dict[str, Any]:
    require_administrator(response)
    told, found = _registered(response), kept_of(response)
    with found.lock:
        del found.places[told["ResourceArn"]]
        found.state.locations.pop(path_of(told["ResourceArn"]), None)
    return {}


def describe(response: Any) -> dict[str, Any]:
    return {"ResourceInfo": _registered(response)}


def list_(response: Any) -> dict[str, Any]:
    return paged(response, "ResourceInfoList", list(kept_of(response).places.values()), LARGEST_PAGE)


def _registered(response: Any) -> dict[str, Any]:
    arn = response._get_param("ResourceArn")
    if arn not in kept_of(response).places:
        raise absent(f"Resource is not registered: {arn}")
    return kept_of(response).places[arn]


def put_settings(response: Any) -> dict[str, Any]:
    require_administrator(response)
    settings = response._get_param("DataLakeSettings")
    backend: Any = response.lakeformation_backend
    backend.put_data_lake_settings(response._get_param("CatalogId") or response.current_account, settings)
    admins = {each["DataLakePrincipalIdentifier"] for each in settings.get("DataLakeAdmins") or ()}
    kept_of(response).state.admins = admins
    return {}


def opt_in(response: Any) -> dict[str, Any]:
    require_administrator(response)
    found, told = kept_of(response), _opted(response)
    if told not in found.opt_ins:
        found.opt_ins.append(told)
    _opt(found)
    return {}


def opt_out(response: Any) -> dict[str, Any]:
    """Also of a role that is gone."""
    require_administrator(response)
    found, principal = kept_of(response), response._get_param("Principal")["DataLakePrincipalIdentifier"]
    told = {"principal": principal, "resource": check_resource(response, response._get_param("Resource"))}
    if told not in found.opt_ins:
        raise absent("The principal is not opted in for the resource.")
    found.opt_ins.remove(told)
    _opt(found)
    return {}


def list_opt_ins(response: Any) -> dict[str, Any]:
    principal = (response._get_param("Principal") or {}).get("DataLakePrincipalIdentifier")
    rows = [
        {
            "Principal": {"DataLakePrincipalIdentifier": each["principal"]},
            "Resource": shown(each["resource"], response.current_account),
        }
        for each in kept_of(response).opt_ins
        if principal in (None, each["principal"])
    ]
    return paged(response, "LakeFormationOptInsInfoList", rows, LARGEST_PAGE)


def _opted(response: Any) -> dict[str, Any]:
    principal = check_principal(response, response._get_param("Principal"))
    return {"principal": principal, "resource": check_resource(response, response._get_param("Resource"))}


def _opt(found: Kept) -> None:
    found.state.opt_ins = {}
    for each in found.opt_ins:
        found.state.opt_ins.setdefault(each["principal"], []).append(each["resource"])


def effective_for_path(response: Any) -> dict[str, Any]:
    """The grants on the tables, databases and places at a path or around it."""
    path, found = path_of(response._get_param("ResourceArn")), kept_of(response)
    databases = glue_backends[response.current_account][response.region].databases
    tables = {
        (database.name, name)
        for database in databases.values()
        for name, table in database.tables.items()
        if at(table.as_dict()).startswith(f"{path}/")
    }
    rows = []
    for held in found.state.grants.values():
        for each in grants(response, held):
            ((kind, told),) = each.resource.items()
            table = told.get("DatabaseName"), told.get("TableName") or told.get("Name")
            around = kind == "DataLocation" and f"{path}/".startswith(f"{path_of(told['ResourceArn'])}/")
            if around or table in tables:
                rows += entries_of(each, response.current_account)
    return paged(response, "Permissions", rows, LARGEST_PAGE)


def at(glue: dict[str, Any]) -> str:
    location = str((glue.get("StorageDescriptor") or {}).get("Location") or "").replace("s3a://", "s3://", 1)
    return location.rstrip("/") + "/" if location else ""
