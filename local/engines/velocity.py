"""Mapping templates: airspeed's Velocity with API Gateway's variables, and Java's methods where Python's would answer.

A method that API Gateway does not document is refused when a template is read, so that none works here alone.
"""

from __future__ import annotations

import base64
import re
import urllib.parse
from collections.abc import Callable, Mapping
from functools import cache
from typing import Any

import airspeed

from local.engines import jackson
from local.engines.java_values import shown

METHODS = frozenset({
    "json", "path", "params",  # of $input
    "base64Decode", "base64Encode", "escapeJavaScript", "parseJson", "urlDecode", "urlEncode",  # of $util
    "add", "contains", "endsWith", "equals", "get", "isEmpty", "keySet", "length", "put", "replaceAll", "size",
    "startsWith", "substring", "toString",  # of Java's strings, lists and maps
})  # fmt: skip
CALL = re.compile(r"\.([A-Za-z]\w*)\(")
STEP = re.compile(r"\.([A-Za-z_]\w*)|\[(\d+)\]|\['([^']*)'\]")
JAVASCRIPT = {
    "\\": "\\\\", '"': '\\"', "'": "\\'", "/": "\\/", "\b": "\\b", "\n": "\\n", "\t": "\\t", "\f": "\\f", "\r": "\\r",
}  # fmt: skip


class TemplateError(Exception):
    """A mapping template cannot be read, or failed on a payload."""


class Overridden(dict[str, Any]):
    """$context.responseOverride: each may be set once, as API Gateway says."""

    def __setitem__(self, name: str, value: Any) -> None:
        if name in self:
            raise TemplateError(f"The override '{name}': expected once. API Gateway answers 5XX when it is set again.")
        super().__setitem__(name, value)


class Input:
    """$input: the payload and the parameters of a request, or the payload of an integration's answer."""

    def __init__(self, body: str, value: Any, params: Mapping[str, Mapping[str, str]]) -> None:
        self.body = body
        self._value = value
        self._params = params

    def path(self, path: str) -> Any:
        return shown(at(self._value, path))

    def json(self, path: str) -> str:
        return jackson.write(at(self._value, path))

    def params(self, name: str | None = None) -> Any:
        if name is None:
            return self._params
        found = (group[name] for group in self._params.values() if name in group)
        return next(found, "")


class Util:
    """$util."""

    def base64Encode(self, text: str) -> str:
        return base64.b64encode(jackson.utf_8(str(text))).decode()

    def base64Decode(self, text: str) -> str:
        return base64.b64decode(text).decode("utf-8", "replace")

    def escapeJavaScript(self, text: str) -> str:
        return "".join(escaped(character) for character in str(text))

    def parseJson(self, text: str) -> Any:
        return shown(jackson.read(text))

    def urlEncode(self, text: str) -> str:
        return urllib.parse.quote_plus(text)

    def urlDecode(self, text: str) -> str:
        return urllib.parse.unquote_plus(text)


def escaped(character: str) -> str:
    if character in JAVASCRIPT:
        return JAVASCRIPT[character]
    if " " <= character <= "~":
        return character
    units = character.encode("utf-16-be", "surrogatepass")
    return "".join(f"\\u{units[place]:02X}{units[place + 1]:02X}" for place in range(0, len(units), 2))


# Velocity knows no backslash in its literals, airspeed does: '\\' is a pattern of one backslash.
for literal in (airspeed.StringLiteral, airspeed.InterpolatedStringLiteral):
    literal.ESCAPED_CHAR = re.compile(r"(?!)")


@cache
def steps(path: str) -> tuple[str | int, ...]:
    found, place = [], 1
    while path.startswith("$") and (step := STEP.match(path, place)):
        found.append(int(step[2]) if step[2] is not None else (step[1] or step[3]))
        place = step.end()
    if not path.startswith("$") or place != len(path):
        raise TemplateError(
            f"The JSONPath '{path}': expected names and indexes such as $.a[0].b. The laptop has no other."
        )
    return tuple(found)


def at(value: Any, path: str) -> Any:
    """What a path finds; an empty text where it finds nothing."""
    for step in steps(path):
        try:
            value = value[step]
        except (KeyError, IndexError, TypeError):
            return ""
    return value


@cache
def parsed(template: str) -> Any:
    """A template, read once; it is not changed by being rendered."""
    unknown = sorted(set(CALL.findall(template)) - METHODS)
    if unknown:
        raise TemplateError(
            f"The method '{unknown[0]}' of a mapping template: expected one of {', '.join(sorted(METHODS))}."
        )
    made = airspeed.Template(template)
    try:
        made.ensure_compiled()
    except airspeed.TemplateError as error:
        raise TemplateError(f"A mapping template cannot be read: {error}") from error
    return made


def render(template: str, payload: Input, context: Mapping[str, Any], stage_variables: Mapping[str, str]) -> str:
    variables = {"input": payload, "util": Util(), "context": context, "stageVariables": stage_variables}
    merge: Callable[[Mapping[str, Any]], str] = parsed(template).merge
    try:
        return merge(variables)
    except airspeed.TemplateExecutionError as error:
        cause = error.__cause__
        if isinstance(cause, jackson.JsonError | RecursionError):
            raise jackson.JsonError(str(cause)) from error
        raise TemplateError(str(error)) from error
