"""Time travel: what FOR TIMESTAMP AS OF and FOR VERSION AS OF name, and which snapshot of an Iceberg table that is."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, tzinfo
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from sqlglot import exp

from local.engines.athena_errors import QueryError, RefusedError, only

ADVICE = "Write TIMESTAMP '2026-11-20 03:00:00 UTC', or a snapshot's number after VERSION."


@dataclass(frozen=True)
class Version:
    """A snapshot by its number, or by a moment (milliseconds since 1970) at which it was the table's current one."""

    number: int
    moment: bool


def read(node: exp.Table) -> Version | None:
    """The version that a table in FROM asks for; literals only, since nothing proves what else would come to."""
    version = node.args.get("version")
    if version is None:
        return None
    only(version, "this", "kind", "expression")
    value = version.expression.unnest()
    if version.text("kind").upper() != "AS OF":
        raise RefusedError(f"'{version.sql('trino')}'", ADVICE, node)
    if version.name.upper() == "VERSION" and isinstance(value, exp.Literal) and not value.is_string:
        return Version(int(value.name), moment=False)
    typed = isinstance(value, exp.Cast) and value.meta.get("typed_literal")
    if version.name.upper() == "TIMESTAMP" and typed and value.to.this in (exp.DType.TIMESTAMP, exp.DType.TIMESTAMPTZ):
        return Version(int(_moment(value.this.name, node).timestamp() * 1000), moment=True)
    raise RefusedError(f"'{version.sql('trino')}'", ADVICE, node)


def snapshot(metadata: Mapping[str, Any], version: Version, table: str, node: exp.Expr) -> dict[str, Any]:
    """By number any that is kept; by time the one that main ended in then, which is what readers saw."""
    kept: dict[int, dict[str, Any]] = {each["snapshot-id"]: each for each in metadata.get("snapshots") or ()}
    number = version.number
    if version.moment:
        log = metadata.get("snapshot-log") or ()
        past = [each for each in log if each["timestamp-ms"] <= number]
        if not past:
            at = datetime.fromtimestamp(number / 1000, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
            text = f"No version history table {table} at or before {at}"
            raise QueryError("INVALID_ARGUMENTS", text, node)
        number = max(past, key=lambda each: int(each["timestamp-ms"]))["snapshot-id"]
    if number not in kept:
        raise QueryError("INVALID_ARGUMENTS", f"Iceberg snapshot ID does not exists: {number}", node)
    return kept[number]


def _moment(text: str, node: exp.Expr) -> datetime:
    """A timestamp literal as Athena reads it: in UTC unless it names a zone."""
    day, _, rest = text.strip().partition(" ")
    clock, _, zone = rest.strip().partition(" ")
    try:
        naive = datetime.fromisoformat(f"{day} {clock}".strip())
        if naive.tzinfo is not None:
            return naive
        return naive.replace(tzinfo=_zone(zone))
    except (ValueError, ZoneInfoNotFoundError) as error:
        raise QueryError("INVALID_LITERAL", f"'{text}' is not a valid TIMESTAMP literal", node) from error


def _zone(name: str) -> tzinfo:
    if name in ("", "UTC", "Z"):
        return UTC
    if name[0] in "+-":
        offset = datetime.fromisoformat(f"2000-01-01T00:00:00{name}").tzinfo
        assert offset is not None  # a text that begins so either has an offset or is refused
        return offset
    return ZoneInfo(name)
