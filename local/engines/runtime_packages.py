"""Which of this Python's packages deployed code finds: those that its runtime on AWS brings, and no others.

Run by path in processes that know nothing of this repository, so it imports the standard library only.
"""

from __future__ import annotations

import importlib.machinery
from collections.abc import Sequence
from typing import Any

BOTO3 = {"boto3", "botocore", "dateutil", "jmespath", "s3transfer", "six", "urllib3"}
LAMBDA = BOTO3
# Of the modules that AWS Glue documents as provided, those that are installed here; and Spark and its own.
GLUE = BOTO3 | {
    "awsglue", "certifi", "charset_normalizer", "fsspec", "idna", "numpy", "packaging", "pandas", "py4j", "pyarrow",
    "pyspark", "pytz", "requests", "tzdata",
}  # fmt: skip


class RuntimePackages:
    """A finder for `sys.meta_path`, in a Python that was started without its site-packages (`python -I -S`)."""

    def __init__(self, site_packages: str, names: set[str]) -> None:
        self._path, self._names = [site_packages], names

    def find_spec(
        self, name: str, path: Sequence[str] | None = None, target: Any = None
    ) -> importlib.machinery.ModuleSpec | None:
        if path is not None or name not in self._names:
            return None
        return importlib.machinery.PathFinder.find_spec(name, self._path)
