"""Position deletes, as Spark's merge-on-read commits them; PyIceberg reads them and has no call that writes them."""

from __future__ import annotations

import io
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


class PositionDeletes(_FastAppendFiles):
    """A commit that adds delete files."""

    def new_manifest_writer(self, spec: Any) -> DeleteManifest:
        return DeleteManifest(spec, self.schema(), self.new_manifest_output(), self._snapshot_id, self._compression)


def delete_positions(table: Table, positions: list[int]) -> None:
    """Delete these rows of the table's one data file."""
    [task] = table.scan().plan_files()
    rows = [{"file_path": task.file.file_path, "pos": position} for position in positions]
    buffer = io.BytesIO()
    parquet.write_table(pa.Table.from_pylist(rows, SCHEMA), buffer)
    path = f"{table.location()}/data/deletes-{'-'.join(map(str, positions))}.parquet"
    with table.io.new_output(path).create() as file:
        file.write(buffer.getvalue())
    deleted = DataFile.from_args(
        content=DataFileContent.POSITION_DELETES,
        file_path=path,
        file_format=FileFormat.PARQUET,
        partition=Record(),
        record_count=len(positions),
        file_size_in_bytes=len(buffer.getvalue()),
    )
    deleted.spec_id = 0
    with table.transaction() as transaction, PositionDeletes(Operation.DELETE, transaction, table.io) as commit:
        commit.append_data_file(deleted)
