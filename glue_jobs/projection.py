"""A stream's bronze in the catalog: tables over objects whose days Athena works out, so that no crawler is needed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from lake import arrivals
from lake.model import Dataset, Lake

DAY = "day"
LONGEST_COMMENT = 255  # of a column, in Glue
FIRST_DAY = "2026/01/01"  # before any stream began
FORMAT = {
    "InputFormat": "org.apache.hadoop.mapred.TextInputFormat",
    "OutputFormat": "org.apache.hadoop.hive.ql.io.HiveIgnoreKeyTextOutputFormat",
}
SERDE = "org.openx.data.jsonserde.JsonSerDe"


def register(glue: Any, lake: Lake, dataset: Dataset) -> None:
    """The two tables are what the contract says; one that is already is not written again."""
    database = lake.environment.databases["bronze"]
    for table in tables(lake, dataset):
        try:
            held = glue.get_table(DatabaseName=database, Name=table["Name"])["Table"]
        except glue.exceptions.EntityNotFoundException:
            glue.create_table(DatabaseName=database, TableInput=table)
        else:
            if not _includes(held, table):
                glue.update_table(DatabaseName=database, TableInput=table)


def present(glue: Any, lake: Lake) -> set[str]:
    """The names of bronze's tables."""
    pages = glue.get_paginator("get_tables").paginate(DatabaseName=lake.environment.databases["bronze"])
    return {table["Name"] for page in pages for table in page["TableList"]}


def tables(lake: Lake, dataset: Dataset) -> list[dict[str, Any]]:
    """That of the events and that of the records which were none."""
    about = f"{dataset.id} as it came, each field as text"
    letters = f"Records of {dataset.id} that broke its contract: the rules, and the record in base64"
    events, dead = dataset.bronze_tables
    return [
        _table(lake, events, dataset.folder, arrivals.fields(dataset), about, dataset.source_words),
        _table(lake, dead, arrivals.dead_letters(dataset), arrivals.DeadLetter._fields, letters, {}),
    ]


def _table(
    lake: Lake, name: str, folder: str, names: Sequence[str], description: str, words: Mapping[str, str]
) -> dict[str, Any]:
    location = f"s3://{lake.environment.buckets['bronze']}/{folder}"
    # a field of the same name but for its case, which an event may have beside its own, must not break the query
    exact = all(each == each.lower() for each in names)
    return {
        "Name": name,
        "Description": description[:2048],
        "TableType": "EXTERNAL_TABLE",
        "Parameters": {
            "EXTERNAL": "TRUE",
            "classification": "json",
            "projection.enabled": "true",
            f"projection.{DAY}.type": "date",
            f"projection.{DAY}.format": "yyyy/MM/dd",
            f"projection.{DAY}.range": f"{FIRST_DAY},NOW",
            f"projection.{DAY}.interval": "1",
            f"projection.{DAY}.interval.unit": "DAYS",
            "storage.location.template": f"{location}${{{DAY}}}/",
        },
        "PartitionKeys": [{"Name": DAY, "Type": "string"}],
        "StorageDescriptor": {
            **FORMAT,
            "SerdeInfo": {
                "SerializationLibrary": SERDE,
                "Parameters": {"case.insensitive": "false" if exact else "true"},
            },
            # texts, since one value of another type would break every query of its day
            "Columns": [{"Name": each.lower(), "Type": "string", **comment(words, each)} for each in names],
            "Location": location,
        },
    }


def comment(words: Mapping[str, str], name: str) -> dict[str, str]:
    """What the contract says of a source's column, as the catalog takes it."""
    said = words.get(name.lower())
    return {"Comment": said[:LONGEST_COMMENT]} if said else {}


def _includes(held: Any, wanted: Any) -> bool:
    """Whether the catalog's table says all that is wanted; it says more."""
    if isinstance(wanted, Mapping):
        return isinstance(held, Mapping) and all(_includes(held.get(name), each) for name, each in wanted.items())
    if isinstance(wanted, list):
        same = isinstance(held, list) and len(held) == len(wanted)
        return same and all(map(_includes, held, wanted))
    return bool(held == wanted)
