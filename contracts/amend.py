"""Additive drift written into a contract's file, whose comments, order and layout stay as they are."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import yaml

from config.positions import Field, read
from contracts.contract import PROPERTIES, ContractError
from contracts.draft import REVIEW, FoundColumn, column_lines, lake_name
from contracts.drift import Drift, widened


class AmendError(Exception):
    """A contract that drift cannot be written into; its text says why and what to do."""


def accept(path: Path, file: str, table: str, drifts: Sequence[Drift], found: Sequence[FoundColumn]) -> str:
    """The file's text with these additive drifts and the next minor version; `found` are the source's columns."""
    document = read(path, file, ContractError)
    breaking = [each for each in drifts if each.grade == "breaking"]
    if breaking:
        told = "; ".join(map(str, breaking))
        raise AmendError(
            f"The drift of '{breaking[0].dataset}': expected additive changes only, and this is breaking: {told}. Mend"
            f" the source, or change {file} by hand with a new major version and run `headwater contract apply`."
        )
    edits = _Edits(document.text, file)
    columns = document.data["schema"][0]["properties"]
    names = [each["name"] for each in columns]
    for each in drifts:
        if each.kind == "type changed":
            wider = widened(each.said, each.found)
            place = (*PROPERTIES, names.index(each.column), "physicalType")
            edits.replace(place, f'"{wider}"', REVIEW)
    new = {each.column.lower() for each in drifts if each.kind == "new column"}  # the catalog's names have no case
    ids = {each["id"] for each in columns}
    for column in (each for each in found if each.name.lower() in new):
        lake = lake_name(column.name, [*names, *ids])
        names.append(lake)
        # a new column is nullable whatever the source says: the rows that are there have none of its values
        optional = FoundColumn(column.name, column.type, None, 0, column.values)
        edits.append_column(column_lines(table, optional, lake))
    major, minor, _ = document.data["version"].split(".")
    edits.replace(("version",), f"{major}.{int(minor) + 1}.0")
    return edits.text()


class _Edits:
    """Edits of a text by the marks of its YAML, made from the end to the beginning so that marks stay true."""

    def __init__(self, text: str, file: str) -> None:
        self._text, self._file = text, file
        self._root = yaml.compose(text, Loader=yaml.SafeLoader)
        self._made: list[tuple[int, int, str]] = []
        self._columns: list[str] = []

    def replace(self, place: Field, value: str, comment: str = "") -> None:
        node = self._node(place)
        self._made.append((node.start_mark.index, node.end_mark.index, value))
        end = self._line_end(node.end_mark.index)
        if comment and "#" not in self._text[node.end_mark.index : end]:
            self._made.append((end, end, comment))

    def append_column(self, lines: Sequence[str]) -> None:
        properties = self._node(PROPERTIES)
        if properties.flow_style or properties.value[-1].flow_style:
            raise AmendError(
                f"The columns of '{self._file}': expected one below the other, each with its own lines. Write them so."
            )
        indent = " " * (properties.start_mark.column - lines[0].index("-"))
        shift = properties.start_mark.column - lines[0].index("-")
        self._columns += [indent + line if shift >= 0 else line[-shift:] for line in lines]

    def text(self) -> str:
        made = [(start, end, 0, value) for start, end, value in self._made]
        if self._columns:
            end = self._line_end(_last(self._node(PROPERTIES).value[-1]))
            made.append((end, end, 1, "\n" + "\n".join(self._columns)))  # behind what is said of the last column
        text = self._text
        for start, end, _, value in sorted(made, reverse=True):
            text = text[:start] + value + text[end:]
        return text

    def _line_end(self, index: int) -> int:
        found = self._text.find("\n", index)
        return len(self._text) if found < 0 else found

    def _node(self, place: Field) -> Any:
        node: Any = self._root
        for step in place:
            if isinstance(node, yaml.MappingNode):
                node = next(value for key, value in node.value if key.value == step)
            else:
                node = node.value[step]
        return node


def _last(node: Any) -> int:
    """Where the last value in a node ends: the node's own end may lie behind comments that follow it."""
    if isinstance(node, yaml.ScalarNode) or not node.value or node.flow_style:
        return int(node.end_mark.index)
    last = node.value[-1]
    return _last(last[1] if isinstance(node, yaml.MappingNode) else last)
