"""One file of queries/: its SELECT in Athena's SQL, held to the tables and columns that contracts make."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property

import sqlglot
from sqlglot import exp
from sqlglot.errors import SqlglotError

from config.positions import FileError, Problem, shown, suggestion

DIALECT = "athena"
LAYERS = ("silver", "gold")
HEADER = re.compile(r"(?:[ \t]*(?:--[^\n]*)?\n)*")
CREATE = re.compile(r"create\s+or\s+replace\s+view\s+(?P<layer>\S+?)\.(?P<name>\w+)\s+as\s+", re.I)
NAMED = re.compile(r"'(?P<quoted>[^']+)'|Unknown column: (?P<bare>\S+)")  # in what sqlglot says
OTHER_NAME = re.compile(r"\$\{(?!(?:silver|gold)\})[^}]*\}?")

Tables = dict[str, dict[str, dict[str, str]]]
"""By layer and name, the type of each column."""


def in_databases(text: str, databases: Mapping[str, str]) -> str:
    """With a database for each `${LAYER}`; any other `$` is SQL's, as in '$1' and "TABLE$snapshots"."""
    for layer in LAYERS:
        text = text.replace(f"${{{layer}}}", databases[layer])
    return text


class QueryFileError(FileError):
    """A file of queries/ says what cannot be run against the lake of the contracts."""


@dataclass(frozen=True)
class QueryFile:
    """A file's text, in which `${gold}` stands for a database."""

    file: str
    name: str
    text: str

    @property
    def description(self) -> str:
        first = self.text.partition("\n")[0]
        return first.removeprefix("--").strip() if first.startswith("--") else ""

    @property
    def query(self) -> str:
        """The SELECT as its author wrote it."""
        return self._at_query(self.text)

    @cached_property
    def view(self) -> str | None:
        """LAYER.NAME of the view that the file makes; None of a named query."""
        created = CREATE.match(self._plain, self._header)
        return f"{created['layer']}.{created['name']}".lower() if created else None

    @cached_property
    def _plain(self) -> str:
        """The text with layers for databases: shorter, but in the same lines."""
        return in_databases(self.text, {layer: layer for layer in LAYERS})

    @cached_property
    def _header(self) -> int:
        found = HEADER.match(self._plain)
        return found.end() if found else 0

    def _at_query(self, text: str) -> str:
        created = CREATE.search(text)
        return text[created.end() if created else self._header :].rstrip().rstrip(";").rstrip()

    def problem(self, line: int, value: str, expected: str, remedy: str) -> QueryFileError:
        return QueryFileError([Problem(self.file, line, "", shown(value), expected, remedy)])

    def at(self, node: exp.Expr, value: str, expected: str, remedy: str) -> QueryFileError:
        """A problem with a part of the query, on the line of the first of its words whose place is known."""
        lines = [int(each.meta["line"]) for each in node.walk() if "line" in each.meta]
        return self.problem(self._first_line - 1 + min(lines, default=1), value, expected, remedy)

    @property
    def _first_line(self) -> int:
        return self._plain.count("\n", 0, len(self._plain) - len(self._at_query(self._plain + "\n;"))) + 1

    def checked(self, tables: Tables) -> exp.Query:
        """The query, each column with its table and each star written out; raises what keeps it from running."""
        if not self.description:
            expected = "expected a first line `-- what the query answers`"
            raise self.problem(1, self.text.partition("\n")[0], expected, "Write it: people choose queries by it.")
        if other := OTHER_NAME.search(self.text):
            line = self.text.count("\n", 0, other.start()) + 1
            raise self.problem(line, other[0], "expected ${silver} or ${gold}", "Read tables that contracts make.")
        query = self._parsed()
        for table in _tables(query):
            self._known(table, tables)
        return self._resolved(query, tables)

    def _parsed(self) -> exp.Query:
        try:
            found = sqlglot.parse(self._at_query(self._plain), read=DIALECT)
        except SqlglotError as error:
            told = getattr(error, "errors", None) or [{"line": 1, "description": str(error).partition("\n")[0]}]
            said = str(told[0]["description"]).partition(" for <class")[0].rstrip(".")
            line = self._first_line - 1 + int(told[0].get("line") or 1)
            raise self.problem(line, self.name, f"expected Athena's SQL ({said})", "Mend the SQL.") from error
        if len(found) != 1 or not isinstance(found[0], exp.Query):
            expected = "expected one SELECT, or CREATE OR REPLACE VIEW ${gold}.NAME AS SELECT"
            raise self.problem(self._first_line, self.name, expected, "Write one statement in each file.")
        return found[0]

    def _known(self, table: exp.Table, tables: Tables) -> None:
        layer, name = table.db.lower(), table.name.lower()
        if layer not in tables or table.catalog:
            remedy = "Write the layer: ${silver}.SOURCE_NAME or ${gold}.NAME."
            raise self.at(table, table.sql(DIALECT), "expected a table of silver or gold", remedy)
        if name not in tables[layer]:
            expected = f"expected a table of {layer} that a contract makes"
            raise self.at(table, f"{layer}.{name}", expected, suggestion(name, tables[layer]))

    def _resolved(self, query: exp.Query, tables: Tables) -> exp.Query:
        """Columns are found as Athena's analyzer finds them."""
        from sqlglot.optimizer.qualify import qualify

        schema: Tables = {}
        for each in _tables(query):  # sqlglot reads each column of all that it is told of, and a lake has thousands
            layer, name = each.db.lower(), each.name.lower()
            schema.setdefault(layer, {})[name] = tables[layer][name]
        try:
            resolved = qualify(query.copy(), schema=dict(schema), dialect=DIALECT)
        except SqlglotError as error:
            told = str(error).partition("\n")[0]
            named = NAMED.search(told)
            value = (named["quoted"] or named["bare"]) if named else self.name
            name = value.rpartition(".")[2].strip('"')
            used = [tables[each.db.lower()][each.name.lower()] for each in _tables(query)]
            known = {column for columns in used for column in columns}
            places = [each for each in query.find_all(exp.Identifier) if each.name.lower() == name.lower()]
            here = "Select it in the subquery that it is taken from." if name in known else suggestion(name, known)
            remedy = here if named else "Mend the SQL."
            expected = "expected a column of the tables that are read" if named else f"expected Athena's SQL ({told})"
            raise self.at(places[0] if places else query, value, expected, remedy) from error
        assert isinstance(resolved, exp.Query)
        return resolved


def _tables(query: exp.Query) -> Iterator[exp.Table]:
    """The tables that a query reads, those of its WITH left out."""
    from sqlglot.optimizer.scope import traverse_scope

    for scope in traverse_scope(query):
        for table in scope.tables:
            if (table.db or table.name not in scope.cte_sources) and isinstance(table.this, exp.Identifier):
                yield table
