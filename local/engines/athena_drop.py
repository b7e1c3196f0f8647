"""DROP of tables and views."""

from __future__ import annotations

from dataclasses import dataclass

from local.engines.athena_errors import QueryError
from local.engines.athena_metadata import is_iceberg
from local.engines.athena_session import Done, Session
from local.engines.athena_views import is_view
from local.engines.athena_words import Words


@dataclass(frozen=True)
class Drop:
    """DROP TABLE or DROP VIEW, read."""

    verb: str
    path: tuple[str | None, str]
    if_there: bool

    def run(self, session: Session) -> Done:
        database, name = session.named(self.path)
        glue = session.catalog.table_of(database, name)
        if glue is None and self.if_there:
            return Done()
        if glue is None:
            kind = "Table not found" if self.verb == "drop_table" else "View not found"
            raise QueryError("FAILED", f"SemanticException [Error 10001]: {kind} {database}.{name}")
        if is_view(glue) != (self.verb == "drop_view"):
            kind = "a view, not a table. Use DROP VIEW" if is_view(glue) else "a table, not a view. Use DROP TABLE"
            raise QueryError("FAILED", f"SemanticException [Error 10001]: {database}.{name} is {kind}.")
        session.catalog.glue.delete_table(DatabaseName=database, Name=name)
        if is_iceberg(glue):  # Athena owns an Iceberg table's files; others it leaves
            remove(session, glue["StorageDescriptor"]["Location"])
        return Done()


def read_drop(verb: str, words: Words) -> Drop:
    if_there = words.accept("IF", "EXISTS")
    found = Drop(verb, words.path(), if_there)
    words.end()
    return found


def remove(session: Session, location: str) -> None:
    """Delete every file below a location."""
    bucket, _, prefix = location.removeprefix("s3://").partition("/")
    s3 = session.catalog.s3
    for page in s3.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=prefix.rstrip("/") + "/"):
        keys = [{"Key": each["Key"]} for each in page.get("Contents", ())]
        if keys:
            s3.delete_objects(Bucket=bucket, Delete={"Objects": keys, "Quiet": True})
