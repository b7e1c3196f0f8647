"""Delete files: by position, as Spark's merge-on-read commits them, and by values, as Flink does; PyIceberg has no call
that writes them.
"""

from __future__ import annotations

import io
import uuid
from typing import Any

import pyarrow as pa
import pyarrow.parquet as parquet
from pyiceberg.manifest import DataFile, DataFileContent, FileFormat, ManifestContent, ManifestWriterV2
from pyiceberg.table import Table
from pyiceberg.table.snapshots import Operation
from pyiceberg.table.update.snapshot import _FastAppendFiles
from pyiceberg.typedef import Record

SCHEMA = pa.schema(
    [
        pa.field("file_path", pa.string(), nullable=False, metadata={"PARQUET:field_id": "2147483546"}),
        pa.field("pos", pa.int64(), nullable=False, metadata={"PARQUET:field_id": "2147483545"}),
    ]
)


class DeleteManifest(ManifestWriterV2):
    """A manifest of delete files."""

    def content(self) -> ManifestContent:
        return ManifestContent.DELETES

    @property
    def _meta(self) -> dict[str, str]:
        return {**super()._meta, "content": "deletes"}


class Deletes(_FastAppendFiles):
    """A commit that adds delete files."""

    def new_manifest_writer(self, spec: Any) -> DeleteManifest:
        return DeleteManifest(spec, self.schema(), self.new_manifest_output(), self._snapshot_id, self._compression)


def delete_positions(table: Table, positions: list[int]) -> None:
    """Delete these rows of the table's one data file."""
    [task] = table.scan().plan_files()
    rows = [{"file_path": task.file.file_path, "pos": position} for position in positions]
    commit(table, pa.Table.from_pylist(rows, SCHEMA), content=DataFileContent.POSITION_DELETES)


def delete_equal(table: Table, rows: pa.Table) -> None:
    """Delete the rows whose first column equals one of these."""
    commit(table, rows, content=DataFileContent.EQUALITY_DELETES, equality_ids=[1])


def commit(table: Table, rows: pa.Table, **told: Any) -> None:
    buffer = io.BytesIO()
    parquet.write_table(rows, buffer)
    path = f"{table.location()}/data/deletes-{uuid.uuid4()}.parquet"
    with table.io.new_output(path).create() as file:
        file.write(buffer.getvalue())
    deleted = DataFile.from_args(
        file_path=path,
        file_format=FileFormat.PARQUET,
        partition=Record(),
        record_count=rows.num_rows,
        file_size_in_bytes=len(buffer.getvalue()),
        **told,
    )
    deleted.spec_id = 0
    with table.transaction() as transaction, Deletes(Operation.DELETE, transaction, table.io) as producer:
        producer.append_data_file(deleted)
