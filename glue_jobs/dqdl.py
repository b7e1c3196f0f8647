"""A dataset's rules in DQDL, the language of AWS Glue Data Quality, said so that they mean the same there as here."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from decimal import Decimal
from itertools import accumulate
from typing import Any

from lake.arrivals import ARRIVED_AT
from lake.model import Dataset, Gate, Lake, Reference, RowRule

NUMBERS = ("int", "bigint", "double", "decimal")
LARGEST = 65_536 - 1024  # characters that Glue keeps of a ruleset, less what stands around its rules
COMPARISON = re.compile(r"(?P<column>\w+)\s*(?P<operator>>=|<=|>|<)\s*(?P<number>-?\d+(\.\d+)?)")
RANGE = re.compile(r"(?P<column>\w+)\s+between\s+(?P<low>-?\d+(\.\d+)?)\s+and\s+(?P<high>-?\d+(\.\d+)?)", re.IGNORECASE)
# in quotes, DQDL takes these for a date or a time of day
TIME = re.compile(r"\d{4}-\d\d-\d\d|\d{1,2}:\d\d( [AP]M)?")
LITERAL = re.compile(r"""'(?:[^'\\]|\\.)*'|`[^`]*`|"((?:[^"\\]|\\.)*)\"""", re.DOTALL)

Rule = tuple[str, str]  # what it is called here, and its DQDL


def ruleset(dataset: Dataset, lake: Lake) -> str:
    """The DQDL document: each rule under a comment with its name."""
    rules = [*_columns(dataset), *_rows(dataset), *_references(dataset, lake), *_gates(dataset)]
    lines = [f"    # {name}\n    {rule}" for name, rule in rules]
    fit = sum(total <= LARGEST for total in accumulate(len(line) + 2 for line in lines))
    unsaid = [
        *_unsaid(dataset),
        *([f"the last {len(lines) - fit} rules, for want of room"] if fit < len(lines) else []),
    ]
    head = "".join(
        f"# {each}.\n" for each in (f"From the contract of {dataset.id}", *(f"Not said: {u}" for u in unsaid))
    )
    return head + "Rules = [\n" + ",\n".join(lines[:fit]) + "\n]\n"


def _columns(dataset: Dataset) -> Iterator[Rule]:
    names = " ".join(map(_quoted, dataset.key))
    yield "key", f"IsPrimaryKey {names}"
    for column in dataset.columns:
        if column.required and column.name not in dataset.key:
            yield f"required_{column.name}", f"IsComplete {_quoted(column.name)}"


def _rows(dataset: Dataset) -> Iterator[Rule]:
    for rule in dataset.rules:
        if rule.name in _of_arrival(dataset):
            continue
        about = f": {_line(rule.description)}" if rule.description else ""
        yield rule.name + about, _row(dataset, rule)


def _row(dataset: Dataset, rule: RowRule) -> str:
    if rule.values and (listed := _listed(rule.values)):
        return f"ColumnValues {_quoted(rule.column)} in [{listed}]{_given(dataset, rule.column)}"
    # a pattern without ends is looked for anywhere in the value, which DQDL does not promise to do
    if rule.pattern.startswith("^") and rule.pattern.endswith("$"):
        return f"ColumnValues {_quoted(rule.column)} matches {_quoted(rule.pattern)}{_given(dataset, rule.column)}"
    found = COMPARISON.fullmatch(rule.expression.strip()) or RANGE.fullmatch(rule.expression.strip())
    if found and _is_number(dataset, found["column"]):
        values = f"ColumnValues {_quoted(found['column'])} {{}}{_given(dataset, found['column'])}"
        if found.re is COMPARISON:
            return _fill(values, f"{found['operator']} {found['number']}")
        return _between(values, found["low"], found["high"])
    return f"{_sql(f'select count(*) from primary where not ({rule.expression})')} = 0"


def _references(dataset: Dataset, lake: Lake) -> Iterator[Rule]:
    required = {each.name for each in dataset.columns if each.required}
    for reference in dataset.references:
        parent = lake.dataset(reference.dataset)
        told = f"{reference.name}: a parent that is in quarantine counts as missing"
        if required.issuperset(reference.columns) and all(_is_number(dataset, each) for each in reference.columns):
            columns, keys = ",".join(reference.columns), ",".join(reference.parent_columns)
            target = f"{parent.table}.{{{keys}}}" if len(reference.columns) > 1 else f"{parent.table}.{keys}"
            told += f"; the source {parent.table} is given to the evaluation"
            yield told, f"ReferentialIntegrity {_quoted(columns)} {_quoted(target)} = 1.0"
        else:
            table = f"{lake.environment.databases[parent.layer]}.{parent.table}"
            yield told, f"{_sql(_orphans(reference, table))} = 0"


def _orphans(reference: Reference, parent: str) -> str:
    pairs = zip(reference.columns, reference.parent_columns, strict=True)
    same = " and ".join(f"c.`{column}` = p.`{key}`" for column, key in pairs)
    given = " and ".join(f"c.`{column}` is not null" for column in reference.columns)
    return f"select count(*) from primary c left anti join {parent} p on {same} where {given}"


def _gates(dataset: Dataset) -> Iterator[Rule]:
    for gate in dataset.gates:
        yield gate.name + (" (a warning)" if gate.severity == "warn" else ""), _gate(dataset, gate)


def _gate(dataset: Dataset, gate: Gate) -> str:
    if gate.metric == "row_count":
        return _compared("RowCount {}", gate)
    if gate.metric == "sql":
        return _compared(f"{_sql(gate.expression.replace('{table}', 'primary'))} {{}}", gate)
    required = {each.name for each in dataset.columns if each.required}
    if len(gate.columns) == 1 and required.issuperset(gate.columns) and (gate.operator, gate.threshold) == ("=", 0):
        return f"IsUnique {_quoted(gate.columns[0])}"
    columns = ", ".join(f"`{name}`" for name in gate.columns)
    return _compared(f"{_sql(f'select count(*) - count(distinct struct({columns})) from primary')} {{}}", gate)


def _unsaid(dataset: Dataset) -> Iterator[str]:
    """What the contract asks for and DQDL has no words for, or what holds of every row in the table."""
    yield "types, since what is in the table has them"
    if dataset.freshness_hours is not None:
        yield "freshness, which is of the last load and not of a column"
    for name in _of_arrival(dataset):
        yield f"{name}, which compares a row with when it arrived"
    if dataset.load_mode == "append":
        yield "append_only, which compares a row with what was there before it"


def _of_arrival(dataset: Dataset) -> list[str]:
    """The rules about when a row arrived, which nothing in the table tells."""
    return [rule.name for rule in dataset.rules if ARRIVED_AT in rule.expression]


def _compared(measure: str, gate: Gate) -> str:
    if gate.operator == "between":
        return _between(measure, *map(_number, gate.threshold))
    return _fill(measure, f"{gate.operator} {_number(gate.threshold)}")


def _between(measure: str, low: str, high: str) -> str:
    """Both ends belong to it; those of DQDL's own between do not."""
    return f"({_fill(measure, f'>= {low}')}) and ({_fill(measure, f'<= {high}')})"


def _fill(measure: str, condition: str) -> str:
    before, _, after = measure.rpartition("{}")
    return before + condition + after


def _given(dataset: Dataset, column: str) -> str:
    """A rule about values says nothing of a row that has none."""
    required = any(each.required for each in dataset.columns if each.name == column)
    return "" if required else f' where "`{column}` is not null"'


def _is_number(dataset: Dataset, column: str) -> bool:
    kinds = {each.name: each.type.partition("(")[0] for each in dataset.columns}
    return kinds.get(column) in NUMBERS


def _listed(values: Sequence[Any]) -> str:
    """The values as DQDL lists them; nothing where it could not tell what they are."""
    if all(isinstance(each, str) and each and not TIME.fullmatch(each) for each in values):
        # of a list, unlike of SQL and patterns, DQDL takes the escapes away
        return ", ".join('"' + re.sub(r'(["\\])', r"\\\1", each) + '"' for each in values)
    if all(isinstance(each, int | float) and not isinstance(each, bool) for each in values):
        return ", ".join(map(_number, values))
    return ""


def _number(value: Any) -> str:
    return format(Decimal(str(value)), "f")


def _sql(query: str) -> str:
    """With texts in single quotes, so that no double quote is left that is not inside of one."""
    single = LITERAL.sub(lambda found: found[0] if found[1] is None else _text(found[1]), query)
    return f"CustomSql {_quoted(single)}"


def _text(inside: str) -> str:
    changed = {"'": "\\'", '\\"': '"'}
    return "'" + re.sub(r"\\.|'", lambda found: changed.get(found[0], found[0]), inside, flags=re.DOTALL) + "'"


def _quoted(text: str) -> str:
    """In double quotes; what has a backslash before it already keeps it."""
    return '"' + re.sub(r'\\.|"', lambda found: '\\"' if found[0] == '"' else found[0], text, flags=re.DOTALL) + '"'


def _line(text: str) -> str:
    return " ".join(text.split())
