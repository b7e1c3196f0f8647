"""PyIceberg's Glue catalog, which writes a table's entry anew with each commit: here it keeps what Glue alone knows."""

from __future__ import annotations

from typing import Any

from pyiceberg.catalog.glue import GlueCatalog

KEPT = ("Description", "Owner", "Retention")


class KeepingGlueCatalog(GlueCatalog):
    """Commits like its parent; descriptions and comments that Iceberg's metadata does not have stay as they are."""

    def _update_glue_table(self, database_name: str, table_name: str, table_input: Any, version_id: str) -> None:
        known: dict[str, Any] = dict(self._get_glue_table(database_name, table_name))
        told = {**{name: known[name] for name in KEPT if name in known}, **table_input}
        comments = {
            column["Name"]: column["Comment"]
            for column in known.get("StorageDescriptor", {}).get("Columns", ())
            if column.get("Comment")
        }
        for column in told["StorageDescriptor"]["Columns"]:
            if column["Name"] in comments:
                column.setdefault("Comment", comments[column["Name"]])
        super()._update_glue_table(database_name, table_name, told, version_id)
