"""What crawlers have found in the sources, and what a source itself tells beside it."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

from cli.errors import CommandError
from cli.target import Target

if TYPE_CHECKING:
    from contracts.draft import FoundColumn

DEPRECATED = "DEPRECATED_BY_CRAWLER"
LANDING = "landing"
SAMPLED_ROWS = 100
LOOK_SECONDS = 1.0


@dataclass(frozen=True)
class FoundTable:
    """A table as its crawler last found it: `path` is its place in the source, `gone` that it was there once."""

    name: str
    path: tuple[str, ...]
    columns: Mapping[str, str]
    gone: bool


@dataclass(frozen=True)
class LastCrawl:
    """How a crawler's last crawl ended; `status` is NEVER where there was none, RUNNING while one is under way."""

    crawler: str
    status: str
    at: datetime | None = None
    message: str = ""
    tables: int = 0

    @property
    def sentence(self) -> str:
        """What a person has to know of it; nothing where all is well."""
        if self.status == "SUCCEEDED":
            return "" if self.tables else f"The crawler '{self.crawler}' found nothing: its source holds no table yet."
        if self.status == "NEVER":
            return f"The crawler '{self.crawler}' has never run. Let it look first: add --crawl."
        if self.status == "RUNNING":
            return f"The crawler '{self.crawler}' is at work: what is told here is older."
        return f"The crawler '{self.crawler}' ended {self.status}: {self.message or 'it does not say why.'}"


def tables(lake: Target, source: str) -> list[FoundTable]:
    """Every table that the source's crawler has found; those of the landing bucket for `landing`."""
    crawler = lake.environment.resource(f"crawl-{source}")
    pages = lake.client("glue").get_paginator("get_tables").paginate(
        DatabaseName=lake.environment.database("discovered")
    )  # fmt: skip
    every = (table for page in pages for table in page["TableList"])
    return [_found(each) for each in every if each["Parameters"].get("UPDATED_BY_CRAWLER") == crawler]


def _found(table: dict[str, Any]) -> FoundTable:
    storage = table["StorageDescriptor"]
    columns = {each["Name"]: each["Type"] for each in storage["Columns"]}
    return FoundTable(table["Name"], tuple(storage["Location"].split(".")), columns, DEPRECATED in table["Parameters"])


def find(found: Sequence[FoundTable], wanted: str) -> FoundTable | None:
    """The table that `users`, `public.users` or the catalog's own name means."""
    parts = tuple(wanted.lower().split("."))
    fitting = [
        each
        for each in found
        if each.name == wanted.lower() or tuple(part.lower() for part in each.path[-len(parts) :]) == parts
    ]
    if len(fitting) > 1:
        names = ", ".join(".".join(each.path) for each in fitting)
        raise CommandError(f"The table '{wanted}': expected one table, and these fit: {names}. Say its schema too.")
    return fitting[0] if fitting else None


def last_crawl(lake: Target, source: str) -> LastCrawl:
    name = lake.environment.resource(f"crawl-{source}")
    glue = lake.client("glue")
    try:
        crawler = glue.get_crawler(Name=name)["Crawler"]
    except glue.exceptions.EntityNotFoundException as error:
        raise CommandError(
            f"The crawler '{name}': expected one that is deployed. Deploy the environment first."
        ) from error
    if crawler["State"] != "READY":
        return LastCrawl(name, "RUNNING")
    last = crawler.get("LastCrawl")
    if last is None:
        return LastCrawl(name, "NEVER")
    count = sum(not each.gone for each in tables(lake, source))
    return LastCrawl(name, last["Status"], last["StartTime"], last.get("ErrorMessage", ""), count)


def crawl(lake: Target, source: str) -> LastCrawl:
    """Let the source's crawler look now, and wait for its end; one that is at work is waited for."""
    name = lake.environment.resource(f"crawl-{source}")
    glue = lake.client("glue")
    with contextlib.suppress(glue.exceptions.CrawlerRunningException):
        glue.start_crawler(Name=name)
    while (ended := last_crawl(lake, source)).status == "RUNNING":
        time.sleep(LOOK_SECONDS)
    return ended


def columns(lake: Target, source: str, table: FoundTable, *, live: bool) -> tuple[list[FoundColumn], str]:
    """The table's columns, with what the source itself says where it is asked; and why it could not be, if so."""
    from contracts.draft import FoundColumn

    plain = [FoundColumn(name, type_) for name, type_ in table.columns.items()]
    if not live:
        return plain, "The source was not asked: keys and required columns are guesses."
    from local.engines.crawl_jdbc import JdbcError

    try:
        asked = _ask(lake, source, table)
    except JdbcError as error:
        return plain, f"The source could not be asked, so keys and required columns are guesses: {error}"
    known = {each.name.lower(): each for each in asked}
    return [known.get(each.name, each) for each in plain], ""


def _ask(lake: Target, source: str, table: FoundTable) -> list[FoundColumn]:
    """Names as the source writes them, keys, what may be null, and some values to guess by."""
    from contracts.draft import FoundColumn
    from local.engines.crawl_databases import Databases
    from local.engines.crawl_jdbc import LiveTable, Login

    connection = lake.client("glue").get_connection(Name=lake.environment.resource(source))["Connection"]
    login = Login.of(connection["ConnectionProperties"], lake.client("secretsmanager"))
    databases = Databases()
    try:
        with databases.opened(login) as database:
            described = database.described(LiveTable(table.path))
            rows = database.sample(described, SAMPLED_ROWS)
    finally:
        databases.close()
    return [
        FoundColumn(
            each.name,
            table.columns.get(each.name.lower(), each.type),
            each.nullable,
            each.key,
            tuple(row[number] for row in rows),
        )
        for number, each in enumerate(described.columns)
    ]
