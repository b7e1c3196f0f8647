"""Tables as Glue's crawlers write them into the catalog."""

from __future__ import annotations

import hashlib
from typing import Any

from local.engines.crawl_folders import Group
from local.engines.crawl_types import catalog_name, hive, merged

HIVE = "org.apache.hadoop.hive"
TEXT = ("org.apache.hadoop.mapred.TextInputFormat", f"{HIVE}.ql.io.HiveIgnoreKeyTextOutputFormat")
FORMATS = {
    "csv": (*TEXT, f"{HIVE}.serde2.lazy.LazySimpleSerDe"),
    "json": (*TEXT, "org.openx.data.jsonserde.JsonSerDe"),
    "avro": (
        f"{HIVE}.ql.io.avro.AvroContainerInputFormat",
        f"{HIVE}.ql.io.avro.AvroContainerOutputFormat",
        f"{HIVE}.serde2.avro.AvroSerDe",
    ),
    "parquet": (
        f"{HIVE}.ql.io.parquet.MapredParquetInputFormat",
        f"{HIVE}.ql.io.parquet.MapredParquetOutputFormat",
        f"{HIVE}.ql.io.parquet.serde.ParquetHiveSerDe",
    ),
}
STATISTICS = frozenset({"averageRecordSize", "objectCount", "recordCount", "sizeKey"})
OURS = "UPDATED_BY_CRAWLER"


def of_files(crawler: str, bucket: str, group: Group, prefix: str, taken: set[str]) -> dict[str, Any]:
    """A table over files, with the partitions still to be added; its name is one that is not taken."""
    parameters = _file_parameters(crawler, group)
    columns = merged([form.schema for form in group.files.values()])
    described = [{"Name": field.name, "Type": hive(field.type)} for field in columns if field.name not in group.keys]
    reading, writing, serde = FORMATS.get(group.classification, ("", "", ""))
    storage = {
        "Columns": described,
        "Location": f"s3://{bucket}/{group.place}",
        "InputFormat": reading,
        "OutputFormat": writing,
        "Compressed": parameters["compressionType"] != "none",
        "NumberOfBuckets": -1,
        "SerdeInfo": {"SerializationLibrary": serde, "Parameters": _serde_parameters(group, described)},
        "BucketColumns": [],
        "SortColumns": [],
        "Parameters": parameters,
        "StoredAsSubDirectories": False,
    }
    partitions = [{"Name": key, "Type": "string"} for key in group.keys]
    name = _free(prefix + catalog_name(group.place.rstrip("/").rpartition("/")[2] or bucket), group.place, taken)
    return _table(name, storage, parameters, partitions)


def of_database(crawler: str, connection: str, engine: str, prefix: str, table: Any) -> dict[str, Any]:
    """A table over one of a database's."""
    parameters = {**_parameters(crawler, engine), "connectionName": connection, "typeOfData": "table"}
    storage = {
        "Columns": [{"Name": each.name.lower(), "Type": each.type} for each in table.columns],
        "Location": ".".join(table.path),
        "Compressed": False,
        "NumberOfBuckets": -1,
        "SerdeInfo": {"Parameters": {}},
        "BucketColumns": [],
        "SortColumns": [],
        "Parameters": parameters,
        "StoredAsSubDirectories": False,
    }
    return _table(prefix + catalog_name(*table.path), storage, parameters, [])


def partition(table: dict[str, Any], values: tuple[str, ...], bucket: str, place: str) -> dict[str, Any]:
    """A partition of a table over files."""
    storage = {**table["StorageDescriptor"], "Location": f"s3://{bucket}/{place}"}
    return {"Values": list(values), "StorageDescriptor": storage, "Parameters": {}}


def shape(table: dict[str, Any]) -> Any:
    """What of a table is more than a count: a crawl that changes only counts has updated nothing."""
    storage = table["StorageDescriptor"]
    kept = {name: value for name, value in table["Parameters"].items() if name not in STATISTICS}
    return storage["Columns"], storage["Location"], storage["SerdeInfo"], table.get("PartitionKeys", []), kept


def _table(
    name: str, storage: dict[str, Any], parameters: dict[str, str], partitions: list[dict[str, str]]
) -> dict[str, Any]:
    return {
        "Name": name,
        "Owner": "owner",
        "Retention": 0,
        "StorageDescriptor": storage,
        "PartitionKeys": partitions,
        "TableType": "EXTERNAL_TABLE",
        "Parameters": parameters,
    }


def _parameters(crawler: str, classification: str) -> dict[str, str]:
    return {
        "CrawlerSchemaDeserializerVersion": "1.0",
        "CrawlerSchemaSerializerVersion": "1.0",
        OURS: crawler,
        "classification": classification,
        "compressionType": "none",
    }


def _file_parameters(crawler: str, group: Group) -> dict[str, str]:
    forms = list(group.files.values())
    size, rows = sum(group.sizes.values()), sum(form.rows for form in forms)
    found = {
        **_parameters(crawler, group.classification),
        "compressionType": max((form.compression for form in forms), key=lambda each: each != "none"),
        "typeOfData": "file",
        "objectCount": str(len(forms)),
        "sizeKey": str(size),
        "recordCount": str(rows),
        "averageRecordSize": str(size // rows if rows else 0),
    }
    if group.classification == "csv":
        found |= {"areColumnsQuoted": "false", "columnsOrdered": "true"}
    for form in forms:
        found |= form.details
    return found


def _serde_parameters(group: Group, columns: list[dict[str, str]]) -> dict[str, str]:
    match group.classification:
        case "csv":
            return {"field.delim": next(iter(group.files.values())).details["delimiter"]}
        case "json":
            return {"paths": ",".join(each["Name"] for each in columns)}
        case "avro" | "parquet":
            return {"serialization.format": "1"}
        case _:
            return {}


def _free(name: str, place: str, taken: set[str]) -> str:
    """The name, with a hash of the place where another table of this crawl has it, as Glue does."""
    return f"{name}_{hashlib.md5(place.encode(), usedforsecurity=False).hexdigest()}" if name in taken else name
