"""Files that a statement has written and nobody reads yet: they go again when it fails or is cancelled."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from botocore.exceptions import BotoCoreError

from local.engines.athena_session import Session


@contextmanager
def taken_back(session: Session, files: list[str]) -> Iterator[None]:
    """The files on the list, which may grow, are deleted unless the block ends well."""
    try:
        yield
    except BaseException:
        _delete(session, files)
        raise


@contextmanager
def committed(session: Session, table: Any) -> Iterator[None]:
    """The same for what PyIceberg writes for one commit, which ends the block."""
    from local.engines.athena_recorded_io import RecordedIO  # PyIceberg takes its time to load

    files: list[str] = []
    table.io = RecordedIO(table.io, files)
    try:
        yield
    except (BotoCoreError, OSError):  # the commit may have come through, and its answer not
        raise
    except BaseException:
        _delete(session, files)
        raise


def _delete(session: Session, files: list[str]) -> None:
    for file in files:
        bucket, _, key = file.removeprefix("s3://").partition("/")
        session.catalog.s3.delete_object(Bucket=bucket, Key=key)
