"""What a crawler's targets hold, read with its role: tables for the catalog, and what could not be read."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

from botocore.exceptions import ClientError

from local.engines import crawl_tables
from local.engines.crawl_databases import Databases
from local.engines.crawl_folders import Group, Object, grouped, roots, wanted
from local.engines.crawl_formats import UNKNOWN, Form, UnreadableFileError, form_of
from local.engines.crawl_jdbc import JdbcError, Login

SUPPORTED = ("S3Targets", "JdbcTargets")


@dataclass
class Found:
    """Tables with their partitions; `failures` are sentences, each naming what could not be read."""

    tables: list[tuple[dict[str, Any], list[dict[str, Any]]]] = field(default_factory=list)
    failures: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)


class Targets:
    """Reads the targets of one crawl: `Targets(clients, databases, stopped).read(crawler)`."""

    def __init__(self, client: Callable[[str], Any], databases: Databases, stopped: Callable[[], bool]) -> None:
        self._client, self._databases, self._stopped = client, databases, stopped
        self._found = Found()

    def read(self, crawler: Any) -> Found:
        prefix = crawler.table_prefix or ""
        for target in crawler.targets.get("S3Targets", ()):
            self._each(target["Path"], partial(self._files, crawler, target, prefix))
        for target in crawler.targets.get("JdbcTargets", ()):
            self._each(target["ConnectionName"], partial(self._database, crawler.name, target, prefix))
        return self._found

    def _each(self, name: str, read: Callable[[], None]) -> None:
        """One target that cannot be read does not keep the others from being read."""
        if self._stopped():
            return
        try:
            read()
        except JdbcError as error:
            self._found.failures.append(f"The connection '{name}': {error}")
        except ClientError as error:
            self._found.failures.append(f"The target '{name}': the crawler's role was refused: {error}")

    def _database(self, crawler: str, target: dict[str, Any], prefix: str) -> None:
        name = target["ConnectionName"]
        given = self._client("glue").get_connection(Name=name)["Connection"]["ConnectionProperties"]
        login = Login.of(given, self._client("secretsmanager"))
        tables = self._databases.tables(login, target.get("Path") or "%", self._stopped)
        for table in tables:
            made = crawl_tables.of_database(crawler, name, login.engine, prefix, table)
            self._found.tables.append((made, []))
        if not tables:
            self._found.notes.append(f"The path '{target.get('Path')}' of connection '{name}' holds no table.")

    def _files(self, crawler: Any, target: dict[str, Any], prefix: str) -> None:
        bucket, _, folder = target["Path"].removeprefix("s3://").partition("/")
        folder = f"{folder.rstrip('/')}/" if folder else ""
        objects = wanted(self._objects(bucket, folder), target.get("Exclusions") or (), folder)
        if not objects:
            self._found.notes.append(f"The target '{target['Path']}' holds no file.")
        level = _grouping(crawler).get("TableLevelConfiguration")
        places = roots(objects, int(level)) if level else {folder: objects}
        beside = len(objects) - sum(map(len, places.values()))
        if beside:
            self._found.notes.append(f"{beside} files of '{target['Path']}' lie above the folders that are tables.")
        taken = {table["Name"] for table, _ in self._found.tables}
        for place, held in places.items():
            forms = dict(self._forms(bucket, held))
            sizes = {each.key: each.size for each in held}
            for group in grouped(place, forms, sizes, fixed=bool(level)):
                self._add(crawler.name, bucket, group, prefix, taken)

    def _add(self, crawler: str, bucket: str, group: Group, prefix: str, taken: set[str]) -> None:
        table = crawl_tables.of_files(crawler, bucket, group, prefix, taken)
        taken.add(table["Name"])
        places = group.partitions().items()
        partitions = [crawl_tables.partition(table, values, bucket, place) for values, place in places]
        self._found.tables.append((table, partitions))
        if group.classification == UNKNOWN:
            self._found.notes.append(f"The files of 's3://{bucket}/{group.place}' have no known format.")

    def _forms(self, bucket: str, objects: list[Object]) -> Iterator[tuple[str, Form]]:
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "object"
            for each in objects:
                if self._stopped():
                    return
                self._client("s3").download_file(bucket, each.key, str(path))
                try:
                    yield each.key, form_of(path, f"s3://{bucket}/{each.key}")
                except UnreadableFileError as error:
                    self._found.failures.append(str(error))

    def _objects(self, bucket: str, prefix: str) -> Iterator[Object]:
        for page in self._client("s3").get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=prefix):
            for each in page.get("Contents", ()):
                yield Object(each["Key"], each["Size"])


def _grouping(crawler: Any) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(crawler.configuration or "{}").get("Grouping", {})
    return found
