# ruff: noqa: E501  (a case reads best in one line)
"""Roles and contracts that do not fit each other are refused, by file and line."""

from __future__ import annotations

from pathlib import Path

import pytest
from typer.testing import CliRunner

import cli.contract
import config
from cli.__main__ import app
from config import ConfigError
from config.positions import FileError
from contracts import ROOT, compile
from tests.unit.lake_root import change, shipped

PROD = "config/prod.yaml"
CLINIC = "contracts/clinic/immunizations.odcs.yaml"
MANY = ", ".join(f"site-{number:03}" for number in range(101))


def refused(root: Path) -> str:
    with pytest.raises(FileError) as error:
        compile.read(config.load_file(root / PROD), root)
    return str(error.value)


@pytest.fixture
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "config").mkdir()
    (tmp_path / PROD).write_text((ROOT / PROD).read_text())
    (tmp_path / "config" / "environment.schema.json").write_text(
        (ROOT / "config" / "environment.schema.json").read_text()
    )
    monkeypatch.setattr(config, "FOLDER", tmp_path / "config")
    return shipped(tmp_path)


@pytest.mark.parametrize(
    ("file", "old", "new", "says"),
    [
        (CLINIC, "{ role: clinical_analyst,", "{ role: clinic_analyst,", "roles[0].role: 'clinic_analyst': expected a role of config/prod.yaml. Did you mean 'clinical_analyst'?"),
        (CLINIC, "{ role: clinical_analyst,", "{ role: bi,", "roles[0].role: 'bi': expected a role that reads silver, and it does not in config/prod.yaml."),
        (CLINIC, "{ role: clinical_analyst,", "{ role: analyst,", "roles[0].role: 'analyst': expected a role that sees rows of it, and it lists none in config/prod.yaml."),
        (CLINIC, "access: read }", "access: write }", "roles[0].access: 'write': expected 'read'."),
        (CLINIC, "column: site_id }", "column: site }", "'site': expected a column of clinic.immunizations. Did you mean 'site_id'?"),
        (CLINIC, "column: site_id }", "column: site_id, columns: [patient] }", "'patient': expected a column of clinic.immunizations."),
        (CLINIC, "column: site_id }", "column: series_doses }", "expected a value of type int, which series_doses of clinic.immunizations is"),
        (CLINIC, "column: site_id }", "column: birth_date }", "'birth_date': expected a column of type string, int, bigint, and this is date."),
        (CLINIC, "classification: internal", "classification: secret", "classification: 'secret': expected one of public, internal, pii, phi."),
        (PROD, "clinic: [site-001]", "klinic: [site-001]", "roles.clinic_001.rows.klinic: 'klinic': expected a row filter of a contract. Did you mean 'clinic'?"),
        (PROD, "clinic: [site-001]", "clinic: [1]", "roles.clinic_001.rows.clinic[0]: '1': expected a value of type string, which site_id of clinic.immunizations is. Write it in quotes."),
        (PROD, "clinic: [site-001]", 'clinic: ["site\\0"]', "roles.clinic_001.rows.clinic[0]: 'site\x00': expected text without control characters, for site_id of clinic.immunizations."),
        (PROD, "clinic: [site-001]", f"clinic: [{'s' * 2040}]", "roles.clinic_001.rows.clinic: 'clinic_001': expected filters of clinic.immunizations in 2048 bytes each, and one takes 2052."),
        (PROD, "clinic: [site-001]", f"clinic: [{MANY}]", "roles.clinic_001.rows.clinic: 'clinic_001': expected at most 100 filters of clinic.immunizations for one role, and these make 101."),
        (PROD, "audit: true }", "audit: true, rows: { clinic: all } }", "roles.auditor.rows.clinic: 'clinic': expected silver among reads: there are the rows that this would show."),
        (PROD, "reads: [silver], classes", "reads: [gold], classes", "roles.clinic_001.rows.clinic: 'clinic': expected silver among reads: there are the rows that this would show."),
        (PROD, "reads: [silver], classes", "reads: [bronze, silver], classes", "roles.clinic_001.reads[0]: 'bronze': expected no bronze for a role that sees some rows of filter 'clinic' only"),
        (PROD, "classes: [public, internal] }", "classes: [public, internal, confidential] }", "roles.analyst.classes[2]: 'confidential': expected one of public, internal, pii, phi."),
    ],
)  # fmt: skip
def test_what_grants_nothing_or_too_much_is_refused_with_file_and_line(
    root: Path, file: str, old: str, new: str, says: str
) -> None:
    line = change(root, file, old, new)
    told = refused(root)
    assert says in told
    place = next(each for each in told.splitlines() if says in each).partition(": ")[0]
    assert place.startswith((file, PROD))
    if place.startswith(file):
        assert place == f"{file}:{line}" or "roles" not in says


@pytest.mark.parametrize(
    ("old", "new"), [("clinic: [site-001]", "klinic: [site-001]"), ("team: analysts", "team: analists")]
)
def test_a_check_of_contracts_refuses_roles_beside_them_as_lint_does(
    root: Path, monkeypatch: pytest.MonkeyPatch, old: str, new: str
) -> None:
    monkeypatch.setattr(cli.contract, "ROOT", root)
    line = change(root, PROD, old, new)
    told = str(CliRunner().invoke(app, ["contract", "check", "--against", "HEAD"]).exception)
    assert f"{PROD}:{line}: roles." in told
    assert told.count(f"{PROD}:{line}: ") == 1


def test_a_role_whose_classes_no_contract_gives_is_refused_where_they_are_granted(root: Path) -> None:
    unused_class(root, "pii")
    line = change(root, PROD, "classes: [public, internal] }", "classes: [pii] }")
    change(root, PROD, "classes: [public, internal] }", "classes: [pii] }")  # of bi, which is of the same team
    told = refused(root)
    assert f"{PROD}:{line}: roles.analyst.classes[0]: 'pii': expected a role with a class that a contract gives" in told


def test_a_class_may_wait_for_its_first_contract_beside_one_that_is_given(root: Path) -> None:
    unused_class(root, "public")
    compile.read(config.load_file(root / PROD), root)


def unused_class(root: Path, name: str) -> None:
    for path in (root / "contracts").rglob("*.yaml"):
        path.write_text(path.read_text().replace(f"classification: {name}", "classification: internal"))


def test_what_is_shipped_is_refused_nowhere() -> None:
    for name in config.names():
        try:
            compile.read(config.load(name))
        except ConfigError as error:
            pytest.fail(str(error))
