"""Runtime code, packed under the import names that the tests use: lake, glue_jobs, lambdas and the compiled lake."""

from __future__ import annotations

import hashlib
import tempfile
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

from aws_cdk import AssetHashType, aws_glue as glue, aws_lambda as lambda_, aws_s3_assets as assets
from constructs import Construct

from datalake.access import Grant
from datalake.jars import spark_avro

ROOT = Path(__file__).parents[2]
PACKAGES = ("lake", "glue_jobs", "lambdas")
EPOCH = (1980, 1, 1, 0, 0, 0)  # the zip is the same whenever and wherever it is made


def entry(name: str) -> zipfile.ZipInfo:
    """A file of a zip, readable for all: Lambda runs functions as another user than the one who unpacks."""
    made = zipfile.ZipInfo(name, EPOCH)
    made.external_attr = 0o644 << 16
    return made


def pack(compile_into: Callable[[Path], None], folder: Path) -> Path:
    """A zip of our packages and of what `compile_into` writes; its name is the hash of what is in it."""
    with tempfile.TemporaryDirectory() as compiled:
        compile_into(Path(compiled))
        files = {
            path.relative_to(compiled).as_posix(): path.read_bytes()
            for path in Path(compiled).rglob("*")
            if path.is_file()
        }
    for package in PACKAGES:
        files |= {path.relative_to(ROOT).as_posix(): path.read_bytes() for path in (ROOT / package).rglob("*.py")}
    digest = hashlib.sha256()
    for name in sorted(files):
        digest.update(f"{name}\0{len(files[name])}\0".encode() + files[name])
    archive = folder / f"{digest.hexdigest()}.zip"
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED) as packed:
        for name in sorted(files):
            packed.writestr(entry(name), files[name], zipfile.ZIP_DEFLATED)
    return archive


class RuntimeCode(Construct):
    """The packed code as an asset of this stack, as jobs and functions take it."""

    def __init__(self, scope: Construct, construct_id: str, *, archive: Path) -> None:
        super().__init__(scope, construct_id)
        # The hash of the contents, not of the zip: another version of zlib packs other bytes.
        hashed: dict[str, Any] = {"asset_hash": archive.stem, "asset_hash_type": AssetHashType.CUSTOM}
        self.for_functions = lambda_.Code.from_asset(str(archive), **hashed)
        self._packages = assets.Asset(self, "Packages", path=str(archive), **hashed)

    def for_jobs(self) -> glue.Code:
        return glue.Code.from_bucket(self._packages.bucket, self._packages.s3_object_key)

    def script(self, job: str) -> assets.Asset:
        return assets.Asset(self, job.title(), path=str(ROOT / "glue_jobs" / f"{job}.py"))

    def jar(self) -> assets.Asset:
        return assets.Asset(self, "SparkAvro", path=str(spark_avro()))

    def read(self, *files: assets.Asset) -> Grant:
        """Read the packages and these files, and nothing else in the bucket of assets."""
        each = [file.bucket.arn_for_objects(file.s3_object_key) for file in (self._packages, *files)]
        return Grant(["s3:GetObject"], each)
