"""Credentials for a table's files, as Lake Formation lends them: to its engines, and to who sees all of a table."""

from __future__ import annotations

import json
import time
from datetime import UTC, datetime
from typing import Any

from moto.core.exceptions import JsonRESTError
from moto.lakeformation.models import lakeformation_backends
from moto.sts.models import sts_backends

from local.engines.lake_formation import TABLE_PERMISSIONS, vended, visible
from local.services import iam_services
from local.services.lakeformation_places import READS, WRITES, at
from local.services.lakeformation_resources import path_of
from local.services.lakeformation_state import described, error, glue_table, invalid, kept_of, principal_of

SHORTEST, LONGEST, USUAL = 900, 43_200, 3600


def vend(response: Any) -> dict[str, Any]:
    """GetTemporaryGlueTableCredentials: of the place's role, for the table's prefix alone."""
    database, _, name = str(response._get_param("TableArn")).partition(":table/")[2].lower().partition("/")
    glue = glue_table(response.current_account, response.region, database, name)
    asked = frozenset(response._get_param("Permissions") or ["SELECT"])
    _check(response, glue, TABLE_PERMISSIONS if "ALL" in asked else asked)
    found = kept_of(response)
    place = found.state.location_of(at(glue) or "-")
    if place is None:
        raise invalid(f"The location of the table {name} is not registered.")
    role = next(each["RoleArn"] for arn, each in found.places.items() if path_of(arn) == place)
    seconds = int(response._get_param("DurationSeconds") or USUAL)
    if not SHORTEST <= seconds <= LONGEST:
        raise invalid(f"DurationSeconds '{seconds}': expected {SHORTEST} to {LONGEST}.")
    return credentials(response, role, at(glue), writes=bool(asked & {"INSERT", "DELETE", "ALL"}), seconds=seconds)


def _check(response: Any, glue: dict[str, Any], wanted: frozenset[str]) -> None:
    """The endpoint's own engine names whom it asks for, and filters what it reads; others must see all of the table."""
    caller, context = principal_of(response), response._get_param("QuerySessionContext") or {}
    principal = caller or (context.get("AdditionalContext") or {}).get("principal")
    if principal is None:
        return  # the person at the laptop
    table, state = described(glue, str(glue["DatabaseName"]).lower()), kept_of(response).state
    access = visible(principal, table, state)
    if (
        access is None
        or not wanted <= access.permissions
        or not vended(access, at(glue), state)
        or (caller is not None and not access.whole(table))
    ):
        raise error("AccessDeniedException", f"Insufficient Lake Formation permission(s) on {table.name}")
    account = response.current_account
    settings: dict[str, Any] = lakeformation_backends[account][response.region].get_data_lake_settings(account)
    if caller is not None and not settings.get("AllowFullTableExternalDataAccess"):
        text = "Session tag validation failed: full table access by an external engine is not enabled."
        raise error("AccessDeniedException", text)


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
    account, region = response.current_account, response.region
    try:
        iam_services.check(role, "lakeformation", region, f"arn:aws:lakeformation:{region}:{account}:catalog:{account}")
        issued: Any = sts_backends[account]["aws"].assume_role(
            region_name=region, role_session_name="AWSLF-00-GL", role_arn=role, policy=json.dumps(policy),
            duration=seconds, external_id="",
        )  # fmt: skip
    except (JsonRESTError, iam_services.RoleNotAssumedError) as failure:
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
