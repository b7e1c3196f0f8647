"""TICKIT, the sources' data: published sizes, faults in known numbers among the rows, the same rows at every start."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from local.engines.sources import Server
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
AWAY = "__away"
# Column types as each source's engine calls them: saas is PostgreSQL, ecommerce MySQL.
TYPES = {
    "saas.users": "userid int, username varchar, firstname varchar, lastname varchar, city varchar, state varchar, "
    "email varchar, phone varchar, " + ", ".join(f"like{what} boolean" for what in rows.LIKES),
    "saas.venue": "venueid smallint, venuename varchar, venuecity varchar, venuestate varchar, venueseats int",
    "saas.category": "catid smallint, catgroup varchar, catname varchar, catdesc varchar",
    "saas.event": "eventid int, venueid smallint, catid smallint, dateid smallint, eventname varchar, "
    "starttime timestamp",
    "ecommerce.date": "dateid smallint, caldate date, day varchar(100), week smallint, month varchar(100), "
    "qtr varchar(100), year smallint, holiday boolean",
    "ecommerce.listing": "listid int, sellerid int, eventid int, dateid smallint, numtickets smallint, "
    "priceperticket decimal(8,2), totalprice decimal(8,2), listtime datetime",
    "ecommerce.sales": "salesid int, listid int, sellerid int, buyerid int, eventid int, dateid smallint, "
    "qtysold smallint, pricepaid decimal(8,2), commission decimal(8,2), saletime datetime",
}


@dataclass(frozen=True)
class Dataset:
    """One generated table: its columns as text, and the keys of its faulty rows by the rule that they break."""

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

    @classmethod
    def of(cls, read: int, rules: Mapping[str, int]) -> Expected:
        quarantined = dict(rules)
        return cls(read, quarantined.pop(faults.DUPLICATES, 0), quarantined)

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
    return {name: Expected.of(size, FAULTS[name]) for name, size in sizes(scale).items()}


def generate(scale: float = 1.0) -> dict[str, Dataset]:
    """Every table with its faults."""
    tables = rows.clean({name: size - faults.added_rows(FAULTS[name]) for name, size in sizes(scale).items()})
    return {
        name: Dataset(table, faults.inject(name, table, FAULTS[name], faults.CHANGES)) for name, table in tables.items()
    }


def load(servers: Mapping[str, Server], scale: float = 1.0) -> None:
    """Fill the databases of these sources, without keys or constraints; tables that are there are replaced."""
    for name, dataset in generate(scale).items():
        source, table = name.split(".")
        if source in servers:
            servers[source].create_database(source)
            servers[source].fill(source, table, TYPES[name], dataset.table)


def vanish(server: Server, dataset: str) -> None:
    """Take a source table away, for the failure that the demo shows; `restore` brings it back."""
    database, name = dataset.split(".")
    with server.connect(database) as connection:
        connection.execute(f'DROP TABLE IF EXISTS "{name}{AWAY}"')  # of a demo that was cut off
    _rename(server, database, name, f"{name}{AWAY}")


def restore(server: Server, dataset: str) -> None:
    """Bring a vanished table back as it was."""
    database, name = dataset.split(".")
    _rename(server, database, f"{name}{AWAY}", name)


def _rename(server: Server, database: str, before: str, after: str) -> None:
    with server.connect(database) as connection:
        connection.execute(f'ALTER TABLE "{before}" RENAME TO "{after}"')
