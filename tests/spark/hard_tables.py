"""One hard table for each engine: its types at their ends, names that need quotes, and what silver must hold of it."""

from __future__ import annotations

from dataclasses import dataclass, field

# mixed case in every name, reserved words in most: table Order, columns Key, Select, From, Group, …
TABLE, SIBLING = "Order", "Sibling"
BIG = "äé漢😀" * 262_144  # 1,048,576 characters
TEXT = "naïve Ω 漢字 👨‍👩‍👧 'single' \"double\" `back` \\ % _ \t tab \n line"
WIDE = "1234567890123456789012345678.0123456789"  # 38 digits
HUGE = "12345678901234567890123456789012345.123456789012345678901234567891"  # 65, which no lake type holds


@dataclass(frozen=True)
class Hard:
    """A column: its type in the source and in the lake, what goes in (as SQL) and what must come out (as text)."""

    name: str
    source: str
    lake: str
    given: tuple[str, str]
    wanted: tuple[str | None, str | None] = ("", "")


def _both(value: str) -> tuple[str, str]:
    return value, value


COMMON = (
    Hard("Select", "decimal(38,10)", "decimal(38,10)", (WIDE, f"-{WIDE}"), (WIDE, f"-{WIDE}")),
    Hard("From", "decimal(12,4)", "decimal(12,4)", ("0.0001", "-99999999.9999"), ("0.0001", "-99999999.9999")),
    Hard("bornOn", "date", "date", ("DATE '1899-12-31'", "DATE '1600-02-29'"), ("1899-12-31", "1600-02-29")),
    Hard("Empty", "varchar(10)", "string", ("''", "' '"), ("", " ")),
    Hard("E-Mail a.b", "varchar(10)", "string", _both("'x'"), _both("x")),
    Hard("Größe_x0020_", "int", "int", _both("7"), _both("7")),
)
NEVER = Hard("Never", "date", "date", ("DATE '0001-01-01'", "DATE '1582-10-04'"), ("0001-01-01", "1582-10-04"))
POSTGRESQL = (
    *COMMON,
    NEVER,
    Hard("Huge", "numeric", "string", (HUGE, "0.10"), (HUGE, "0.10")),
    Hard("WallClock", "timestamp", "timestamp", ("'2024-03-10 02:30:00.123456'", "'1883-11-18 12:03:57'"),
         ("2024-03-10 02:30:00.123456", "1883-11-18 12:03:57")),
    Hard("At", "timestamptz", "timestamp", ("'2024-03-31 03:30:00.123456+02'", "'1850-06-01 12:00:00+00'"),
         ("2024-03-31 01:30:00.123456", "1850-06-01 12:00:00")),
    Hard("isTrue", "boolean", "boolean", ("true", "false"), ("true", "false")),
    Hard("Group", "text", "string", ("%(text)s", "'x'"), (TEXT, "x")),
    Hard("big", "text", "string", ("%(big)s", "''"), (BIG, "")),
    Hard("Where", "double precision", "double", ("0.1", "1e308"), ("0.1", "1.0E308")),
    Hard("uuid", "uuid", "string", _both("'a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11'"),
         _both("a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11")),
)  # fmt: skip
MYSQL = (
    *COMMON,
    NEVER,
    Hard("Huge", "decimal(65,30)", "string", (HUGE, "0.10"), (HUGE, "0.100000000000000000000000000000")),
    Hard("WallClock", "datetime(6)", "timestamp", ("'2024-03-10 02:30:00.123456'", "'1883-11-18 12:03:57'"),
         ("2024-03-10 02:30:00.123456", "1883-11-18 12:03:57")),
    Hard("At", "timestamp(6) null", "timestamp", ("'2024-03-10 02:30:00.123456'", "'1970-01-01 00:00:01'"),
         ("2024-03-10 02:30:00.123456", "1970-01-01 00:00:01")),  # given in a session whose zone is UTC
    Hard("isTrue", "tinyint(1)", "boolean", ("1", "0"), ("true", "false")),
    Hard("Bit", "bit(1)", "boolean", ("b'1'", "b'0'"), ("true", "false")),
    Hard("Tiny", "tinyint(1)", "int", ("5", "-128"), ("5", "-128")),
    Hard("Unsigned", "bigint unsigned", "decimal(20,0)", ("18446744073709551615", "0"), ("18446744073709551615", "0")),
    Hard("Zero", "date", "date", ("'0000-00-00'", "'1000-01-01'"), (None, "1000-01-01")),
    Hard("Year", "year", "int", ("1999", "2155"), ("1999", "2155")),
    Hard("Group", "text", "string", ("%(text)s", "'x'"), (TEXT, "x")),
    Hard("big", "longtext", "string", ("%(big)s", "''"), (BIG, "")),
    Hard("Where", "double", "double", ("0.1", "1e308"), ("0.1", "1.0E308")),
)  # fmt: skip
H2 = (
    *COMMON,
    Hard("Huge", "decimal(65,30)", "string", (HUGE, "0.10"), (HUGE, "0.100000000000000000000000000000")),
    Hard("WallClock", "datetime2", "timestamp", ("'2024-03-10 02:30:00.123456'", "'1883-11-18 12:03:57'"),
         ("2024-03-10 02:30:00.123456", "1883-11-18 12:03:57")),
    Hard("isTrue", "bit", "boolean", ("1", "0"), ("true", "false")),
    Hard("Money", "money", "decimal(19,4)", ("922337203685477.5807", "-0.0001"), ("922337203685477.5807", "-0.0001")),
    Hard("Group", "nvarchar(200)", "string", ("%(text)s", "'x'"), (TEXT, "x")),
    Hard("big", "nvarchar(max)", "string", ("%(big)s", "''"), (BIG, "")),
    Hard("Where", "double precision", "double", ("0.1", "1e308"), ("0.1", "1.0E308")),
)  # fmt: skip
HARD = {"postgresql": POSTGRESQL, "mysql": MYSQL, "h2": H2}
NOT_STRICT = {"mysql": ("SET SESSION sql_mode = 'ANSI_QUOTES'",)}  # else the server refuses the date 0000-00-00


@dataclass(frozen=True)
class Statements:
    """What makes an engine's tables, each statement with its values."""

    columns: tuple[Hard, ...]
    first: tuple[str, ...] = field(default=())

    def all(self) -> list[tuple[str, tuple[str, ...]]]:
        types = ", ".join(f'"{each.name}" {each.source}' for each in self.columns)
        made: list[tuple[str, tuple[str, ...]]] = [(each, ()) for each in self.first]
        made += [(f'CREATE TABLE "{TABLE}" ("Key" int, {types})', ()), (f'CREATE TABLE "{SIBLING}" ("Key" int)', ())]
        made += [(f'INSERT INTO "{SIBLING}" VALUES (1)', ()), (f'INSERT INTO "{TABLE}" ("Key") VALUES (3)', ())]
        return [*made, *(self._insert(row) for row in (0, 1))]

    def _insert(self, row: int) -> tuple[str, tuple[str, ...]]:
        values, parameters = [str(row + 1)], list[str]()
        for each in self.columns:
            given = each.given[row]
            if given in ("%(text)s", "%(big)s"):
                parameters.append(TEXT if "text" in given else BIG)
                given = "%s"
            values.append(given)
        return f'INSERT INTO "{TABLE}" VALUES ({", ".join(values)})', tuple(parameters)


def wanted(engine: str) -> list[dict[str, str | None]]:
    """The rows of silver, by the source's names, as text."""
    columns = HARD[engine]
    rows = [{each.name: each.wanted[row] for each in columns} for row in (0, 1)]
    return [*rows, dict.fromkeys(each.name for each in columns)]
