"""Resources, principals and permissions of Lake Formation's requests: in one form, and those that are there."""

from __future__ import annotations

from typing import Any

from moto.glue.models import glue_backends
from moto.iam.models import iam_backends

from local.engines.lake_formation import EVERYONE
from local.services.lakeformation_state import Kept, absent, columns_of, glue_table, invalid, kept_of

PERMITTED = {
    "Catalog": {"CREATE_DATABASE", "CREATE_LF_TAG", "CREATE_LF_TAG_EXPRESSION", "DESCRIBE", "ALL"},
    "Database": {"ALL", "SUPER", "ALTER", "CREATE_TABLE", "DESCRIBE", "DROP"},
    "Table": {"ALL", "SUPER", "ALTER", "DELETE", "DESCRIBE", "DROP", "INSERT", "SELECT"},
    "TableWithColumns": {"SELECT"},
    "DataCellsFilter": {"SELECT", "DESCRIBE", "DROP"},
    "DataLocation": {"DATA_LOCATION_ACCESS", "CREATE_TABLE"},
    "LFTag": {"ALTER", "ASSOCIATE", "DESCRIBE", "DROP", "GRANT_WITH_LF_TAG_EXPRESSION"},
}
CATALOG_IDS = ("CatalogId", "TableCatalogId")
LOWERED = ("Name", "DatabaseName", "TableName", "TagKey", "TagValues", "ColumnNames", "ExcludedColumnNames")


def same(told: Any) -> Any:
    """A resource as it is kept: names in lower case, without the account."""
    if isinstance(told, dict):
        plain = {key: value for key, value in told.items() if key not in CATALOG_IDS and value is not None}
        return {key: lowered(value) if key in LOWERED else same(value) for key, value in plain.items()}
    return [same(each) for each in told] if isinstance(told, list) else told


def lowered(value: Any) -> Any:
    if isinstance(value, list):
        return sorted(str(each).lower() for each in value)
    return value.lower() if isinstance(value, str) else same(value)


def shown(resource: dict[str, Any], account: str) -> dict[str, Any]:
    """A resource as the API answers it."""
    ((kind, told),) = resource.items()
    if kind == "Catalog":
        return {"Catalog": {**told, "Id": account}}
    return {kind: {("TableCatalogId" if kind == "DataCellsFilter" else "CatalogId"): account, **told}}


def check_resource(response: Any, asked: dict[str, Any] | None) -> dict[str, Any]:
    """A resource of a request, which must be one that is there."""
    given = {kind: told for kind, told in (asked or {}).items() if told is not None}
    if len(given) != 1:
        raise invalid("Resource must have exactly one of the fields populated.")
    resource: dict[str, Any] = same(given)
    ((kind, told),) = resource.items()
    account, region = response.current_account, response.region
    match kind:
        case "Catalog":
            return {"Catalog": {}}
        case "Database":
            if told["Name"] not in glue_backends[account][region].databases:
                raise absent(f"Database not found: {told['Name']}")
        case "Table" if "TableWildcard" in told:
            if told["DatabaseName"] not in glue_backends[account][region].databases:
                raise absent(f"Database not found: {told['DatabaseName']}")
            told.pop("Name", None)
        case "Table":
            glue_table(account, region, told["DatabaseName"], told.get("Name", ""))
        case "TableWithColumns":
            _check_columns(glue_table(account, region, told["DatabaseName"], told["Name"]), told)
        case "DataCellsFilter":
            key = told["DatabaseName"], told["TableName"], told["Name"]
            if key not in kept_of(response).filters:
                raise absent(f"Data cells filter not found: {told['Name']}")
        case "LFTag":
            check_tag(kept_of(response), told["TagKey"], told["TagValues"])
        case "LFTagPolicy":
            if not told.get("Expression"):
                raise invalid("The expression of an LF-tag policy: expected LF-tags. Saved expressions are not had.")
            for each in told["Expression"]:
                check_tag(kept_of(response), each["TagKey"], each["TagValues"])
        case "DataLocation":
            _check_location(response, told["ResourceArn"])
        case _:
            raise invalid(f"The resource '{kind}': the laptop has Catalog, Database, Table, columns, filters and tags.")
    return resource


def _check_columns(glue: dict[str, Any], told: dict[str, Any]) -> None:
    if bool(told.get("ColumnNames")) == ("ColumnWildcard" in told):
        raise invalid("Either ColumnNames or ColumnWildcard must be given.")
    check_names(glue, [*(told.get("ColumnNames") or ()), *excluded_of(told)])


def excluded_of(told: dict[str, Any]) -> list[str]:
    return [each.lower() for each in (told.get("ColumnWildcard") or {}).get("ExcludedColumnNames") or ()]


def check_names(glue: dict[str, Any], names: list[str]) -> None:
    there = {each["Name"].lower() for each in columns_of(glue)}
    if missing := sorted({name.lower() for name in names} - there):
        raise absent(f"Columns not found: {', '.join(missing)} in table {glue['Name']}")


def check_tag(found: Kept, key: str, values: list[str]) -> None:
    if key not in found.tags:
        raise absent(f"Tag key not found: {key}")
    if missing := sorted(set(values) - set(found.tags[key]) - {"*"}):
        raise absent(f"Tag or tag value does not exist: {key}={', '.join(missing)}")


def _check_location(response: Any, arn: str) -> None:
    if kept_of(response).state.location_of(path_of(arn)) is None:
        raise absent(f"Resource not found: {arn} is in no registered location")


def path_of(arn: str) -> str:
    """The place that an ARN of S3 names: arn:aws:s3:::bucket/prefix."""
    if not arn.startswith("arn:aws:s3:::"):
        raise invalid(f"Invalid resource ARN: {arn}")
    return "s3://" + arn.removeprefix("arn:aws:s3:::").rstrip("*").rstrip("/")


def check_principal(response: Any, principal: dict[str, str] | None) -> str:
    name = str((principal or {}).get("DataLakePrincipalIdentifier", ""))
    account = response.current_account
    if name in (EVERYONE, f"{account}:IAMPrincipals"):
        return name
    iam: Any = iam_backends[account]["aws"]
    there = {each.arn for each in (*iam.get_roles(), *iam.list_users("/", None, None))}
    if name not in there:
        raise invalid(f"Invalid principal, {name}")
    return name


def check_permissions(resource: dict[str, Any], *lists: list[str]) -> None:
    ((kind, told),) = resource.items()
    if kind == "LFTagPolicy":
        kind = "Database" if told["ResourceType"] == "DATABASE" else "Table"
    asked = {each for names in lists for each in names}
    if not asked or not asked <= PERMITTED[kind]:
        raise invalid(f"Permissions modification is invalid: {', '.join(sorted(asked))} on {kind}")
