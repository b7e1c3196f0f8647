"""Tables that somebody writes into a place of their own, by hand, so that they name files of a governed table."""

from __future__ import annotations

import io
import json
from typing import Any

import fastavro

from local.engines.athena_storage import SERDES
from tests.local.attacked_lake import SANDBOX, SILVER, AttackedLake
from tests.local.planned_lake import ENVIRONMENT

OWN, BRONZE = ENVIRONMENT.bucket("sandbox"), ENVIRONMENT.bucket("bronze")
TOLD = ("lower_bounds", "upper_bounds")  # of values that a forger does not know


def iceberg(lake: AttackedLake, role: str, name: str, table: str, manifests: str) -> Any:
    """An Iceberg table with the rows of a governed one: its `manifests` are `theirs`, or `own` ones for their files."""
    location = str(lake.admin.endpoint.client("glue").get_table(DatabaseName=SILVER, Name=table)
                   ["Table"]["Parameters"]["metadata_location"])  # fmt: skip
    metadata = json.loads(_read(lake, location))
    place = f"s3://{OWN}/data/{role}/{name}"
    metadata["location"] = place
    if manifests == "own":
        for snapshot in metadata["snapshots"]:
            snapshot["manifest-list"] = _list(lake, role, place, snapshot["manifest-list"])
    _write(lake, role, f"{place}/metadata/1.metadata.json", json.dumps(metadata).encode())
    return _register(lake, role, name, f"{place}/metadata/1.metadata.json", place)


def by_itself(lake: AttackedLake, role: str, name: str, table: str) -> Any:
    """A table of one's own catalog entry, whose metadata is the governed table's own."""
    told = lake.admin.endpoint.client("glue").get_table(DatabaseName=SILVER, Name=table)["Table"]
    return _register(lake, role, name, told["Parameters"]["metadata_location"], f"s3://{OWN}/data/{role}/{name}")


def links(lake: AttackedLake, role: str, name: str) -> Any:
    """A table whose file lists the files that are its rows."""
    place = f"s3://{OWN}/data/{role}/{name}"
    _write(lake, role, f"{place}/links", f"s3://{lake.words['bucket']}/{lake.words['file']}\n".encode())
    storage = {
        "Location": place, "Columns": [{"Name": "email", "Type": "string"}],
        "InputFormat": "org.apache.hadoop.hive.ql.io.SymlinkTextInputFormat",
        "SerdeInfo": {"SerializationLibrary": "org.apache.hadoop.hive.ql.io.parquet.serde.ParquetHiveSerDe"},
    }  # fmt: skip
    table = {"Name": name, "TableType": "EXTERNAL_TABLE", "StorageDescriptor": storage}
    return lake.session(role).client("glue").create_table(DatabaseName=SANDBOX, TableInput=table)


def over_raw(lake: AttackedLake, role: str, name: str, form: str, *, partition: bool = False) -> Any:
    """A table of one's own over raw files, which its owner may not read; or with a partition that lies there."""
    raw, place = f"s3://{BRONZE}/clinic/people/", f"s3://{OWN}/data/{role}/{name}/"
    s3, glue = lake.endpoint.client("s3"), lake.session(role).client("glue")
    s3.create_bucket(Bucket=BRONZE)
    s3.put_object(Bucket=BRONZE, Key="clinic/people/1.json", Body=b'{"email": "CANARY-raw"}')
    _, _, library = SERDES[form]
    storage = {"Location": place if partition else raw, "Columns": [{"Name": "email", "Type": "string"}],
               "SerdeInfo": {"SerializationLibrary": library}}  # fmt: skip
    keys = [{"Name": "day", "Type": "string"}] if partition else []
    table = {"Name": name, "TableType": "EXTERNAL_TABLE", "StorageDescriptor": storage, "PartitionKeys": keys}
    made = glue.create_table(DatabaseName=SANDBOX, TableInput=table)
    if partition:
        part = {"Values": ["a"], "StorageDescriptor": {**storage, "Location": raw}}
        glue.create_partition(DatabaseName=SANDBOX, TableName=name, PartitionInput=part)
    return made


def _register(lake: AttackedLake, role: str, name: str, metadata: str, place: str) -> Any:
    table = {"Name": name, "TableType": "EXTERNAL_TABLE", "StorageDescriptor": {"Location": place, "Columns": []},
             "Parameters": {"table_type": "ICEBERG", "metadata_location": metadata}}  # fmt: skip
    return lake.session(role).client("glue").create_table(DatabaseName=SANDBOX, TableInput=table)


def _list(lake: AttackedLake, role: str, place: str, theirs: str) -> str:
    """A manifest list like theirs, whose manifests lie in one's own place."""
    schema, metadata, rows = _records(_read(lake, theirs))
    for row in rows:
        row["manifest_path"] = _manifest(lake, role, place, row["manifest_path"])
        row["manifest_length"] = len(_read(lake, row["manifest_path"]))
        row["partitions"] = None
    mine = f"{place}/metadata/{theirs.rpartition('/')[2]}"
    _write(lake, role, mine, _avro(schema, metadata, rows))
    return mine


def _manifest(lake: AttackedLake, role: str, place: str, theirs: str) -> str:
    schema, metadata, rows = _records(_read(lake, theirs))
    for row in rows:
        row["data_file"] |= dict.fromkeys(TOLD)
    mine = f"{place}/metadata/{theirs.rpartition('/')[2]}"
    _write(lake, role, mine, _avro(schema, metadata, rows))
    return mine


def _records(body: bytes) -> tuple[Any, dict[str, str], list[Any]]:
    reader = fastavro.reader(io.BytesIO(body))
    kept = {key: value for key, value in reader.metadata.items() if not key.startswith("avro.")}
    return reader.writer_schema, kept, list(reader)


def _avro(schema: Any, metadata: dict[str, str], rows: list[Any]) -> bytes:
    out = io.BytesIO()
    fastavro.writer(out, schema, rows, metadata=metadata)
    return out.getvalue()


def _read(lake: AttackedLake, location: str) -> bytes:
    bucket, _, key = location.removeprefix("s3://").partition("/")
    body: bytes = lake.endpoint.client("s3").get_object(Bucket=bucket, Key=key)["Body"].read()
    return body


def _write(lake: AttackedLake, role: str, location: str, body: bytes) -> None:
    bucket, _, key = location.removeprefix("s3://").partition("/")
    lake.session(role).client("s3").put_object(Bucket=bucket, Key=key, Body=body)
