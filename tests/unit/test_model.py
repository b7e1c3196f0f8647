"""The compiled lake, read from a folder or a zip."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from zipfile import ZipFile

import pytest

from lake.model import Column, CompiledLakeError, Lake, UnknownDatasetError, UnknownPipelineError
from tests.unit.compiled_lake import LAKE, compiled_files

ROOT = Path(__file__).parents[2]
READ = """
import lake.model
lake = lake.model.load()
print(lake.dataset_ids(), lake.pipeline("tickit").interval_hours, lake.table(lake.dataset("saas.users")))
"""
EXPECTED = "['ecommerce.sales', 'gold.sales_by_date', 'saas.users'] 24 lake.headwater_test_silver.saas_users"


@pytest.fixture(params=["folder", "zip"])
def asset(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    files = compiled_files() | {f"lake/{path.name}": path.read_text() for path in (ROOT / "lake").glob("*.py")}
    if request.param == "zip":
        with ZipFile(tmp_path / "asset.zip", "w") as archive:
            for name, text in files.items():
                archive.writestr(name, text)
        return tmp_path / "asset.zip"
    for name, text in files.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text)
    return tmp_path


def test_a_lake_is_read_from_whatever_a_job_is_packed_in(asset: Path, tmp_path: Path) -> None:
    command = [sys.executable, "-c", f"import sys; sys.path.insert(0, {str(asset)!r}){READ}"]
    assert subprocess.run(command, cwd=tmp_path, text=True, capture_output=True).stdout.strip() == EXPECTED


def test_only_the_datasets_asked_for_are_read() -> None:
    read: list[str] = []
    files = {path.removeprefix("compiled/"): text for path, text in compiled_files().items()}

    def reader(path: str) -> str:
        read.append(path)
        return files[path]

    lake = Lake(reader, lambda folder: [])
    lake.location(lake.dataset("saas.users"))
    lake.table(lake.dataset("saas.users"))
    assert read == ["datasets/saas.users.json", "environment.json"]


def test_a_dataset_is_what_its_contract_says() -> None:
    users = LAKE.dataset("saas.users")
    assert users.key == ("user_id",)
    assert users.columns[1] == Column("email", "string", "email", classification="pii")
    assert LAKE.dataset("ecommerce.sales").references[0].dataset == "saas.users"


def test_every_place_of_a_dataset_follows_from_its_name() -> None:
    users, sales = LAKE.dataset("saas.users"), LAKE.dataset("gold.sales_by_date")
    run = "tickit-20261121T0000-01"
    assert LAKE.location(users) == "s3://silver-bucket/saas/users/"
    assert LAKE.quarantine(users) == "lake.headwater_test_silver.saas_users__quarantine"
    assert LAKE.quarantine_location(users) == "s3://silver-bucket/saas/users__quarantine/"
    assert LAKE.bronze_prefix(users, run, 2) == f"s3://bronze-bucket/saas/users/logical=20261121T0000/run={run}-2/"
    assert LAKE.table(sales) == "lake.headwater_test_gold.sales_by_date"
    assert LAKE.location(sales) == "s3://gold-bucket/sales_by_date/"


def test_an_unknown_name_is_answered_with_the_nearest_known() -> None:
    with pytest.raises(UnknownDatasetError, match=r"^Unknown dataset 'saas.user': .* Did you mean 'saas.users'\?"):
        LAKE.dataset("saas.user")
    with pytest.raises(UnknownPipelineError, match="expected one of tickit"):
        LAKE.pipeline("orders")


def test_a_field_of_another_version_is_refused() -> None:
    environment = {**json.loads(compiled_files()["compiled/environment.json"]), "colour": "red"}
    with pytest.raises(CompiledLakeError, match="field 'colour'"):
        _ = Lake.from_dict({"environment": environment}).environment
