"""Condition blocks of IAM policies: operators, their qualifiers, and variables in what they compare."""

from __future__ import annotations

import functools
import ipaddress
import re
from collections.abc import Callable, Collection, Mapping, Sequence
from datetime import UTC, datetime

Context = Mapping[str, str | tuple[str, ...]]  # by the key's name in lower case
VARIABLE = re.compile(r"\$\{([^}]*)\}")
DEFAULT = re.compile(r"^(.*?)\s*,\s*'(.*)'$")
LITERALS = ("*", "?", "$")


class UnknownConditionError(Exception):
    """A policy asks for something that this evaluator does not know; nobody may take it for met."""


def resolved(pattern: str, context: Context) -> tuple[str, ...] | None:
    """The pattern in parts, every second of them text that stands for itself; None when a variable has no value."""
    parts = VARIABLE.split(pattern)
    for place in range(1, len(parts), 2):
        value = variable(parts[place], context)
        if value is None:
            return None
        parts[place] = value
    return tuple(parts)


def variable(name: str, context: Context) -> str | None:
    if name in LITERALS:
        return name
    with_default = DEFAULT.match(name)
    value = context.get((with_default[1] if with_default else name).strip().lower())
    if value is None and with_default:
        return with_default[2]
    return value if isinstance(value, str) else None


@functools.lru_cache(8192)
def expression(parts: tuple[str, ...], ignore_case: bool = False) -> re.Pattern[str]:
    """`*` and `?` are wildcards in what the policy says, and nothing special in a variable's value."""
    written = [
        re.escape(part) if place % 2 else "".join({"*": ".*", "?": "."}.get(each, re.escape(each)) for each in part)
        for place, part in enumerate(parts)
    ]
    return re.compile("".join(written), re.DOTALL | (re.IGNORECASE if ignore_case else 0))


@functools.lru_cache(8192)
def arn_expression(parts: tuple[str, ...]) -> re.Pattern[str] | None:
    """A wildcard does not reach over a colon of an ARN's first five; None for a text that is no ARN."""
    written, colons = "", 0
    for place, part in enumerate(parts):
        if place % 2:
            if ":" in part and colons < 5:
                return None
            written += re.escape(part)
            continue
        for each in part:
            colons += each == ":"
            any_one = "." if colons >= 5 else "[^:]"
            written += {"*": f"{any_one}*", "?": any_one}.get(each) or re.escape(each)
    return re.compile(written, re.DOTALL) if colons >= 5 else None


def arn_like(parts: tuple[str, ...], arn: str) -> bool:
    pattern = arn_expression(parts)
    return pattern is not None and pattern.fullmatch(arn) is not None


def equal(wanted: tuple[str, ...], value: str) -> bool:
    return "".join(wanted) == value


def equal_but_case(wanted: tuple[str, ...], value: str) -> bool:
    return "".join(wanted).casefold() == value.casefold()


def like(wanted: tuple[str, ...], value: str) -> bool:
    return expression(wanted).fullmatch(value) is not None


def in_network(wanted: tuple[str, ...], value: str) -> bool:
    return ipaddress.ip_address(value) in ipaddress.ip_network("".join(wanted), strict=False)


def moment(text: str) -> float:
    if text.replace(".", "", 1).isdigit():
        return float(text)
    found = datetime.fromisoformat(text)
    return (found if found.tzinfo else found.replace(tzinfo=UTC)).timestamp()


def compared(read: Callable[[str], float], how: Callable[[float, float], bool]) -> Callable[..., bool]:
    return lambda wanted, value: how(read(value), read("".join(wanted)))


Test = Callable[[tuple[str, ...], str], bool]
TESTS: dict[str, Test] = {
    "StringEquals": equal,
    "StringEqualsIgnoreCase": equal_but_case,
    "StringLike": like,
    "Bool": equal_but_case,
    "BinaryEquals": equal,
    "IpAddress": in_network,
    "ArnEquals": arn_like,  # AWS: ArnEquals and ArnLike behave identically
    "ArnLike": arn_like,
}
NEGATED = {
    "StringNotEquals": "StringEquals",
    "StringNotEqualsIgnoreCase": "StringEqualsIgnoreCase",
    "StringNotLike": "StringLike",
    "NotIpAddress": "IpAddress",
    "ArnNotEquals": "ArnEquals",
    "ArnNotLike": "ArnLike",
    "NumericNotEquals": "NumericEquals",
    "DateNotEquals": "DateEquals",
}
for _kind, _read in (("Numeric", float), ("Date", moment)):
    TESTS[f"{_kind}Equals"] = compared(_read, lambda value, wanted: value == wanted)
    TESTS[f"{_kind}LessThan"] = compared(_read, lambda value, wanted: value < wanted)
    TESTS[f"{_kind}LessThanEquals"] = compared(_read, lambda value, wanted: value <= wanted)
    TESTS[f"{_kind}GreaterThan"] = compared(_read, lambda value, wanted: value > wanted)
    TESTS[f"{_kind}GreaterThanEquals"] = compared(_read, lambda value, wanted: value >= wanted)
WITH_VARIABLES = ("String", "Arn")


class Condition:
    """One operator on one key: `Condition("StringLike", "s3:prefix", ["a/*"]).holds(context, known, True)`."""

    def __init__(self, operator: str, key: str, values: Sequence[str]) -> None:
        self.key, self.written = key.lower(), f"{operator} of {key}"
        qualifier, _, rest = operator.rpartition(":")
        self.optional, name = rest.endswith("IfExists"), rest.removesuffix("IfExists")
        self.negated, self.name = name in NEGATED, NEGATED.get(name, name)
        self.qualifier, self.values = qualifier, tuple(values)
        if self.name not in (*TESTS, "Null") or qualifier not in ("", "ForAllValues", "ForAnyValue"):
            raise UnknownConditionError(f"The condition operator '{operator}': it is not one that IAM is known to have")

    def holds(self, context: Context, known: Collection[str], variables: bool) -> bool:
        found = context.get(self.key)
        if found == () or (self.qualifier and not found):
            found = None  # none of many; of a key of one value an empty text is a value
        if found is None and not is_known(self.key, known):
            raise UnknownConditionError(f"The condition '{self.written}': the key's value is not known here")
        if self.name == "Null":
            return (not found) == (self.values[0].lower() == "true")
        if found is None:
            return self.optional or (self.qualifier == "ForAllValues") or (self.negated and not self.qualifier)
        if isinstance(found, tuple) and not self.qualifier:
            raise UnknownConditionError(
                f"The condition '{self.written}': a key of many values asks for ForAnyValue or ForAllValues"
            )
        each = found if isinstance(found, tuple) else (found,)
        wanted = self._wanted(context, variables)
        met = (any(self._meets(one, value) for one in wanted) != self.negated for value in each)
        return any(met) if self.qualifier == "ForAnyValue" else all(met)

    def _wanted(self, context: Context, variables: bool) -> list[tuple[str, ...]]:
        if not variables or not self.name.startswith(WITH_VARIABLES):
            return [(value,) for value in self.values]
        return [parts for value in self.values if (parts := resolved(value, context)) is not None]

    def _meets(self, wanted: tuple[str, ...], value: str) -> bool:
        try:
            return TESTS[self.name](wanted, value)
        except ValueError:  # no number, no date, no address
            return False


def is_known(key: str, known: Collection[str]) -> bool:
    """Whether a key that has no value now would have one if there were any: by its name, or what stands before `/`."""
    return key in known or f"{key.partition('/')[0]}/" in known
