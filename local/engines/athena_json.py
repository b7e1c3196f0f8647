"""JSON lines as Athena's OpenX SerDe reads them: a document a line, a key for each column, gzip by the file's name."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from local.engines.athena_errors import RefusedError
from local.engines.athena_quoting import text

SERDE = "org.openx.data.jsonserde.JsonSerDe"
KNOWN = ("case.insensitive", "ignore.malformed.json", "serialization.format", "paths")
COLUMN = "document"
LARGEST_LINE = 64 * 2**20


def source(glue: Mapping[str, Any], files: Sequence[str]) -> str:
    """What DuckDB reads: a row for each line, as a column of type JSON; a repeated key fails as it does on Athena."""
    listed = ", ".join(map(text, files))
    key = "lower(k)" if any_case(glue) else "k"
    keys = f"list_transform(json_keys({COLUMN}), k -> {key})"
    whole = f"json_type({COLUMN}) = 'OBJECT' AND len({keys}) = len(list_distinct({keys}))"
    told = "'HIVE_CURSOR_ERROR: Row is not a valid JSON Object, or has a key twice'"
    return (
        f"(SELECT {COLUMN} FROM (SELECT json AS {COLUMN} FROM read_json_objects([{listed}], "
        f"format='newline_delimited', maximum_object_size={LARGEST_LINE})) "
        f"WHERE CASE WHEN {whole} THEN true ELSE error({told}) END)"
    )


def check(glue: Mapping[str, Any]) -> None:
    """Refuse what the SerDe may be told and the laptop does not do."""
    told = _told(glue)
    unknown = sorted(name for name in told if name not in KNOWN)
    if unknown:
        raise RefusedError(
            f"The SerDe property '{unknown[0]}' of table '{glue['Name']}'", f"the laptop knows {', '.join(KNOWN)}."
        )
    if str(told.get("ignore.malformed.json", "false")).lower() == "true":
        advice = "what it leaves out is not proven. Leave it out, so that a malformed line fails the query."
        raise RefusedError(f"ignore.malformed.json of table '{glue['Name']}'", advice)


def any_case(glue: Mapping[str, Any]) -> bool:
    return str(_told(glue).get("case.insensitive", "true")).lower() == "true"


def _told(glue: Mapping[str, Any]) -> Mapping[str, str]:
    return ((glue.get("StorageDescriptor") or {}).get("SerdeInfo") or {}).get("Parameters") or {}
