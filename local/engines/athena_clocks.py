"""Functions of time zones, of Unix and ISO 8601 times, of intervals, and times read from texts."""

from __future__ import annotations

import re
from dataclasses import replace

from local.engines import athena_zones
from local.engines.athena_casts import coerce
from local.engines.athena_errors import RefusedError
from local.engines.athena_functions import TEXT, TIMES, Call, Plain, function
from local.engines.athena_rows import shown_in
from local.engines.athena_scope import Term
from local.engines.athena_times import to_the_millisecond
from local.engines.athena_types import BIGINT, DATE, DOUBLE, MILLIS, TIMESTAMP, TIMESTAMPTZ, VARCHAR, Type

ZONED = TIMESTAMPTZ.name
ISO_DATE = r"[0-9]{4}-[0-9]{2}-[0-9]{2}"
ISO_TIME = r"[0-9]{2}:[0-9]{2}(:[0-9]{2}([.][0-9]{1,6})?)?"
# what date_parse and parse_datetime have, as strptime has it, and the only texts that are sure to be read alike
MYSQL = {
    "Y": ("%Y", "[0-9]{4}"), "m": ("%m", "(0[1-9]|1[0-2])"), "c": ("%m", "(0[1-9]|1[0-2])"), "y": ("%y", "[0-9]{2}"),
    "d": ("%d", "[0-3][0-9]"), "e": ("%d", "[0-3][0-9]"), "H": ("%H", "[0-2][0-9]"), "k": ("%H", "[0-2][0-9]"),
    "h": ("%I", "(0[1-9]|1[0-2])"), "I": ("%I", "(0[1-9]|1[0-2])"), "l": ("%I", "(0[1-9]|1[0-2])"),
    "i": ("%M", "[0-5][0-9]"), "s": ("%S", "[0-5][0-9]"), "S": ("%S", "[0-5][0-9]"), "p": ("%p", "(AM|PM)"),
    "T": ("%H:%M:%S", "[0-2][0-9]:[0-5][0-9]:[0-5][0-9]"), "f": ("%f", "[0-9]{3}"), "%": ("%%", "%"),
    "b": ("%b", "(Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec)"),
}  # fmt: skip
JODA = {
    "yyyy": "Y", "MM": "m", "dd": "d", "HH": "H", "hh": "h", "mm": "i", "ss": "s", "SSS": "f", "a": "p", "MMM": "b",
    "yy": "y",
}  # fmt: skip
JODA_PRINTED = {
    "yyyy": "%Y", "yy": "%y", "MM": "%m", "M": "%-m", "MMM": "%b", "MMMM": "%B", "dd": "%d", "d": "%-d",
    "HH": "%H", "H": "%-H", "hh": "%I", "h": "%-I", "mm": "%M", "m": "%-M", "ss": "%S", "s": "%-S", "SSS": "%g",
    "a": "%p", "EEE": "%a", "E": "%a", "EEEE": "%A", "D": "%-j", "DDD": "%j",
}  # fmt: skip
JODA_PART = re.compile(r"([A-Za-z])\1*|'((?:[^']|'')*)'|([^A-Za-z']+)")

for _name, _plain in {
    "last_day_of_month": Plain((TIMES,), DATE, "last_day"),
    "year_of_week": Plain((TIMES,), BIGINT, "isoyear"),
    "yow": Plain((TIMES,), BIGINT, "isoyear"),
    "week_of_year": Plain((TIMES,), BIGINT, "week"),
    "day_of_month": Plain((TIMES,), BIGINT, "day"),
    "dow": Plain((TIMES,), BIGINT, "isodow"),
    "doy": Plain((TIMES,), BIGINT, "dayofyear"),
    "millisecond": Plain((TIMES[1:],), BIGINT, "t_millisecond"),
    "to_milliseconds": Plain((("interval day to second",),), BIGINT, ""),
}.items():
    function(_name)(_plain)


@function("current_timezone")
def current_timezone(call: Call) -> Term:
    call.need()
    return Term("'UTC'::VARCHAR", VARCHAR)


@function("timezone_hour", "timezone_minute")
def timezone_part(call: Call) -> Term:
    call.need((ZONED,))
    shift = f"epoch_ms({athena_zones.local(call.first.sql, call.first.type)}) - epoch_ms({call.first.sql})"
    if call.first.type.zone is None:
        shift = "0::BIGINT"
    sql = f"({shift}) // 3600000" if call.name == "timezone_hour" else f"(({shift}) // 60000) % 60"
    return Term(f"CASE WHEN {call.first.sql} IS NULL THEN NULL ELSE CAST({sql} AS BIGINT) END", BIGINT)


@function("at_timezone")
def at_timezone(call: Call) -> Term:
    call.need((ZONED,), TEXT)
    return shown_in(call.first, call.literal(1), call.node)


@function("with_timezone")
def with_timezone(call: Call) -> Term:
    call.need(("timestamp",), TEXT)
    zone = athena_zones.named(call.literal(1), call.node)
    type_ = Type(ZONED, call.first.type.precision, zone=zone)
    return Term(athena_zones.moment(call.first.sql, zone), type_)


@function("from_unixtime")
def from_unixtime(call: Call) -> Term:
    call.need(("integer", "decimal", "real", "double"), *(TEXT for _ in call.terms[1:2]))
    zone = athena_zones.named(call.literal(1), call.node) if len(call.terms) > 1 else None
    seconds = coerce(call.first.sql, call.first.type, DOUBLE)
    return Term(f"t_from_unix({seconds})", replace(TIMESTAMPTZ, zone=zone))


@function("to_unixtime")
def to_unixtime(call: Call) -> Term:
    call.need(TIMES[1:])
    return Term(f"(CAST(epoch_ms({call.first.sql}) AS DOUBLE) / 1000)" if (call.first.type.precision or 0) <= MILLIS
                else f"(CAST(epoch_us({call.first.sql}) AS DOUBLE) / 1000000)", DOUBLE)  # fmt: skip


@function("from_iso8601_date")
def from_iso8601_date(call: Call) -> Term:
    call.need(TEXT)
    x = call.first.sql
    read = f"CASE WHEN regexp_full_match({x}, '{ISO_DATE}') THEN TRY_CAST({x} AS DATE) END"
    return Term(f"t_iso({x}, {read})", DATE)


@function("from_iso8601_timestamp")
def from_iso8601_timestamp(call: Call) -> Term:
    """In UTC; a text with another offset has a zone of its own, which a column cannot have here."""
    call.need(TEXT)
    x = call.first.sql
    form = f"{ISO_DATE}(T{ISO_TIME}(Z|[+]00:00)?)?"
    bare = f"regexp_replace({x}, '(Z|[+]00:00)$', '')"
    read = f"CASE WHEN regexp_full_match({x}, '{form}') THEN TRY_CAST({bare} AS TIMESTAMP) END"
    cut = f"date_trunc('milliseconds', {read})"
    return Term(f"CAST(t_iso({x}, {cut}) AS TIMESTAMPTZ)", TIMESTAMPTZ)


@function("to_iso8601")
def to_iso8601(call: Call) -> Term:
    call.need(TIMES)
    type_ = call.first.type
    if type_ == DATE:
        return Term(f"CAST({call.first.sql} AS VARCHAR)", VARCHAR)
    if type_.precision != MILLIS:
        raise RefusedError(f"to_iso8601 of {type_}", "Cast to three digits of a second.", call.node)
    if type_.zone is not None and not athena_zones.OFFSET.fullmatch(type_.zone):
        raise RefusedError(f"to_iso8601 of a time in {type_.zone}", "Bring it AT TIME ZONE 'UTC' first.", call.node)
    zone = (type_.zone or "Z") if type_.name == ZONED else ""
    text = f"strftime({athena_zones.local(call.first.sql, type_)}, '%Y-%m-%dT%H:%M:%S.%g{zone}')"
    return Term(text, VARCHAR)


@function("date_parse")
def date_parse(call: Call) -> Term:
    call.need(TEXT, TEXT)
    parts = re.findall(r"%(.)|([^%]+)|(%)$", call.literal(1), re.S)
    unknown = [letter or end for letter, _, end in parts if (letter and letter not in MYSQL) or end]
    if unknown:
        raise RefusedError(f"%{unknown[0]} in the format of date_parse", node=call.node)
    return Term(parsed(call, [(letter, text) for letter, text, _ in parts]), TIMESTAMP)


@function("parse_datetime")
def parse_datetime(call: Call) -> Term:
    call.need(TEXT, TEXT)
    parts = [(JODA.get(word, ""), "" if word in JODA else text) for word, text in joda(call, set(JODA))]
    return Term(f"timezone('UTC', {parsed(call, parts)})", TIMESTAMPTZ)


def joda(call: Call, known: set[str]) -> list[tuple[str, str]]:
    """The words of a Joda format and the texts between them."""
    form, found = call.literal(1), []
    for part in JODA_PART.finditer(form):
        if part[1] and part[0] not in known:
            raise RefusedError(f"'{part[0]}' in the format of {call.name}", node=call.node)
        quoted = part[2].replace("''", "'") or "'" if part[2] is not None else part[3]
        found.append((part[0], "") if part[1] else ("", quoted or ""))
    if sum(len(part[0]) for part in JODA_PART.finditer(form)) != len(form):
        raise RefusedError(f"The format '{form}' of {call.name}", node=call.node)
    return found


def parsed(call: Call, parts: list[tuple[str, str]]) -> str:
    letters = [letter for letter, _ in parts if letter]
    if len(set(letters)) < len(letters) or not {"Y", "y"} & set(letters):
        raise RefusedError(
            f"The format '{call.literal(1)}' of {call.name}", "Name the year, and nothing twice.", call.node
        )
    if "y" in letters:
        raise RefusedError(f"A year of two digits in {call.name}", "Use four digits.", call.node)
    form = "".join(MYSQL[letter][0] if letter else text.replace("%", "%%") for letter, text in parts)
    exact = "".join(MYSQL[letter][1] if letter else re.escape(text) for letter, text in parts)
    form, exact = form.replace("'", "''"), exact.replace("'", "''")
    x = call.first.sql
    return f"t_time_text({x}, CASE WHEN regexp_full_match({x}, '{exact}') THEN try_strptime({x}, '{form}') END)"


@function("format_datetime")
def format_datetime(call: Call) -> Term:
    call.need(TIMES, TEXT)
    parts = joda(call, set(JODA_PRINTED))
    form = "".join(JODA_PRINTED[word] if word else text.replace("%", "%%") for word, text in parts).replace("'", "''")
    return Term(f"strftime({to_the_millisecond(call.first)}, '{form}')", VARCHAR)
