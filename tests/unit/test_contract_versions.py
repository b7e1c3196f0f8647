"""A contract compared with its earlier revision: what changed, what it would break, what is refused and where."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

import contracts
from cli import major
from cli.errors import CommandError
from config.positions import Problem
from contracts import ContractError, readers, versions
from contracts.revision import NoRevisionError, find
from lake.evolution import MAJOR, Change
from lake.model import Dataset
from tests.unit.lake_root import BY_CATEGORY, SALES, USERS, change, shipped

QUERY = "queries/where_users_live.sql"


def git(root: Path, *arguments: str) -> None:
    who = ("-c", "user.name=t", "-c", "user.email=t@example.com", "-c", "commit.gpgsign=false")
    subprocess.run(["git", "-C", str(root), *who, *arguments], check=True, capture_output=True)


@pytest.fixture(scope="module")
def committed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The shipped lake and a query of users, in a repository."""
    root = shipped(tmp_path_factory.mktemp("repository"))
    (root / QUERY).parent.mkdir()
    (root / QUERY).write_text("-- Where users live\nSELECT city, count(*) FROM ${silver}.saas_users GROUP BY 1\n")
    git(root, "init", "-b", "main")
    git(root, "add", ".")
    git(root, "commit", "-m", "before")
    return root


@pytest.fixture
def root(committed: Path) -> Path:
    git(committed, "checkout", "--", ".")
    git(committed, "clean", "-fdq")
    return committed


def problems(root: Path) -> list[Problem]:
    found, unread = versions.differences(find(root))
    return [*unread, *(problem for each in found for problem in versions.refused(each))]


def rename_city(root: Path) -> int:
    return change(root, USERS, "        name: city\n", "        name: town\n")


def test_what_no_reader_feels_needs_no_new_version(root: Path) -> None:
    change(root, USERS, "        physicalType: int\n", "        physicalType: bigint\n")
    change(root, USERS, "description: The user's family name.", "description: The family name.")
    [found] = versions.differences(find(root))[0]
    assert [(str(each), each.grade) for each in found.changes] == [
        ("change 'user_id' from int to bigint", "additive"),
        ("describe 'last_name' anew", "additive"),
    ]
    assert problems(root) == []


def test_what_readers_of_the_masked_table_would_feel_is_told_and_refused_too(root: Path) -> None:
    line = change(root, USERS, "        name: username\n", "        name: username\n")
    change(root, USERS, "value: { how: hash, classification: internal } }]\n        required: true\n        transformSourceObjects: [users.username]", "value: { how: omit } }]\n        required: true\n        transformSourceObjects: [users.username]")  # fmt: skip  # noqa: E501
    own, beside = versions.differences(find(root))[0]
    assert (own.id, own.changes) == ("saas.users", ())
    assert (beside.id, [str(each) for each in beside.changes]) == ("saas.users__masked", ["drop 'username' string"])
    [refused] = problems(root)
    assert refused.file == USERS
    assert abs(refused.line - line) <= 1
    assert "would drop 'username' string for readers of saas.users__masked of version 1." in refused.expected
    change(root, USERS, "version: 1.", "version: 2.")
    assert problems(root) == []


def test_new_contracts_and_changed_rules_are_told(root: Path) -> None:
    (root / "contracts/saas/visits.odcs.yaml").write_text(
        (root / USERS).read_text().replace("saas:users", "saas:visits")
    )
    change(root, USERS, "          - name: username_pattern\n", "          - name: username_form\n")
    users, visits = versions.differences(find(root))[0]
    assert users.rules == ("add rule 'username: username_form'", "remove rule 'username: username_pattern'")
    assert (visits.id, visits.versions[0], visits.changes) == ("saas.visits", "none", ())


def test_a_rename_in_the_same_major_version_says_where_and_what_it_would_break(root: Path) -> None:
    line = rename_city(root)
    [problem] = problems(root)
    assert (problem.file, problem.line, problem.value) == (USERS, line, "town")
    assert problem.field == "schema[users].properties[town].name"
    assert "this would rename 'city' to 'town' for readers of version 1.0.0" in problem.expected
    assert f"{QUERY}:2" in problem.remedy
    assert "models/dim_seller.sql:" in problem.remedy
    assert "`version: 2.0.0`" in problem.remedy
    with pytest.raises(ContractError, match="rename 'city' to 'town'"):
        versions.check(root)


def test_in_a_new_major_version_what_still_names_the_old_column_is_refused(root: Path) -> None:
    rename_city(root)
    change(root, USERS, "\nversion: 1.0.0", "\nversion: 2.0.0")
    [problem] = problems(root)
    assert str(problem) == (
        f"{QUERY}:2: 'city': expected a column of saas.users, whose version 2.0.0 would rename 'city' to 'town'. "
        "Write 'town'."
    )
    change(root, QUERY, "SELECT city", "SELECT town")
    assert problems(root) == []


def test_a_model_that_names_the_old_column_is_refused_where_it_does(root: Path) -> None:
    rename_city(root)
    change(root, USERS, "\nversion: 1.0.0", "\nversion: 2.0.0")
    with pytest.raises(ContractError, match=r"models/dim_seller.sql:29: 'city': expected a column of"):
        contracts.load_all(root)


def test_a_column_that_is_referred_to_names_who_refers(root: Path) -> None:
    change(root, USERS, "        name: user_id\n", "        name: number\n")
    change(root, USERS, "subjectId, value: user_id", "subjectId, value: number")
    change(root, USERS, "value: [user_id]", "value: [number]")
    told = " ".join(each.remedy for each in problems(root))
    assert f"{SALES}:" in told


def test_what_no_version_can_do_says_what_to_do_instead(root: Path) -> None:
    line = change(root, BY_CATEGORY, 'physicalType: "decimal(8,2)"', "physicalType: string")
    change(root, BY_CATEGORY, "\nversion: 1.0.0", "\nversion: 2.0.0")
    [problem] = problems(root)
    assert problem.line == line
    assert problem.remedy.startswith("Keep decimal(8,2); or give the property a new id")


def test_a_contract_goes_only_once_it_was_retired(root: Path) -> None:
    (root / BY_CATEGORY).unlink()
    [problem] = problems(root)
    assert "until its status has been 'retired'" in problem.expected


def test_versions_do_not_go_back(root: Path) -> None:
    change(root, USERS, "\nversion: 1.0.0", "\nversion: 0.9.0")
    assert [each.expected for each in problems(root)] == ["expected 1.0.0, as it was, or a higher version"]


def test_a_named_revision_is_compared_with_and_an_unknown_one_refused(root: Path) -> None:
    assert find(root, "HEAD").name == "HEAD"
    with pytest.raises(NoRevisionError, match="The revision 'nowhere': expected one that git knows"):
        find(root, "nowhere")


def test_a_checkout_without_git_is_not_compared(tmp_path: Path) -> None:
    versions.check(shipped(tmp_path))
    with pytest.raises(NoRevisionError, match="expected a git repository"):
        find(tmp_path)


@pytest.mark.parametrize(
    ("sql", "takes"),
    [
        ("SELECT * FROM lake.saas_orders", True),
        ("SELECT o.*, 1 AS one FROM saas_orders AS o JOIN other ON true", True),
        ("SELECT n FROM (SELECT * FROM saas_orders) AS all_of_them", True),
        ("SELECT other.* FROM saas_orders AS o JOIN other ON true", False),
        ("SELECT count(*) FROM saas_orders", False),
        ("SELECT * FROM saas_orders__v1", False),
        ("SELECT FROM WHERE", True),
    ],
)
def test_a_view_of_every_column_breaks_with_any_of_them(sql: str, takes: bool) -> None:
    assert readers.takes_all(sql, "saas_orders", "athena") is takes


def test_applying_is_refused_while_a_view_takes_every_column(tmp_path: Path) -> None:
    dataset = Dataset("saas.orders", "saas", "orders", "silver", "2.0.0", "", (), ())
    views = {"lake_silver.all": "SELECT * FROM lake_silver.saas_orders"}
    with pytest.raises(CommandError, match=r"view lake_silver\.all takes every column"):
        major._refuse_named(tmp_path, dataset, [Change("drop", MAJOR, "amount", "string", "")], views)
    major._refuse_named(tmp_path, dataset, [Change("require", MAJOR, "amount", "", "")], views)
