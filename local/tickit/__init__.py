"""TICKIT, the sources' data: published sizes, faults in known numbers among the rows, the same rows at every start."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from psycopg import Connection, sql

from local.engines.postgres import Server
from local.tickit import faults, rows

FAULTS = faults.FAULTS
SIZES = {
    "saas.users": 49_990,
    "saas.venue": 202,
    "saas.category": 11,
    "saas.event": 8_798,
    "ecommerce.date": 365,
    "ecommerce.listing": 192_497,
    "ecommerce.sales": 172_456,
}
SCALED = ("saas.users", "saas.event", "ecommerce.listing", "ecommerce.sales")
SMALLEST = 0.01
DATABASES = ("saas", "ecommerce")
AWAY = "__away"
CHUNK = 20_000
TYPES = {
    "saas.users": "userid int, username varchar, firstname varchar, lastname varchar, city varchar, state varchar, "
    "email varchar, phone varchar, " + ", ".join(f"like{what} boolean" for what in rows.LIKES),
    "saas.venue": "venueid smallint, venuename varchar, venuecity varchar, venuestate varchar, venueseats int",
    "saas.category": "catid smallint, catgroup varchar, catname varchar, catdesc varchar",
    "saas.event": "eventid int, venueid smallint, catid smallint, dateid smallint, eventname varchar, "
    "starttime timestamp",
    "ecommerce.date": "dateid smallint, caldate date, day varchar, week smallint, month varchar, qtr varchar, "
    "year smallint, holiday boolean",
    "ecommerce.listing": "listid int, sellerid int, eventid int, dateid smallint, numtickets smallint, "
    "priceperticket decimal(8,2), totalprice decimal(8,2), listtime timestamp",
    "ecommerce.sales": "salesid int, listid int, sellerid int, buyerid int, eventid int, dateid smallint, "
    "qtysold smallint, pricepaid decimal(8,2), commission decimal(8,2), saletime timestamp",
}


@dataclass(frozen=True)
class Dataset:
    """One generated table: its columns as COPY's text, and the keys of its faulty rows by the rule that they break."""

    table: rows.Table
    faulty: dict[str, list[str]]

    def __len__(self) -> int:
        return len(next(iter(self.table.values())))


@dataclass(frozen=True)
class Expected:
    """What a first load must count: read = loaded + superseded + the sum of quarantined."""

    read: int
    superseded: int
    quarantined: dict[str, int]

    @property
    def loaded(self) -> int:
        return self.read - self.superseded - sum(self.quarantined.values())


def sizes(scale: float = 1.0) -> dict[str, int]:
    """Rows per table; a scale makes the four large ones smaller and leaves the numbers of faults as they are."""
    if not SMALLEST <= scale <= 1:
        raise ValueError(f"The scale '{scale}': expected {SMALLEST} to 1. Choose one in between.")
    return {name: round(size * scale) if name in SCALED else size for name, size in SIZES.items()}


def expected(scale: float = 1.0) -> dict[str, Expected]:
    """What each dataset's first load must read, supersede and quarantine, by rule."""
    answer = {}
    for name, size in sizes(scale).items():
        quarantined = dict(FAULTS[name])
        superseded = quarantined.pop(faults.DUPLICATES, 0)
        answer[name] = Expected(size, superseded, quarantined)
    return answer


def generate(scale: float = 1.0) -> dict[str, Dataset]:
    """Every table with its faults."""
    tables = rows.clean({name: size - faults.added_rows(name) for name, size in sizes(scale).items()})
    return {name: Dataset(table, faults.inject(name, table)) for name, table in tables.items()}


def load(server: Server, scale: float = 1.0) -> None:
    """Fill the databases `saas` and `ecommerce`, without keys or constraints; tables that are there are replaced."""
    datasets = generate(scale)
    for database in DATABASES:
        server.create_database(database)
        with server.connect(database) as connection:
            for name, dataset in datasets.items():
                if name.startswith(f"{database}."):
                    _copy(connection, name, dataset.table)


def vanish(server: Server, dataset: str) -> None:
    """Take a source table away, for the failure that the demo shows; `restore` brings it back."""
    database, name = dataset.split(".")
    _rename(server, database, name, f"{name}{AWAY}")


def restore(server: Server, dataset: str) -> None:
    """Bring a vanished table back as it was."""
    database, name = dataset.split(".")
    _rename(server, database, f"{name}{AWAY}", name)


def _rename(server: Server, database: str, before: str, after: str) -> None:
    statement = sql.SQL("ALTER TABLE {} RENAME TO {}").format(sql.Identifier(before), sql.Identifier(after))
    with server.connect(database) as connection:
        connection.execute(statement)


def _copy(connection: Connection, dataset: str, table: rows.Table) -> None:
    name = sql.Identifier(dataset.split(".")[1])
    for old in (name, sql.Identifier(dataset.split(".")[1] + AWAY)):
        connection.execute(sql.SQL("DROP TABLE IF EXISTS {}").format(old))
    connection.execute(sql.SQL("CREATE TABLE {} (").format(name) + sql.SQL(TYPES[dataset]) + sql.SQL(")"))
    with connection.cursor().copy(sql.SQL("COPY {} FROM STDIN").format(name)) as copy:
        for chunk in _chunks(table):
            copy.write(chunk)
    connection.execute(sql.SQL("ANALYZE {}").format(name))


def _chunks(table: rows.Table) -> Iterator[str]:
    columns = [[r"\N" if value is None else value for value in column] for column in table.values()]
    lines = ["\t".join(row) for row in zip(*columns, strict=True)]
    for start in range(0, len(lines), CHUNK):
        yield "\n".join(lines[start : start + CHUNK]) + "\n"
