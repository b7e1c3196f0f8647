"""YAML read together with where everything stands, so that an error can name file, line and field."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path
from typing import Any

import yaml

Field = tuple[str | int, ...]
_NULLS = ("", "~", "null", "Null", "NULL")


@dataclass(frozen=True)
class Problem:
    """One thing that is wrong in a file: where, the value, what was expected, what to do."""

    file: str
    line: int
    field: str
    value: str
    expected: str
    remedy: str

    def __str__(self) -> str:
        where = f"{self.file}:{self.line}: " + (f"{self.field}: " if self.field else "")
        return f"{where}'{self.value}': {self.expected}. {self.remedy}"


class FileError(ValueError):
    """A file that a person wrote says something that cannot be honoured; `problems` lists all that is wrong."""

    def __init__(self, problems: Iterable[Problem]) -> None:
        self.problems = tuple(problems)
        super().__init__("\n".join(str(problem) for problem in self.problems))


@dataclass(frozen=True)
class Document:
    """A YAML file's values, and the line on which each of them stands."""

    file: str
    data: Any
    text: str

    def line(self, field: Field) -> int:
        """The line of a field; where the field is missing, of the nearest thing that holds it."""
        # Composed anew for each error: nodes kept of a thousand files would slow every load.
        node: Any = yaml.compose(self.text, Loader=yaml.CSafeLoader)
        line = node.start_mark.line
        for step in field:
            if isinstance(node, yaml.MappingNode):
                found = next(((k, v) for k, v in node.value if k.value == step), None)
                if found is None:
                    break
                line, node = found[0].start_mark.line, found[1]
            elif isinstance(node, yaml.SequenceNode) and isinstance(step, int) and step < len(node.value):
                node = node.value[step]
                line = node.start_mark.line
            else:
                break
        return int(line) + 1

    def label(self, field: Field) -> str:
        """The field as a person would say it: `schema[users].properties[email].classification`."""
        label = ""
        for length, step in enumerate(field, 1):
            if isinstance(step, int):
                label += f"[{self.name(field[:length])}]"
            else:
                label += f".{step}" if label else step
        return label

    def name(self, field: Field) -> str:
        """What a thing calls itself, or its place where it has no name."""
        value = self.data
        for step in field:
            value = _step(value, step)
        named = value if isinstance(value, dict) else {}
        return str(named.get("name") or named.get("property") or (field[-1] if field else ""))

    def problem(self, field: Field, value: object, expected: str, remedy: str) -> Problem:
        return Problem(self.file, self.line(field), self.label(field), shown(value), expected, remedy)


def shown(value: object) -> str:
    """A value as its file would write it, shortened."""
    text = "null" if value is None else str(value).lower() if isinstance(value, bool) else str(value)
    return text if len(text) <= 80 else text[:77] + "..."


def suggestion(name: str, known: Iterable[str]) -> str:
    """`Did you mean 'x'?`, where something known is near; else the list of what is known."""
    known = sorted(known)
    near = get_close_matches(name, known, n=1, cutoff=0.6)
    if near:
        return f"Did you mean '{near[0]}'?"
    return f"Known are {', '.join(known[:30])}{', …' if len(known) > 30 else ''}." if known else "There is none yet."


def read(path: Path, file: str, error: type[FileError]) -> Document:
    """A YAML file of plain values; `file` is what its errors call it."""
    return parse(read_text(path, file, error), file, error)


def read_text(path: Path, file: str, error: type[FileError]) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except UnicodeDecodeError as cause:
        raise error([Problem(file, 1, "", path.name, "expected text in UTF-8", "Save the file as UTF-8.")]) from cause


def parse(text: str, file: str, error: type[FileError]) -> Document:
    """The text of a YAML file of plain values."""
    try:
        root = yaml.compose(text, Loader=yaml.CSafeLoader)
    except yaml.MarkedYAMLError as cause:
        in_flow = "flow" in (cause.context or "")  # an open bracket: where it opens says more than where that shows
        mark = cause.context_mark if in_flow else cause.problem_mark or cause.context_mark
        line = mark.line + 1 if mark else 1
        expected = f"expected YAML, but {cause.problem}"
        raise error(
            [Problem(file, line, "", _line_of(text, line, file), expected, "Mend the syntax of this line.")]
        ) from cause
    except yaml.YAMLError as cause:
        expected = "expected YAML of printable characters"
        name = file.rpartition("/")[2]
        raise error([Problem(file, 1, "", name, expected, f"Mend it: {cause}".replace("\n", " "))]) from cause
    if not isinstance(root, yaml.MappingNode):
        expected = "expected a mapping of names to values"
        raise error([Problem(file, 1, "", file.rpartition("/")[2], expected, "Write `name: value` lines.")])
    problems: list[Problem] = []
    data = _plain(root, file, problems, ())
    if problems:
        raise error(problems)
    return Document(file, data, text)


def _plain(node: yaml.Node, file: str, problems: list[Problem], holders: Sequence[yaml.Node]) -> Any:
    if isinstance(node, yaml.ScalarNode):
        return _scalar(node)
    if any(node is holder for holder in holders):
        problems.append(_at(node, file, "*", "expected a value that does not hold itself", "Write the value out."))
        return None
    holders = (*holders, node)
    if isinstance(node, yaml.SequenceNode):
        return [_plain(item, file, problems, holders) for item in node.value]
    values: dict[Any, Any] = {}
    for key, value in node.value:
        name = key.value
        if not isinstance(key, yaml.ScalarNode) or name == "<<":
            problems.append(_at(key, file, "<<", "expected a plain name as key", "Write each value out."))
        elif name in values:
            problems.append(_at(key, file, name, "expected each name once here", "Remove one of the two."))
        else:
            values[name] = _plain(value, file, problems, holders)
    return values


def _scalar(node: yaml.ScalarNode) -> Any:
    """YAML 1.2's plain values: `off` and `no` are words, a date is text."""
    kind, text = node.tag.rpartition(":")[2], node.value
    if kind == "bool" and text.lower() in ("true", "false"):
        return text.lower() == "true"
    if kind == "null" and text in _NULLS:
        return None
    if kind == "int" and text.lstrip("+-").isdigit():
        return int(text)
    if kind == "float":
        try:
            return float(text)
        except ValueError:
            return text
    return text


def _at(node: yaml.Node, file: str, value: str, expected: str, remedy: str) -> Problem:
    return Problem(file, node.start_mark.line + 1, "", value, expected, remedy)


def _line_of(text: str, line: int, file: str) -> str:
    lines = text.splitlines()
    return shown(lines[line - 1].strip()) if 0 < line <= len(lines) else file.rpartition("/")[2]


def _step(value: Any, step: str | int) -> Any:
    try:
        return value[step]
    except (KeyError, IndexError, TypeError):
        return None
