"""What a mapping template sees of JSON: values with the methods of Java's, as text what Java makes of them."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import Any

import airspeed

from local.engines import jackson


def units(text: str) -> int:
    """The length of a text in Java: a character outside of the basic plane counts as two."""
    return len(text) if text.isascii() else len(text.encode("utf-16-le", "surrogatepass")) // 2


def replace_all(text: str, pattern: str, replacement: str) -> str:
    """Java's: `$1` in the replacement is a group, a backslash takes the character after it as it is."""

    def part(found: re.Match[str]) -> str:
        return f"\\g<{found[2]}>" if found[2] else found[1].replace("\\", r"\\")

    return re.sub(pattern, re.sub(r"\\(.)|\$(\d)", part, replacement), text)


STRING: dict[str, Callable[..., Any]] = {
    "contains": lambda text, part: part in text,
    "endsWith": str.endswith,
    "equals": lambda text, other: text == other,
    "isEmpty": lambda text: not text,
    "length": units,
    "replaceAll": replace_all,
    "startsWith": str.startswith,
    "substring": lambda text, first, end=None: text[first:end],
    "toString": str,
}
airspeed.__additional_methods__[str] = STRING


class Truth(int):
    """A boolean that prints as Java's."""

    def __str__(self) -> str:
        return "true" if self else "false"


class List:
    """A list of JSON; as text it is JSON."""

    def __init__(self, items: list[Any]) -> None:
        self._items = items

    def __len__(self) -> int:
        return len(self._items)

    def __iter__(self) -> Iterator[Any]:
        return map(shown, self._items)

    def __getitem__(self, index: int) -> Any:
        return shown(self._items[index])

    def __str__(self) -> str:
        return jackson.write(self._items)

    size = __len__
    get = __getitem__

    def isEmpty(self) -> bool:
        return not self._items

    def contains(self, value: object) -> bool:
        return value in self._items


class Map:
    """An object of JSON; as text `{a=1, b=x}`, which is not JSON and the trap of `$event`."""

    def __init__(self, items: dict[str, Any]) -> None:
        self._items = items

    def __len__(self) -> int:
        return len(self._items)

    def __getitem__(self, name: str) -> Any:
        return shown(self._items[name])

    def __str__(self) -> str:
        return "{" + ", ".join(f"{name}={printed(value)}" for name, value in self._items.items()) + "}"

    size = __len__

    def get(self, name: str) -> Any:
        return shown(self._items.get(name))

    def keys(self) -> list[str]:
        return list(self._items)

    keySet = keys

    def isEmpty(self) -> bool:
        return not self._items


def shown(value: Any) -> Any:
    """A JSON value as a template sees it."""
    match value:
        case list():
            return List(value)
        case dict():
            return Map(value)
        case bool():
            return Truth(value)
    return value


def printed(value: Any) -> str:
    return "null" if value is None else str(shown(value))
