"""A crawl's findings written into its database, with the crawler's role and by its schema change policy."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from local.engines.crawl_tables import OURS, STATISTICS, shape

DEPRECATED = "DEPRECATED_BY_CRAWLER"
MADE_BY_CRAWLERS = "CrawlerSchemaSerializerVersion"
AT_ONCE = 100  # partitions that BatchCreatePartition takes
KEPT = ("Name", "Owner", "Retention", "StorageDescriptor", "PartitionKeys", "TableType", "Parameters")


class NotForCrawlersError(Exception):
    """A crawler's database holds a table that is not its own to write."""


@dataclass
class Counts:
    """Tables of one crawl."""

    created: int = 0
    updated: int = 0
    deleted: int = 0


class Writer:
    """Writes tables: `Writer(glue, database, crawler).write(found)`."""

    def __init__(self, glue: Any, database: str, crawler: Any) -> None:
        self._glue, self._database, self._crawler = glue, database, crawler
        policy = crawler.schema_change_policy or {}
        self._updates = policy.get("UpdateBehavior", "UPDATE_IN_DATABASE") == "UPDATE_IN_DATABASE"
        self._deletes = policy.get("DeleteBehavior", "DEPRECATE_IN_DATABASE")
        self.counts = Counts()
        self.notes: list[str] = []

    def write(self, tables: Sequence[tuple[dict[str, Any], list[dict[str, Any]]]], *, complete: bool) -> None:
        """What is not found any more is only then taken for gone when everything could be read."""
        held = {each["Name"]: each for each in self._tables()}
        for table, partitions in tables:
            self._table(table, held.get(table["Name"]))
            self._partitions(table["Name"], partitions)
        if complete:
            found = {table["Name"] for table, _ in tables}
            for name, table in held.items():
                mine = table["Parameters"].get(OURS) == self._crawler.name
                if mine and name not in found and DEPRECATED not in table["Parameters"]:
                    self._gone(table)

    def _tables(self) -> Iterator[dict[str, Any]]:
        for page in self._glue.get_paginator("get_tables").paginate(DatabaseName=self._database):
            for table in page["TableList"]:
                if MADE_BY_CRAWLERS not in (table.get("Parameters") or {}):
                    raise NotForCrawlersError(
                        f"The database '{self._database}': expected tables of crawlers only, and '{table['Name']}' is"
                        " none. Give the crawler a database of its own."
                    )
                yield table

    def _table(self, table: dict[str, Any], held: dict[str, Any] | None) -> None:
        if held is None:
            self._glue.create_table(DatabaseName=self._database, TableInput=table)
            self.counts.created += 1
        elif held["Parameters"].get(OURS) != self._crawler.name:
            raise NotForCrawlersError(
                f"The table '{table['Name']}': crawler '{held['Parameters'].get(OURS)}' has found one of that name."
                " Give this crawler another table prefix."
            )
        elif shape(table) != shape(held):
            if not self._updates:
                self.notes.append(f"The table '{table['Name']}' has changed, and is left as it is.")
                return
            self._glue.update_table(DatabaseName=self._database, TableInput=table)
            self.counts.updated += 1
        elif any(table["Parameters"].get(name) != held["Parameters"].get(name) for name in STATISTICS):
            self._glue.update_table(DatabaseName=self._database, TableInput=table, SkipArchive=True)

    def _partitions(self, table: str, wanted: Sequence[dict[str, Any]]) -> None:
        if not wanted:
            return
        named = {"DatabaseName": self._database, "TableName": table}
        pages = self._glue.get_paginator("get_partitions").paginate(**named)
        held = {tuple(each["Values"]) for page in pages for each in page["Partitions"]}
        new = [each for each in wanted if tuple(each["Values"]) not in held]
        for start in range(0, len(new), AT_ONCE):
            self._glue.batch_create_partition(**named, PartitionInputList=new[start : start + AT_ONCE])

    def _gone(self, table: dict[str, Any]) -> None:
        name = table["Name"]
        if self._deletes == "DELETE_FROM_DATABASE":
            self._glue.delete_table(DatabaseName=self._database, Name=name)
            self.counts.deleted += 1
        elif self._deletes == "DEPRECATE_IN_DATABASE":
            marked = {part: table[part] for part in KEPT if part in table}
            marked["Parameters"] = {**table["Parameters"], DEPRECATED: str(int(time.time() * 1000))}
            self._glue.update_table(DatabaseName=self._database, TableInput=marked)
            self.counts.deleted += 1
        self.notes.append(f"The table '{name}' is gone from its source.")
