"""What a role sees, and is said to see, is what is left of a table when the hidden is taken out by hand."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings, strategies as st

from cli.lake_tables import tables
from cli.sights import Judge
from glue_jobs.governance import Governor
from lake.governance import CLASSIFICATION, column_classes
from lake.parts import Dataset
from lake.rights import Plan
from lake.roles import ALL, CLASSES, Role, Value
from lake.tables import QUARANTINE
from tests.local.own_endpoint import started
from tests.local.planned_lake import PlannedLake, contract, loaded, path

SITES = ("north", "south", "east")
ROLES = tuple(
    Role(name, "analysts", ("silver",), classes)
    for name, classes in {
        "open": ("public", "internal"), "doctor": ("internal", "phi"), "office": ("public", "pii"), "every": CLASSES,
    }.items()
)  # fmt: skip
COLUMNS = {"k": "bigint", "n": "int", "site": "string", "word": "string"}
ROWS = [(number, number % 3, SITES[number % 3], f"VALUE-{number // 2}") for number in range(1, 8)]
LINEAGE = {"_version": "CAST(TIMESTAMP '2026-01-01 00:00:00' AS timestamp(6))", "_hash": "'h'", "_run": "'r'"}
QUERIES = (
    "SELECT * FROM {t}", "SELECT {x}, {y} FROM {t}", "SELECT count(*) FROM {t}", "SELECT count({x}), max({y}) FROM {t}",
    "SELECT {x}, count(*) FROM {t} GROUP BY {x}", "SELECT a.{x} FROM {t} a JOIN {t} b ON a.{y} = b.{y}",
    "SELECT {x} FROM {t} WHERE {y} IN (SELECT {y} FROM {t} WHERE {x} IS NOT NULL)", "SELECT DISTINCT {x} FROM {t}",
    "SELECT max({x}) OVER (PARTITION BY {y}) FROM {t}", "SELECT 12 / n FROM {t} WHERE {x} IS NOT NULL",
    "SELECT {x} FROM {t} UNION ALL SELECT {x} FROM {t} WHERE {y} IS NULL", "SELECT TRY(12 / n), {x} FROM {t}",
    "WITH q AS (SELECT * FROM {t}) SELECT {x} FROM q WHERE {y} IS NULL", "SELECT CAST(word AS integer) FROM {t}",
    "SELECT {x} FROM {t} a WHERE EXISTS (SELECT 1 FROM {t} b WHERE b.{y} = a.{y} AND b.k <> a.k)",
    "SELECT CAST(substr(word, 7) AS integer) FROM {t} WHERE 12 / (k - 4) > 0", 
    "SELECT site FROM {t} EXCEPT SELECT word FROM {t}",
)  # fmt: skip


@dataclass(frozen=True)
class Case:
    """A contract, what a role may see of it, and what it asks."""

    classes: tuple[str, ...]
    filtered: bool
    hidden: tuple[str, ...]  # columns of a cell filter
    role: Role
    queries: tuple[str, ...]


@st.composite
def drawn(draw: st.DrawFn) -> Case:
    rows: dict[str, tuple[Value, ...]] = draw(
        st.sampled_from([{}, {"place": (ALL,)}, {"place": ("north",)}, {"place": ("south", "east")}])
    )
    names = st.sampled_from(list(COLUMNS))
    filled = st.builds(
        lambda query, x, y: query.format(t="clinic_things", x=x, y=y), st.sampled_from(QUERIES), names, names
    )
    return Case(
        draw(st.tuples(*(st.sampled_from(CLASSES) for _ in COLUMNS))),
        draw(st.booleans()),
        draw(st.sampled_from([(), (), ("word",), ("n", "word")])),
        replace(draw(st.sampled_from(ROLES)), rows=rows),
        tuple(draw(st.lists(filled, min_size=3, max_size=3, unique=True))),
    )


class Things(PlannedLake):
    """A lake of one table, whose contract changes."""

    folder: Path

    def prepare(self, folder: Path) -> None:
        self.folder = folder
        self.build()
        self.deploy(self.plan(self.said(CLASSES, []).values()))
        held = ", ".join(f"({', '.join(map(literal, row))})" for row in ROWS)
        select = f"SELECT {typed(COLUMNS)}, {lineage(LINEAGE)} FROM (VALUES {held}) v({', '.join(COLUMNS)})"
        options = f"table_type = 'ICEBERG', is_external = false, location = '{path('silver', 'clinic', 'things', '')}'"
        self.admin.run(f"CREATE TABLE clinic_things WITH ({options}) AS {select}")
        raw = ", ".join(f"{name} {kind}" for name, kind in QUARANTINE.items())
        place = f"LOCATION '{path('silver', 'clinic', 'things__quarantine', '')}'"
        made = f"CREATE TABLE clinic_things__quarantine ({raw}) {place} TBLPROPERTIES ('table_type' = 'ICEBERG')"
        self.admin.run(made)

    def said(self, classes: Sequence[str], row_filters: Sequence[dict[str, Any]]) -> dict[str, Dataset]:
        pairs = zip(COLUMNS.items(), classes, strict=True)
        return loaded(
            self.folder, contract("things", {n: f"{kind} {class_}" for (n, kind), class_ in pairs}, row_filters)
        )

    def changed(
        self, classes: Sequence[str], row_filters: Sequence[dict[str, Any]], *roles: Role
    ) -> tuple[Dataset, Plan]:
        """The contract as it is now, and its plan, applied."""
        self.described = replace(self.described, roles=roles)
        (dataset,) = self.said(classes, row_filters).values()
        made = self.plan([dataset])
        self.grant(made)
        self.apply(made.of(dataset.id))
        return dataset, made


@pytest.fixture(scope="module")
def things(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Things]:
    for own in started(tmp_path_factory):
        running: Any = own
        lake = Things(running, ROLES)
        lake.prepare(tmp_path_factory.mktemp("contracts"))
        yield lake


def test_what_is_seen_is_what_is_left_when_the_hidden_is_taken_out_by_hand(things: Things) -> None:
    @settings(max_examples=25, deadline=None, derandomize=True, database=None, suppress_health_check=list(HealthCheck))
    @given(drawn())
    def holds(case: Case) -> None:
        limit = {"name": "place", "column": "site", **({"columns": list(case.hidden)} if case.hidden else {})}
        dataset, made = things.changed(case.classes, [limit] if case.filtered else [], case.role)
        assert listed(things, dataset, made, case.role) == shown(things, case.role.name), case
        left = by_hand(dataset, case)
        for query in case.queries:
            found, wanted = (
                answer(things.as_(case.role.name), query),
                answer(things.admin, f"{left} {query}" if left else ""),
            )
            assert found == wanted, (case, query)

    holds()


def listed(things: Things, dataset: Dataset, made: Plan, role: Role) -> dict[str, list[str]]:
    """The tables of silver and their columns that `access list` says a role sees."""
    known = tables({dataset.id: dataset}, (), things.described.databases)
    sights = Judge(things.described, made, known, {}).sights(role)
    return {each.table.partition(".")[2]: sorted(each.columns) for each in sights}


def shown(things: Things, role: str) -> dict[str, list[str]]:
    """Those that the catalog shows it."""
    answer = things.session(role).client("glue").get_tables(DatabaseName=things.admin.database)
    return {
        each["Name"]: sorted(column["Name"] for column in each["StorageDescriptor"]["Columns"])
        for each in answer["TableList"]
    }


def by_hand(dataset: Dataset, case: Case) -> str:
    """A table of that name with what is left, as the beginning of a query; empty where nothing is."""
    seen = [name for name, each in column_classes(dataset).items() if each in case.role.sees]
    allowed = case.role.rows.get("place", ()) if case.filtered else (ALL,)
    rows = [dict(zip(COLUMNS, row, strict=True)) for row in ROWS]
    own = [each for each in rows if ALL in allowed or each["site"] in allowed]
    if not case.filtered and set(case.role.rows.get("place", ())) - {ALL}:
        return ""  # nothing says which rows are its own
    if case.filtered and case.hidden:
        if not allowed:
            seen = [each for each in seen if each not in case.hidden]
        own = [{n: None if n in case.hidden and each not in own else v for n, v in each.items()} for each in rows]
    elif not allowed:
        return ""
    if not seen:
        return ""
    held = ", ".join(f"({', '.join(literal(each[name]) for name in COLUMNS)})" for each in own)
    nothing = f"({', '.join('NULL' for _ in COLUMNS)})"
    source = f"(VALUES {held or nothing}) v({', '.join(COLUMNS)})"
    columns = [typed({name: COLUMNS[name]}) if name in COLUMNS else f"{LINEAGE[name]} {name}" for name in seen]
    return f"WITH clinic_things AS (SELECT {', '.join(columns)} FROM {source}{'' if held else ' WHERE false'})"


def answer(asking: Any, query: str) -> Any:
    """The rows in an order, or the kind of error, in whose words there is no value."""
    if query.startswith("WITH clinic_things") and " WITH q AS" in query:
        query = query.replace(" WITH q AS", ", q AS")
    if not query:
        return "PERMISSION_DENIED"
    execution = asking.ended(asking.start(query))
    if execution["Status"]["State"] == "SUCCEEDED":
        rows = asking.results(execution["QueryExecutionId"])["ResultSet"]["Rows"][1:]
        return sorted(str([cell.get("VarCharValue") for cell in row["Data"]]) for row in rows)
    reason = execution["Status"]["StateChangeReason"]
    return "PERMISSION_DENIED" if "Lake Formation" in reason else reason.partition(":")[0]


def literal(value: Any) -> str:
    return "NULL" if value is None else f"'{value}'" if isinstance(value, str) else str(value)


def typed(columns: dict[str, str]) -> str:
    names = {"string": "varchar", "int": "integer"}
    return ", ".join(f"CAST({name} AS {names.get(kind, kind)}) {name}" for name, kind in columns.items())


def lineage(columns: dict[str, str]) -> str:
    return ", ".join(f"{sql} {name}" for name, sql in columns.items())


def test_a_class_that_changes_in_a_contract_changes_the_plan_and_what_is_enforced(things: Things) -> None:
    def tagged(made: Plan) -> str:
        table = next(each for each in made.tables if each.table == "clinic_things")
        return next(class_ for class_, columns in table.columns if "word" in columns)

    _, before = things.changed(("internal", "internal", "public", "internal"), [], *ROLES)
    query = "SELECT word FROM clinic_things WHERE k = 1"
    assert (tagged(before), answer(things.as_("open"), query)) == ("internal", ["['VALUE-0']"])
    raised = things.said(("internal", "internal", "public", "phi"), []).values()
    hidden = Governor(things.endpoint.client("lakeformation"), things.described).hide(things.plan(raised))
    assert hidden == [("phi", f"{things.admin.database}.clinic_things.word"), *hidden[1:]]
    assert answer(things.as_("open"), query) == "COLUMN_NOT_FOUND"  # without a run
    _, after = things.changed(("internal", "internal", "public", "phi"), [], *ROLES)
    assert (tagged(after), answer(things.as_("open"), query)) == ("phi", "COLUMN_NOT_FOUND")
    assert answer(things.as_("doctor"), query) == ["['VALUE-0']"]
    assert before.of("clinic.things").hash != after.of("clinic.things").hash  # which the jobs' package carries
    assert before.tag_grants == after.tag_grants  # of the template, which grants classes and not columns
    told = things.endpoint.client("lakeformation").get_resource_lf_tags(
        Resource={"Table": {"DatabaseName": things.admin.database, "Name": "clinic_things"}}
    )
    tags = {each["Name"]: each["LFTags"] for each in told["LFTagsOnColumns"]}
    key = f"{things.described.prefix}{CLASSIFICATION}"
    assert [each["TagValues"] for each in tags["word"] if each["TagKey"] == key] == [["phi"]]


def test_a_row_filter_that_a_contract_gets_closes_the_table_to_who_lists_no_value(things: Things) -> None:
    query, classes = "SELECT count(*) FROM clinic_things", ("public",) * len(COLUMNS)
    things.changed(classes, [], *ROLES)
    assert answer(things.as_("open"), query) == ["['7']"]
    north = replace(ROLES[0], rows={"place": ("north",)})
    things.changed(classes, [{"name": "place", "column": "site"}], north, *ROLES[1:])
    assert answer(things.as_("open"), query) == ["['2']"]
    assert answer(things.as_("office"), query) == "PERMISSION_DENIED"
