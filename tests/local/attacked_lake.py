"""The lake that the attack suite is about: what is hidden in it says so, and is nowhere else."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from lake.parts import Dataset
from lake.tables import QUARANTINE
from lake.views import View
from tests.local.conftest import RunningEndpoint
from tests.local.planned_lake import ENVIRONMENT, NOBODY, WIDE, PlannedLake, arn, contract, loaded, path

SILVER, GOLD = (ENVIRONMENT.database(each) for each in ("silver", "gold"))
SANDBOX, CLINICIANS = (ENVIRONMENT.sandbox(each) for each in ("analysts", "clinicians"))
SITES = [{"name": "clinic", "column": "site_id"}]
CONTRACTS = (
    contract("people", {"person_id": "bigint internal", "city": "string public", "score": "int internal",
                        "name": "string pii", "email": "string pii", "illness": "string phi",
                        "balance": "int phi"}),
    contract("visits", {"visit_id": "bigint internal", "site_id": "string internal", "score": "int internal",
                        "note": "string phi", "doctor": "string pii"}, SITES),
    contract("labs", {"lab_id": "bigint internal", "kind": "string public", "outcome": "string phi",
                      "ssn": "string pii"}),
    contract("rooms", {"room_id": "bigint internal", "label": "string internal", "site_id": "string internal"}, SITES),
    contract("stays", {"stay_id": "bigint internal", "site_id": "string internal", "remark": "string internal"},
             [{**SITES[0], "columns": ["remark"]}]),
)  # fmt: skip
# Numbers of hidden rows, and of all rows of a table that has some, are like no other number.
HIDDEN_VISITS, ALL_VISITS = 9_231, 9_234
CANARY = re.compile(r"CANARY|7777\d{4}|\b9,?23[14]\b")
VIEWS = {
    "people_cities": f"SELECT person_id, city FROM {SILVER}.clinic_people",
    "people_mails": f"SELECT person_id, email FROM {SILVER}.clinic_people",
    "mails_again": f"SELECT email mail FROM {GOLD}.people_mails",
    "cities_again": f"SELECT upper(city) town FROM {GOLD}.people_cities",
    "visit_notes": f"SELECT visit_id, note FROM {SILVER}.clinic_visits",
    "scores": f"SELECT sum(score) total, count(*) n FROM {SILVER}.clinic_visits",
}
# What a clinician keeps for the own team: partitions and a view's text say what others may not see.
THEIRS = f"s3://{ENVIRONMENT.bucket('sandbox')}/data/clinical_analyst"
KEPT = (
    f"CREATE TABLE {CLINICIANS}.ill_theirs WITH (format = 'PARQUET', partitioned_by = ARRAY['found'], "
    f"external_location = '{THEIRS}/ill/') AS SELECT person_id, illness AS found FROM clinic_people",
    f"CREATE VIEW {CLINICIANS}.found_theirs AS SELECT person_id FROM clinic_people WHERE illness = 'CANARY-ill-1'",
)
ICEBERG = "table_type = 'ICEBERG', is_external = false"
MOMENT = "TIMESTAMP '2026-01-01 00:00:00.000'"
LINEAGE = f"CAST({MOMENT} AS timestamp(6)) _version, 'CANARY-hash' _hash, 'run' _run"
IN_FILES = f"{MOMENT} _version, 'CANARY-hash' _hash, 'run' _run"
PEOPLE = ", ".join(
    f"(CAST({n} AS bigint), '{city}', {score}, 'CANARY-name-{n}', 'CANARY-{n}@example.org', "
    f"'CANARY-ill-{n}', 7777000{n})"
    for n, city, score in ((1, "Bern", 10), (2, "Bern", 20), (3, "Chur", 0))
)
SEEN_VISITS = ", ".join(f"(CAST({n} AS bigint), 'site-001', {n}, 'seen-{n}', 'Dr. {n}')" for n in (1, 2, 3))
STAYS = "(CAST(1 AS bigint), 'seen-1'), (CAST(2 AS bigint), 'CANARY-remark'), (CAST(3 AS bigint), NULL)"
SELECTS = {
    "clinic_people": f"SELECT *, {LINEAGE} FROM (VALUES {PEOPLE}) "
    "v(person_id, city, score, name, email, illness, balance)",
    "clinic_visits": f"SELECT *, {LINEAGE} FROM (VALUES {SEEN_VISITS}) v(visit_id, site_id, score, note, doctor) "
    f"UNION ALL SELECT 77770000 + n, 'site-002', 0, 'CANARY-note', 'CANARY-doctor', {LINEAGE} "
    f"FROM UNNEST(sequence(1, {HIDDEN_VISITS})) t(n)",
    "clinic_stays": f"SELECT *, {LINEAGE} FROM (VALUES {STAYS}) v(stay_id, site_id)",
}
# Once no column said whose a stay is, and a name that is seen today stood for what is hidden.
CHANGED = (
    "ALTER TABLE clinic_stays ADD COLUMNS (place string)",
    "UPDATE clinic_stays SET place = IF(stay_id = 2, 'site-002', 'site-001')",
    "ALTER TABLE clinic_stays CHANGE COLUMN site_id remark string",
    "ALTER TABLE clinic_stays CHANGE COLUMN place site_id string",
)
# Plain files, their last column being the partitions.
PARTED = {
    "clinic_labs": (
        "ssn",
        f"SELECT *, {IN_FILES}, 'CANARY-ssn-' || CAST(lab_id AS varchar) ssn FROM (VALUES "
        "(CAST(1 AS bigint), 'blood', 'CANARY-outcome'), (CAST(2 AS bigint), 'blood', 'CANARY-outcome')) "
        "v(lab_id, kind, outcome)",
    ),
    "clinic_rooms": (
        "site_id",
        f"SELECT *, {IN_FILES}, IF(room_id < 3, 'site-001', 'CANARY-site') site_id FROM (VALUES "
        "(CAST(1 AS bigint), 'a'), (CAST(2 AS bigint), 'b'), (CAST(77770001 AS bigint), 'CANARY-label')) "
        "v(room_id, label)",
    ),
}


def place(table: str) -> str:
    return path("silver", *table.split("_", 1), "")


class AttackedLake(PlannedLake):
    """Tables of both formats, views and views over them, what analysts keep, and the words that cases name them by."""

    datasets: dict[str, Dataset]
    words: dict[str, str]
    people: dict[str, dict[str, str]]  # who has taken no role yet: their keys

    def prepare(self, folder: Path) -> None:
        self.build()
        self.datasets = loaded(folder, *CONTRACTS)
        views = [View(name, "", sql, (), ()) for name, sql in VIEWS.items()]
        made = self.plan(self.datasets.values(), views)
        self.deploy(made)
        self._tables()
        self.apply(made)
        self.words = self._words()

    def _tables(self) -> None:
        run = self.admin.run
        for name, select in SELECTS.items():
            run(f"CREATE TABLE {name} WITH ({ICEBERG}, location = '{place(name)}') AS {select}")
        run("ALTER TABLE clinic_people ADD COLUMNS (dropped string)")
        run("UPDATE clinic_people SET dropped = 'CANARY-dropped' WHERE person_id = 1")
        run("ALTER TABLE clinic_people DROP COLUMN dropped")
        for sql in CHANGED:
            run(sql)
        for name, (key, select) in PARTED.items():
            options = f"format = 'PARQUET', partitioned_by = ARRAY['{key}'], external_location = '{place(name)}'"
            run(f"CREATE TABLE {name} WITH ({options}) AS {select}")
        held = ", ".join(f"{column} {kind}" for column, kind in QUARANTINE.items())
        for each in self.datasets.values():
            name = each.quarantine_table
            run(f"CREATE TABLE {name} ({held}) LOCATION '{place(name)}' TBLPROPERTIES ('table_type' = 'ICEBERG')")
        run("INSERT INTO clinic_people__quarantine (_row_hash, _raw) VALUES ('1', 'CANARY-raw')")
        for name, sql in VIEWS.items():
            run(f"CREATE VIEW {GOLD}.{name} AS {sql}")

    def _words(self) -> dict[str, str]:
        """What cases write in angle brackets."""
        s3, bucket = self.endpoint.client("s3"), ENVIRONMENT.bucket("silver")
        keys = [each["Key"] for each in s3.list_objects_v2(Bucket=bucket)["Contents"]]
        doctor, engineer = self.as_("clinical_analyst"), self.as_("data_engineer")
        asked = doctor.run("SELECT illness FROM clinic_people ORDER BY person_id")
        failed = doctor.ended(doctor.start("SELECT CAST(illness AS integer) FROM clinic_people"))["QueryExecutionId"]
        for team in ("analysts", "clinicians"):
            self.endpoint.client("athena").create_prepared_statement(
                StatementName="theirs", WorkGroup=ENVIRONMENT.workgroup(team),
                QueryStatement="SELECT illness FROM clinic_people",
            )  # fmt: skip
        other = engineer.run("SELECT email FROM clinic_people")
        named = self.endpoint.client("athena").create_named_query(
            Name="theirs", Database=SILVER, WorkGroup=ENVIRONMENT.workgroup("clinicians"),
            QueryString="SELECT illness FROM clinic_people WHERE illness = 'CANARY-ill-1'",
        )  # fmt: skip
        for sql in KEPT:
            doctor.run(sql)
        return {
            "account": ENVIRONMENT.account, "silver": SILVER, "gold": GOLD, "clinicians": CLINICIANS,
            "bucket": bucket, "results": ENVIRONMENT.bucket("results"), "own": ENVIRONMENT.bucket("sandbox"),
            "file": next(each for each in keys if each.endswith(".parquet") and "/people/" in each),
            "lab": next(each for each in keys if "/labs/" in each),
            "metadata": self.admin.table("clinic_people")["Parameters"]["metadata_location"],
            "snapshot": self._snapshot("min_by", "clinic_people"),
            "dropping": self._snapshot("max_by", "clinic_people"),
            "visited": self._snapshot("max_by", "clinic_visits"), "stayed": self._snapshot("max_by", "clinic_stays"),
            "unplaced": self._snapshot("min_by", "clinic_stays"),
            "theirs_named": named["NamedQueryId"], "theirs": asked["QueryExecutionId"], "failed": failed,
            "engineers": other["QueryExecutionId"],
            "theirs_file": asked["ResultConfiguration"]["OutputLocation"].partition("/athena/")[2],
            "engineers_file": other["ResultConfiguration"]["OutputLocation"].partition("/athena/")[2],
            "analysts": ENVIRONMENT.workgroup("analysts"), "engineers_group": ENVIRONMENT.workgroup("engineers"),
            "clinicians_group": ENVIRONMENT.workgroup("clinicians"),
            "prefix": ENVIRONMENT.resource(""),
        }  # fmt: skip

    def _snapshot(self, which: str, table: str) -> str:
        return str(self.admin.rows(f'SELECT {which}(snapshot_id, committed_at) FROM "{table}$snapshots"')[0][0])


def attacked(endpoint: RunningEndpoint, folder: Path) -> AttackedLake:
    lake = AttackedLake(endpoint, (*ENVIRONMENT.roles.values(), NOBODY, WIDE))
    lake.prepare(folder)
    return lake


def words_in(lake: AttackedLake, told: Any, role: str) -> Any:
    """A case with its words in place; `me` is the role that asks, `sandbox` its team's."""
    if isinstance(told, str):
        team = lake.environment.roles[role].team
        words = {**lake.words, "me": arn(role), "sandbox": ENVIRONMENT.sandbox(team)}
        return re.sub(r"<(\w+)>", lambda found: words.get(found[1], found[0]), told)
    if isinstance(told, dict):
        return {key: words_in(lake, value, role) for key, value in told.items()}
    return [words_in(lake, each, role) for each in told] if isinstance(told, list) else told
