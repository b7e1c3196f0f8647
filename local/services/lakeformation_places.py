"""Places registered with Lake Formation, who is opted in, the settings, and credentials vended for a table."""

from __future__ import annotations

import json
import time
from datetime import UTC, datetime
from typing import Any

from moto.core.exceptions import JsonRESTError
from moto.glue.models import glue_backends
from moto.iam.models import iam_backends
from moto.sts.models import sts_backends

from local.engines.lake_formation import TABLE_PERMISSIONS, visible
from local.services.lakeformation_grants import LARGEST_PAGE, entries_of
from local.services.lakeformation_sight import grants
from local.services.lakeformation_state import (
    Kept,
    absent,
    check_principal,
    check_resource,
    described,
    error,
    glue_table,
    invalid,
    kept_of,
    path_of,
    principal_of,
    shown,
)
from local.services.lakeformation_tags import administer
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
SHORTEST, LONGEST, USUAL = 900, 43_200, 3600


def register(response: Any) -> dict[str, Any]:
    administer(response)
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
    administer(response)
    told, found = _registered(response), kept_of(response)
    hybrid = response._get_param("HybridAccessEnabled")
    told["RoleArn"] = response._get_param("RoleArn") or told["RoleArn"]
    if hybrid is not None:
        told["HybridAccessEnabled"] = found.state.locations[path_of(told["ResourceArn"])] = bool(hybrid)
    return {}


def deregister(response: Any) -> dict[str, Any]:
    administer(response)
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
    administer(response)
    settings = response._get_param("DataLakeSettings")
    backend: Any = response.lakeformation_backend
    backend.put_data_lake_settings(response._get_param("CatalogId") or response.current_account, settings)
    admins = {each["DataLakePrincipalIdentifier"] for each in settings.get("DataLakeAdmins") or ()}
    kept_of(response).state.admins = admins
    return {}


def opt_in(response: Any) -> dict[str, Any]:
    administer(response)
    found, told = kept_of(response), _opted(response)
    if told not in found.opt_ins:
        found.opt_ins.append(told)
    _opt(found)
    return {}


def opt_out(response: Any) -> dict[str, Any]:
    administer(response)
    found, told = kept_of(response), _opted(response)
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


def vend(response: Any) -> dict[str, Any]:
    """GetTemporaryGlueTableCredentials: of the place's role, for the table's prefix alone; all of the table or none."""
    database, _, name = str(response._get_param("TableArn")).partition(":table/")[2].partition("/")
    glue = glue_table(response.current_account, response.region, database.lower(), name.lower())
    asked = frozenset(response._get_param("Permissions") or ["SELECT"])
    found, caller = kept_of(response), principal_of(response)
    if caller is not None:
        table = described(glue, database.lower())
        access = visible(caller, table, found.state)
        wanted = TABLE_PERMISSIONS if "ALL" in asked else asked
        if access is None or not wanted <= access.permissions or not access.whole(table):
            raise error("AccessDeniedException", f"Insufficient Lake Formation permission(s) on {name}")
    place = found.state.location_of(at(glue))
    if place is None:
        raise invalid(f"The location of the table {name} is not registered.")
    role = next(each["RoleArn"] for arn, each in found.places.items() if path_of(arn) == place)
    seconds = int(response._get_param("DurationSeconds") or USUAL)
    if not SHORTEST <= seconds <= LONGEST:
        raise invalid(f"DurationSeconds '{seconds}': expected {SHORTEST} to {LONGEST}.")
    return credentials(response, role, at(glue), writes=bool(asked & {"INSERT", "DELETE", "ALL"}), seconds=seconds)


def credentials(response: Any, role: str, path: str, *, writes: bool, seconds: int) -> dict[str, Any]:
    bucket, _, prefix = path.removeprefix("s3://").partition("/")
    listing = {"StringLike": {"s3:prefix": [prefix.rstrip("/"), f"{prefix}*"]}}
    policy = {
        "Version": "2012-10-17",
        "Statement": [
            {"Effect": "Allow", "Action": [*READS, *(WRITES if writes else ())],
             "Resource": f"arn:aws:s3:::{bucket}/{prefix}*"},
            {"Effect": "Allow", "Action": "s3:ListBucket", "Resource": f"arn:aws:s3:::{bucket}", "Condition": listing},
            {"Effect": "Allow", "Action": ["kms:Decrypt", "kms:GenerateDataKey"], "Resource": "*"},
        ],
    }  # fmt: skip
    try:
        issued: Any = sts_backends[response.current_account]["aws"].assume_role(
            region_name=response.region, role_session_name="AWSLF-00-GL", role_arn=role, policy=json.dumps(policy),
            duration=seconds, external_id="",
        )  # fmt: skip
    except JsonRESTError as failure:
        raise error("AccessDeniedException", f"The role of the registered place cannot be assumed: {role}") from failure
    return {
        "AccessKeyId": issued.access_key_id,
        "SecretAccessKey": issued.secret_access_key,
        "SessionToken": issued.session_token,
        "Expiration": issued.expiration.replace(tzinfo=UTC).timestamp()
        if isinstance(issued.expiration, datetime)
        else time.time() + seconds,
        "VendedS3Path": [path],
    }
