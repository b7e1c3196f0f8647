"""A function's package, unpacked once for each content."""

from __future__ import annotations

import hashlib
import io
import uuid
import zipfile
from pathlib import Path


def unpacked(package: bytes, folder: Path) -> Path:
    """The folder that holds the package's files; two at once make it once."""
    target = folder / hashlib.sha256(package).hexdigest()[:24]
    if target.is_dir():
        return target
    making = folder / f".{target.name}.{uuid.uuid4().hex}"
    with zipfile.ZipFile(io.BytesIO(package)) as archive:
        archive.extractall(making)
    try:
        making.rename(target)
    except OSError:  # another call was first
        if not target.is_dir():
            raise
    return target
