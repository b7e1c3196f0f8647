"""A contract's quality section, made into rules that each row must meet and gates that the whole dataset must pass."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from config.positions import Field, Problem
from contracts.contract import PROPERTIES, TABLE, Source
from contracts.expressions import Fault, condition, measure
from contracts.ranges import RANGE_WORDS, RANGES, arrival, range_of
from lake.model import Gate, RowRule

OPERATORS = {
    "mustBe": "=",
    "mustNotBe": "!=",
    "mustBeGreaterThan": ">",
    "mustBeGreaterOrEqualTo": ">=",
    "mustBeLessThan": "<",
    "mustBeLessOrEqualTo": "<=",
    "mustBeBetween": "between",
}
SEVERITIES = {"error": "error", "warning": "warn"}
RESERVED = ("type_", "required_", "foreign_key_", "key_conflict", "append_only", "smallest_group")
PLACEHOLDER, COMPILED_PLACEHOLDER = "${table}", "{table}"


@dataclass
class Quality:
    """The rules and gates of a contract, and what is wrong with those that are neither."""

    rules: list[RowRule] = field(default_factory=list)
    gates: list[Gate] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)


@dataclass(frozen=True)
class Entry:
    """One entry of a quality section, `column` being the property that holds it, if one does."""

    source: Source
    field: Field
    data: dict[str, Any]
    column: str | None

    @property
    def kind(self) -> str:
        default = "library" if "metric" in self.data else "text"
        return str(self.data.get("type", default))

    @property
    def name(self) -> str:
        if "name" in self.data:
            return str(self.data["name"])
        words = {"nullValues": "not_null", "missingValues": "not_missing", "invalidValues": "valid"}
        words |= {"duplicateValues": "unique", "rowCount": "row_count"}
        word = words.get(self.data.get("metric", ""), "rule")
        return f"{self.column}_{word}" if self.column else word

    @property
    def description(self) -> str:
        return " ".join(str(self.data.get("description", "")).split())

    @property
    def comparison(self) -> tuple[str, Any] | None:
        return next(((sign, self.data[word]) for word, sign in OPERATORS.items() if word in self.data), None)

    @property
    def severity(self) -> str:
        return SEVERITIES[self.data.get("severity", "error")]

    def problem(self, step: str, value: object, expected: str, remedy: str) -> Problem:
        return self.source.document.problem((*self.field, step), value, expected, remedy)

    def fault(self, step: str, fault: Fault) -> Problem:
        return self.problem(step, fault.value, fault.expected, fault.remedy)


def quality(source: Source) -> Quality:
    found, names = Quality(), set()
    for entry in _entries(source):
        if entry.kind == "text":
            continue  # for people to read
        if entry.name in names or entry.name.startswith(RESERVED):
            expected = f"expected a name that no other rule has, and that begins with none of {', '.join(RESERVED)}"
            found.problems.append(entry.problem("name", entry.name, expected, "Give it another `name:`."))
        names.add(entry.name)
        {"library": _library, "custom": _custom, "sql": _sql}[entry.kind](entry, found)
    return found


def _entries(source: Source) -> Iterator[Entry]:
    for number, each in enumerate(source.properties):
        for place, data in enumerate(each.get("quality", ())):
            yield Entry(source, (*PROPERTIES, number, "quality", place), data, each["name"])
    for place, data in enumerate(source.document.data["schema"][0].get("quality", ())):
        yield Entry(source, (*TABLE, "quality", place), data, None)


def _custom(entry: Entry, found: Quality) -> None:
    if "name" not in entry.data:
        found.problems.append(_unnamed(entry))
    _row_rule(entry, "implementation", str(entry.data["implementation"]).strip(), found)


def _sql(entry: Entry, found: Quality) -> None:
    query = " ".join(entry.data["query"].split())
    fault = measure(query.replace(PLACEHOLDER, "dataset"))
    if "name" not in entry.data:
        found.problems.append(_unnamed(entry))
    if fault:
        found.problems.append(entry.fault("query", fault))
    _gate(entry, found, "sql", expression=query.replace(PLACEHOLDER, COMPILED_PLACEHOLDER))


def _library(entry: Entry, found: Quality) -> None:
    metric, arguments = entry.data["metric"], entry.data.get("arguments", {})
    if metric == "rowCount":
        _gate(entry, found, "row_count")
    elif metric == "duplicateValues":
        columns = arguments.get("properties") or ([entry.column] if entry.column else [])
        unknown = [name for name in columns if name not in entry.source.columns]
        found.problems += [entry.source.unknown_column((*entry.field, "arguments"), name) for name in unknown]
        if not columns:
            remedy = "Add `arguments: { properties: [COLUMN] }`."
            found.problems.append(entry.problem("arguments", metric, "expected the columns that are unique", remedy))
        _gate(entry, found, "duplicate_count", columns=tuple(columns))
    elif entry.column is None:
        remedy = "Move it to the `quality:` of the column that it is about."
        found.problems.append(entry.problem("metric", metric, "expected in a column, not in the table", remedy))
    else:
        _values(entry, entry.column, found)


def _values(entry: Entry, column: str, found: Quality) -> None:
    metric, arguments = entry.data["metric"], entry.data.get("arguments", {})
    valid, pattern = arguments.get("validValues"), arguments.get("pattern")
    about: dict[str, Any] = {}
    if metric == "nullValues":
        text = f"{column} IS NOT NULL"
    elif metric == "missingValues" and arguments.get("missingValues"):
        missing = [value for value in arguments["missingValues"] if value is not None]
        text = f"{column} IS NOT NULL" + (f" AND {column} NOT IN ({_listed(missing)})" if missing else "")
    elif metric == "invalidValues" and valid:
        text, about = f"{column} IN ({_listed(valid)})", {"column": column, "values": tuple(valid)}
    elif metric == "invalidValues" and isinstance(pattern, str):
        text, about = f"{column} RLIKE {_literal(pattern)}", {"column": column, "pattern": pattern}
    elif metric == "invalidValues" and RANGES & set(arguments):
        ends = range_of(entry.source, column, arguments)
        if isinstance(ends, Fault):
            found.problems.append(entry.fault("arguments", ends))
            return
        text, about = ends.expression, {"column": column, **ends.said}
    else:
        wanted = {"missingValues": "`missingValues: […]`"}.get(
            metric, f"`validValues: […]`, `pattern: …` or {RANGE_WORDS}"
        )
        expected = f"expected arguments that hold {wanted}"
        found.problems.append(entry.problem("arguments", arguments, expected, "Add them to `arguments:`."))
        return
    _row_rule(entry, "arguments", text, found, about)


def _row_rule(entry: Entry, step: str, text: str, found: Quality, about: Mapping[str, Any] | None = None) -> None:
    """A rule of severity error keeps a row out; a warning, or a number of rows allowed, is a gate's to count."""
    of_rows = entry.severity == "error" and entry.comparison in (None, ("=", 0))
    # when it arrived is known of a row on its way, and of none in the table that a gate reads
    fault = condition(text, (*entry.source.columns, *(arrival(entry.source) if of_rows else ())))
    if fault:
        found.problems.append(entry.fault(step, fault))
    elif of_rows:
        found.rules.append(RowRule(entry.name, text, entry.description, **(about or {})))
    else:
        _gate(entry, found, "sql", expression=f"SELECT count(*) FROM {COMPILED_PLACEHOLDER} WHERE NOT ({text})")


def _gate(entry: Entry, found: Quality, metric: str, *, columns: tuple[str, ...] = (), expression: str = "") -> None:
    counts_rows = metric == "sql" and entry.kind != "sql"
    comparison = entry.comparison or (("=", 0) if counts_rows or metric == "duplicate_count" else None)
    if comparison is None:
        expected = f"expected one of {', '.join(OPERATORS)}"
        found.problems.append(entry.problem("mustBe", entry.name, expected, "Say what the value must be."))
        return
    operator, threshold = comparison
    limit = tuple(threshold) if isinstance(threshold, list) else threshold
    found.gates.append(Gate(entry.name, metric, columns, expression, operator, limit, entry.severity))


def _unnamed(entry: Entry) -> Problem:
    remedy = "Add `name:`: it is what the ledger and the quarantine call it."
    return entry.problem("name", entry.kind, "expected a name for this rule, and there is none", remedy)


def _listed(values: list[Any]) -> str:
    return ", ".join(_literal(value) if isinstance(value, str) else str(value) for value in values)


def _literal(text: str) -> str:
    return "'" + text.replace("\\", "\\\\").replace("'", "\\'") + "'"
