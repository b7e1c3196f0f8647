"""The attack suite: nobody gets by any query or call what contracts and roles hide, and who may see it gets it right.

Each case of tests/local/governance is a statement, or a call `service.operation` with what it is told, and what each
role gets: rows, the words of a refusal, `ok` or `any` where only what is hidden matters; `skip` takes a role out.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
import yaml
from botocore.exceptions import BotoCoreError, ClientError

from cli.lake_tables import tables
from cli.sights import Judge
from lake.views import View
from tests.local import people
from tests.local.attacked_lake import CANARY, GOLD, VIEWS, AttackedLake, attacked, words_in
from tests.local.governance_calls import called
from tests.local.own_endpoint import started
from tests.local.planned_lake import ENVIRONMENT

FOLDER = Path(__file__).parent / "governance"
CALL = re.compile(r"^[a-z0-9]+(\.[a-z0-9_]+)+$")
TRUSTED = ("clinical_analyst", "data_engineer")  # who may see what the others may not
ENOUGH = 200
LOOKED_AT = ("analyst", "clinical_analyst", "clinic_001", "data_engineer")


def cases() -> Iterator[tuple[str, Any, dict[str, Any], dict[str, Any]]]:
    """Title, statement or call, what a call is told, and what each role gets."""
    for file in sorted(FOLDER.glob("*.yaml")):
        for title, group in yaml.safe_load(file.read_text()).items():
            for each in group["ask"]:
                asked, *rest = each if isinstance(each, list) else [each]
                told = rest.pop(0) if CALL.match(asked) and rest else {}
                answers = {**group.get("everyone", {}), **(rest[0] if rest else {})}
                yield title, asked, told, {role: gets for role, gets in answers.items() if gets != "skip"}


CASES = list(cases())


@pytest.fixture(scope="module")
def lake(tmp_path_factory: pytest.TempPathFactory) -> Iterator[AttackedLake]:
    for own in started(tmp_path_factory):
        running: Any = own
        attacked_lake = attacked(running, tmp_path_factory.mktemp("contracts"))
        people.prepare(attacked_lake)
        yield attacked_lake


@pytest.mark.parametrize(("title", "asked", "told", "answers"), CASES, ids=[f"{each[0]}: {each[1]}" for each in CASES])
def test_an_attack_gets_nothing_that_is_hidden(
    lake: AttackedLake, title: str, asked: str, told: dict[str, Any], answers: dict[str, Any]
) -> None:
    assert answers, "a case says what somebody gets"
    for role, expected in answers.items():
        if CALL.match(asked):
            succeeded, answer, seen = call(lake, role, asked, words_in(lake, told, role))
        else:
            succeeded, answer, seen = query(lake, role, words_in(lake, asked, role))
        if role not in TRUSTED:
            assert not CANARY.findall(without(seen, lake.words["lab"])), (role, seen)
        check(role, expected, succeeded, answer, seen)


def without(seen: str, asked: str) -> str:
    """Less the name of a file that the caller has told itself: the values of partitions are in it."""
    return seen.replace(asked, "")


def check(role: str, expected: Any, succeeded: bool, answer: Any, seen: str) -> None:
    if expected == "any":
        return
    if isinstance(expected, str) and expected != "ok":
        assert not succeeded, (role, seen)
        assert expected in answer, (role, answer)
        return
    assert succeeded, (role, answer)
    if isinstance(expected, list):
        assert answer == expected, role
    elif isinstance(expected, dict):
        assert expected.get("shows", "") in seen, (role, seen)
        hidden = expected.get("hides", "nothing")
        assert not re.search(rf"\b\w*{hidden}\b", json.dumps(answer, default=str)), (role, hidden, answer)


def query(lake: AttackedLake, role: str, sql: str) -> tuple[bool, Any, str]:
    """Whether a statement succeeds, its rows or why it fails, and all that its sender can see of it."""
    asking = lake.as_(role)
    athena = asking.endpoint.client("athena")
    try:
        execution = asking.ended(asking.start(sql))
    except ClientError as error:
        return False, str(error), str(error)
    identity, status = execution["QueryExecutionId"], execution["Status"]
    seen = [told(execution, sql)]
    if status["State"] != "SUCCEEDED":
        return False, status["StateChangeReason"], "".join(seen)
    seen.append(told(athena.get_query_runtime_statistics(QueryExecutionId=identity), sql))
    found = asking.results(identity)["ResultSet"]["Rows"]
    rows = [[cell.get("VarCharValue") for cell in row["Data"]] for row in found]
    if execution["ResultConfiguration"]["OutputLocation"].endswith(".csv"):
        rows = rows[1:]
    return True, rows, "".join([*seen, told(rows, sql)])


def call(lake: AttackedLake, role: str, name: str, arguments: dict[str, Any]) -> tuple[bool, Any, str]:
    try:
        answer = called(lake, role, name, arguments)
    except (ClientError, BotoCoreError) as error:
        return False, str(error), f"{error}{getattr(error, 'response', '')}"
    return True, answer, told(answer, "")


def told(found: Any, sql: str) -> str:
    """A text of all that an answer holds, without the statement that it repeats and its times."""
    text = json.dumps(found, default=lambda value: "" if isinstance(value, datetime) else str(value))
    return re.sub(r'"\w+InMillis": \d+', "", text.replace(json.dumps(sql), ""))


def test_there_are_enough_cases() -> None:
    assert sum(len(answers) for *_, answers in CASES) >= len(CASES) >= ENOUGH


def test_nothing_that_others_wrote_where_they_may_holds_what_is_hidden(lake: AttackedLake) -> None:
    s3 = lake.endpoint.client("s3")
    for layer in ("results", "sandbox"):
        bucket, read = ENVIRONMENT.bucket(layer), 0
        for page in s3.get_paginator("list_objects_v2").paginate(Bucket=bucket):
            for each in page.get("Contents", ()):
                if re.match(r"(athena|data)/(analyst|wide|nobody|clinic_001)/", each["Key"]):
                    body = s3.get_object(Bucket=bucket, Key=each["Key"])["Body"].read()
                    assert not re.search(rb"CANARY-(?!hash)", body), each["Key"]  # clinic_001 may see a hash
                    read += 1
        assert read


def test_the_log_of_accesses_has_no_value_of_what_was_accessed(lake: AttackedLake) -> None:
    lines = [json.loads(line) for line in (lake.endpoint.state / "access.jsonl").read_text().splitlines()]
    told = [
        json.dumps(each) for each in lines if each["eventSource"] != "s3.amazonaws.com"
    ]  # which names keys, as on AWS
    assert any("clinic_people" in each for each in told)
    assert not [each for each in told if CANARY.search(each)]


def test_access_list_says_what_the_catalog_shows_and_which_views_can_be_read(lake: AttackedLake) -> None:
    views = [View(name, "", sql, (), ()) for name, sql in VIEWS.items()]
    known = tables(lake.datasets, views, lake.described.databases)
    judge = Judge(lake.described, lake.plan(lake.datasets.values(), views), known, {})
    for role in lake.roles:
        sights = {each.table: each for each in judge.sights(role) if not each.table.startswith("bronze.")}
        listed = {place: sorted(each.columns or known[place].columns) for place, each in sights.items()}
        assert listed == shown(lake, role.name), role.name
        for name in VIEWS if role.name in LOOKED_AT else ():
            readable = f"gold.{name}" in sights and bool(sights[f"gold.{name}"].columns)
            succeeded, answer, _ = query(lake, role.name, f"SELECT * FROM {GOLD}.{name} LIMIT 1")
            assert succeeded is readable, (role.name, name, answer)


def shown(lake: AttackedLake, role: str) -> dict[str, list[str]]:
    """The tables that the catalog shows to a role, and their columns."""
    found, glue = {}, lake.session(role).client("glue")
    for layer in ("silver", "gold"):
        try:
            held = glue.get_tables(DatabaseName=ENVIRONMENT.database(layer))["TableList"]
        except ClientError as error:
            if error.response["Error"]["Code"] not in ("AccessDeniedException", "EntityNotFoundException"):
                raise
            continue
        for each in held:
            columns = (*each["StorageDescriptor"]["Columns"], *each.get("PartitionKeys", ()))
            found[f"{layer}.{each['Name']}"] = sorted(column["Name"] for column in columns if is_current(column))
    return found


def is_current(column: dict[str, Any]) -> bool:
    """Iceberg leaves what was dropped in the catalog, and says so."""
    return bool(column.get("Parameters", {}).get("iceberg.field.current") != "false")
