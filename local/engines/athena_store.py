"""The result of a statement in its place: the rows or lines, the metadata beside them, the manifest of a write."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from botocore.exceptions import ClientError

from local.engines.athena_errors import QueryError
from local.engines.athena_results import column_info, metadata
from local.engines.athena_session import Done
from local.engines.athena_types import BIGINT

Outcome = dict[str, Any]


@dataclass(frozen=True)
class Store:
    """Where one request's result goes, with its caller's client for S3."""

    s3: Any
    request: Mapping[str, Any]

    def rows(self, body: Any, columns: Sequence[Outcome]) -> None:
        """The result and its metadata, at once: to a client each put is a wait."""
        place = self.request["output"]
        with ThreadPoolExecutor(1) as beside:
            described = beside.submit(self._put, f"{place}.metadata", metadata(columns))
            self._put(place, body)
            described.result()

    def written(self, done: Done, scanned: int) -> Outcome:
        """What a statement says that is no query."""
        columns, lines = list(done.columns), done.lines
        if done.rows is None:
            self.rows("\n".join(lines).encode(), columns)
            return {"columns": columns, "rows": len(lines), "scanned": scanned}
        outcome: Outcome = {"columns": [column_info("rows", BIGINT)], "updated": done.rows, "rows": 0}
        if done.files is not None:
            outcome["manifest"] = f"{self.request['output']}-manifest.csv"
            self._put(outcome["manifest"], "".join(f"{file}\n" for file in done.files).encode())
        self._put(f"{self.request['output']}.metadata", metadata(outcome["columns"]))
        return {**outcome, "scanned": scanned}

    def _put(self, location: str, body: Any) -> None:
        if location.startswith("file://"):  # managed results, which lie in no bucket of the account
            Path(location.removeprefix("file://")).write_bytes(body if isinstance(body, bytes) else body.read())
            return
        bucket, _, key = location.removeprefix("s3://").partition("/")
        try:
            self.s3.put_object(Bucket=bucket, Key=key, Body=body, **self.request["encryption"])
        except ClientError as error:
            text = f"Unable to write the result to '{location}': {error}"
            raise QueryError("INVALID_OUTPUT_LOCATION", text) from error
