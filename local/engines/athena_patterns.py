"""Regular expressions: the patterns that Java's dialect and DuckDB's RE2 read alike; any other is refused."""

from __future__ import annotations

import re
from typing import Any

from local.engines.athena_errors import QueryError, RefusedError
from local.engines.athena_functions import TEXT, WHOLE, Call, function
from local.engines.athena_scope import Term
from local.engines.athena_types import BIGINT, BOOLEAN, INTEGER, VARCHAR, array_of

# no look-around, no back reference, no possessive quantifier, no flag but (?i) at the beginning
SAFE_PATTERN = re.compile(
    r"(?:\(\?i\))?(?:\\[dwDWsS.\\/+*?()|{}^$\[\]-]|\[\^?(?:\\[dws.\\\]\[-]|[^\\\[\]&])+\]|\(\?:|[^\\\[\]])*"
)
# texts for which they may differ all the same: in what ends a line, in what is a letter, a digit or a blank
LINE_BREAKS = r"[\n\r\x{85}\x{2028}\x{2029}]"
ODD_FOR_CLASSES = r"[\n\r\v]|[^\x{0}-\x{7f}]"
CLASSES = re.compile(r"\\[dwDWsS]|^\(\?i\)")
POSSESSIVE = re.compile(r"[*+?}]\+|(?<!^)\(\?(?!:)|^\(\?(?![:i])")
BRACE = re.compile(r"(?<!\\)\{(?!\d+(?:,\d*)?\})")
ADVICE = "Use classes, groups, quantifiers and anchors only, in a literal."
REPLACED = re.compile(r"\$(\d)|\\(.)|([^$\\]+)", re.S)


def pattern(call: Call, *, fills: bool) -> tuple[str, str, int]:
    """The pattern's SQL, the texts it is not sure for, and its groups; `fills` if an empty match would matter."""
    written = call.literal(1)
    strange = BRACE.search(written) or POSSESSIVE.search(written) or not written.isascii()
    if strange or not SAFE_PATTERN.fullmatch(written):
        raise RefusedError(f"The pattern '{written}'", ADVICE, call.node)
    try:
        parsed = re._parser.parse(written)  # type: ignore[attr-defined]
    except re.error as error:
        raise QueryError("INVALID_FUNCTION_ARGUMENT", f"{error.msg}: {written}", call.node) from error
    if fills and parsed.getwidth()[0] == 0:
        raise RefusedError(f"The pattern '{written}', which an empty text fits, in {call.name}", ADVICE, call.node)
    if _repeats_nothing(parsed):
        raise RefusedError(f"The pattern '{written}', which repeats what may be empty", ADVICE, call.node)
    odd = ODD_FOR_CLASSES if CLASSES.search(written) or "[^" in written else LINE_BREAKS
    return call.terms[1].sql, odd, parsed.state.groups - 1


def _repeats_nothing(parsed: Any) -> bool:
    """Whether a group in a repetition may be empty: the two engines keep other captures then."""
    for operation, argument in parsed:
        name = str(operation)
        if name in ("MAX_REPEAT", "MIN_REPEAT"):
            if len(argument[2]) and argument[2].getwidth()[0] == 0:
                return True
            if _repeats_nothing(argument[2]):
                return True
        elif (name == "SUBPATTERN" and _repeats_nothing(argument[3])) or (
            name == "BRANCH" and any(map(_repeats_nothing, argument[1]))
        ):
            return True
    return False


def checked(call: Call, odd: str, result: str) -> str:
    return f"t_matched({call.first.sql}, '{odd}', {result})"


@function("regexp_like")
def regexp_like(call: Call) -> Term:
    call.need(TEXT, TEXT)
    found, odd, _ = pattern(call, fills=False)
    return Term(checked(call, odd, f"regexp_matches({call.first.sql}, {found})"), BOOLEAN)


def group_of(call: Call, groups: int) -> int:
    if len(call.terms) < 3:
        return 0
    number = int(call.literal(2))
    if number > groups:
        text = f"Pattern has {groups} groups. Cannot access group {number}"
        raise QueryError("INVALID_FUNCTION_ARGUMENT", text, call.node)
    return number


def extracted(call: Call, *, fills: bool) -> tuple[str, str, int]:
    """The pattern, what of a text it cannot judge, and the group that is wanted, which must take part."""
    call.need(TEXT, TEXT, *(WHOLE for _ in call.terms[2:3]))
    found, odd, groups = pattern(call, fills=fills)
    group = group_of(call, groups)
    if group and _optional(call.literal(1)):
        raise RefusedError(f"The pattern '{call.literal(1)}', whose groups need not take part", ADVICE, call.node)
    return found, odd, group


@function("regexp_extract")
def regexp_extract(call: Call) -> Term:
    """NULL where nothing matches; a group that takes no part is NULL too, where DuckDB has an empty text for both."""
    found, odd, group = extracted(call, fills=False)
    got = f"regexp_extract({call.first.sql}, {found}, {group})"
    return Term(checked(call, odd, f"CASE WHEN regexp_matches({call.first.sql}, {found}) THEN {got} END"), VARCHAR)


def _optional(written: str) -> bool:
    return "|" in written or bool(re.search(r"\)[?*]|\)\{0|\)\{,", written))


@function("regexp_extract_all")
def regexp_extract_all(call: Call) -> Term:
    found, odd, group = extracted(call, fills=True)
    return Term(checked(call, odd, f"regexp_extract_all({call.first.sql}, {found}, {group})"), array_of(VARCHAR))


@function("regexp_count")
def regexp_count(call: Call) -> Term:
    call.need(TEXT, TEXT)
    found, odd, _ = pattern(call, fills=True)
    return Term(checked(call, odd, f"CAST(len(regexp_extract_all({call.first.sql}, {found})) AS BIGINT)"), BIGINT)


@function("regexp_split")
def regexp_split(call: Call) -> Term:
    call.need(TEXT, TEXT)
    found, odd, _ = pattern(call, fills=True)
    return Term(checked(call, odd, f"string_split_regex({call.first.sql}, {found})"), array_of(VARCHAR))


@function("regexp_position")
def regexp_position(call: Call) -> Term:
    """Where the first match begins, or -1."""
    call.need(TEXT, TEXT)
    found, odd, _ = pattern(call, fills=True)
    place = f"length(string_split_regex({call.first.sql}, {found})[1]) + 1"
    place = f"CASE WHEN regexp_matches({call.first.sql}, {found}) THEN {place} ELSE -1 END"
    whole = f"CASE WHEN {call.first.sql} IS NULL THEN NULL ELSE {place} END"
    return Term(f"CAST({checked(call, odd, whole)} AS INTEGER)", INTEGER)


@function("regexp_replace")
def regexp_replace(call: Call) -> Term:
    call.need(TEXT, TEXT, *(TEXT for _ in call.terms[2:3]))
    found, odd, groups = pattern(call, fills=True)
    written = call.literal(2) if len(call.terms) > 2 else ""
    if _optional(call.literal(1)) and "$" in written:
        raise RefusedError(f"The pattern '{call.literal(1)}', whose groups need not take part", ADVICE, call.node)
    if "".join(part[0] for part in REPLACED.finditer(written)) != written or re.search(r"\$\d\d", written):
        raise RefusedError(f"The replacement '{written}'", "Name groups as $1 to $9.", call.node)
    if any(int(part[1]) > groups for part in REPLACED.finditer(written) if part[1]):
        raise QueryError(
            "INVALID_FUNCTION_ARGUMENT", f"Illegal replacement sequence: unknown group: {written}", call.node
        )
    made = "".join(
        f"\\{part[1]}" if part[1] else (part[2] or part[3]).replace("\\", "\\\\") for part in REPLACED.finditer(written)
    ).replace("'", "''")
    return Term(checked(call, odd, f"regexp_replace({call.first.sql}, {found}, '{made}', 'g')"), VARCHAR)
