# ruff: noqa: E501  (a case reads best in one line)
"""What a person reads when a contract is wrong: file, line, field, value, what was expected, what to do."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings, strategies as st

import contracts
from contracts import ContractError
from tests.unit.lake_root import BY_CATEGORY, SALES, USERS, change, shipped

EVENTS = "contracts/clinic/immunizations.odcs.yaml"
CUSTOMERS = "contracts/crm/customers.odcs.yaml"
MODEL = "models/sales_by_category.sql"


def refusal(root: Path, file: str = "") -> str:
    """What is said of one contract or model, or of all."""
    folder, _, name = file.partition("/")[2].partition(".")[0].rpartition("/")
    with pytest.raises(ContractError) as caught:
        contracts.load(f"{folder or 'gold'}.{name}", root) if file else contracts.load_all(root)
    return str(caught.value)


def outcome(dataset: str, root: Path) -> str:
    try:
        return contracts.load(dataset, root).id
    except ContractError as error:
        return str(error)


@pytest.mark.parametrize(
    ("file", "old", "new", "says"),
    [
        (USERS, "classification: pii", "classification: secret", "schema[users].properties[first_name].classification: 'secret': expected one of public, internal, pii, phi."),
        (USERS, "classification: pii", "clasification: pii", "'clasification': expected a name that is known here. Did you mean 'classification'?"),
        (USERS, "physicalType: boolean", "physicalType: bool", "'bool': expected a type of the lake: string, int,"),
        (USERS, "id: urn:headwater:saas:users", "id: urn:headwater:saas:user", "'urn:headwater:saas:user': expected 'urn:headwater:saas:users'"),
        (USERS, "description: The ", f"description: {'Long. ' * 60}The ", "expected a sentence of at most 255 characters: it becomes the column's comment, and Glue refuses a table with a longer one."),
        (USERS, "apiVersion: v3.1.0", "apiVersion: v3.0.0", "apiVersion: 'v3.0.0': expected 'v3.1.0'."),
        (USERS, "\nversion: 1.0.0", "\nversion: 1.0", "version: '1.0': expected a version such as 1.0.0."),
        (USERS, "property: loadMode", "property: loadmode", "'loadmode': expected one of loadMode, cursor,"),
        (USERS, "value: full", "value: cdc", "customProperties[loadMode].value: 'cdc': expected one of full, incremental, append, stream: the lake does not load in this way yet."),
        (USERS, "value: full", "value: incremental", "customProperties[loadMode].value: 'incremental': expected a cursor beside it"),
        (USERS, "property: loadMode, value: full", "property: version, value: 3", "'3': expected a column's name."),
        (USERS, "property: loadMode, value: full", "property: version, value: user_id", "'user_id': expected only with loadMode stream: elsewhere the cursor is the version."),
        (USERS, "property: loadMode, value: full", "property: rowFilters, value: x", "'x': expected a list such as [{ name: clinic, column: site_id }]"),
        (USERS, "property: loadMode, value: full", "property: rowFilters, value: [{ name: f, column: stat }]", "'stat': expected a column of saas.users. Did you mean 'state'?"),
        (USERS, "        customProperties: [{ property: mask, value: { how: omit } }]\n        required: true\n        transformSourceObjects: [users.email]", "        required: true\n        transformSourceObjects: [users.email]", "'email': expected a mask: it is pii, and its dataset has a masked table. Add `customProperties: [{ property: mask, value: { how: omit } }]`"),
        (USERS, "how: hash, joins", "how: md5, joins", "'md5': expected one of hash, truncate, generalise, null, omit"),
        (USERS, "how: hash, joins: saas_users.user_id, classification: internal", "how: null, classification: internal", "'null': expected a hash, which keeps two rows apart: it is part of the key."),
        (USERS, "how: hash, joins: saas_users.user_id", "how: generalise, to: month", "'generalise': expected a mask that fits the type int of user_id. Write one of hash, truncate, null, omit."),
        (USERS, "joins: saas_users.user_id", "joins: sas_users.user_id", "'sas_users.user_id': expected a TABLE.COLUMN that has a contract. Did you mean 'saas_users'?"),
        (USERS, "joins: saas_users.user_id", "joins: saas_users.userid", "'saas_users.userid': expected a column of saas.users. Did you mean 'user_id'?"),
        (USERS, "joins: saas_users.user_id", "joins: saas_users.city", "'saas_users.city': expected a column that is hashed with `joins: saas_users.city` itself."),
        (USERS, "joins: saas_users.user_id, classification: internal", "joins: saas_users.user_id", "'user_id': expected the class that the masked column has. Add `classification: internal`, or public."),
        (USERS, "how: truncate, to: 5", "how: truncate, to: 0", "'0': expected a whole number from 1: characters that are kept."),
        (USERS, "how: truncate, to: 5", "how: truncate", "'truncate': expected a `to` beside it."),
        (USERS, "how: truncate, to: 5", "how: truncate, to: 5, joins: saas_users.user_id", "'saas_users.user_id': expected no joins with the mask truncate."),
        (USERS, "of: [state, phone]", "of: [state, city]", "'city': expected a column that the masked table shows."),
        (EVENTS, "to: decade", "to: day", "'day': expected month or year or decade, which fits a column of type date."),
        (EVENTS, "        physicalType: string\n        classification: internal\n        required: true\n        transformSourceObjects: [immunizations.status]", "        physicalType: string\n        classification: internal\n        customProperties: [{ property: mask, value: { how: hash, classification: internal } }]\n        required: true\n        transformSourceObjects: [immunizations.status]", "'hash': expected no hash of a column whose values are known: how often each comes tells which it is."),
        (BY_CATEGORY, "        classification: internal\n", "        classification: internal\n        customProperties: [{ property: mask, value: { how: omit } }]\n", "'gold.sales_by_category': expected no mask on a gold table."),
        (EVENTS, "property: version, value: event_time", "property: tags, value: x", "'tags': expected one of loadMode, cursor,"),
        (EVENTS, "  - { property: version, value: event_time }\n", "", "'stream': expected a version beside it, the column that tells which event of a key is the latest."),
        (EVENTS, "[immunizations.lot_number]", "[immunizations._Shard]", "'immunizations._Shard': expected a field of the event: bronze says by _arrived_at, _shard, _sequence where it came from."),
        (EVENTS, '"^[A-Z0-9-]{1,20}$"', '"^\\\\p{L}+$"', "expected a regular expression that Python reads too (bad escape"),
        (EVENTS, "value: event_time }", "value: event_tme }", "'event_tme': expected a column of clinic.immunizations. Did you mean 'event_time'?"),
        (EVENTS, "value: event_time }", "value: birth_date }", "'birth_date': expected a version of type timestamp, and this is date."),
        (EVENTS, "property: version", "property: cursor", "'event_time': expected no cursor with loadMode stream: its events come by their arrival."),
        (EVENTS, "property: subjectId, value: patient_id", "property: subjectId, value: event_time", "customProperties[subjectId].value: 'event_time': expected a column of type int, bigint, string, and it is timestamp"),
        (EVENTS, "property: subjectId, value: patient_id", "property: lookback, value: 2 d", "'2 d': expected no lookback with loadMode stream: it follows from how old a record may grow in its stream."),
        (EVENTS, "bucket(16, event_id)", "days(event_time)", "'days(event_time)': expected a column of the key: a later event of a key may not move its row."),
        (EVENTS, "minimum: 1, maximum: 20", "minimum: one", "'one': expected a number, as minimum."),
        (EVENTS, "minimum: 1, maximum: 20", "minimum: 1, minutesAhead: 3", "'minutesAhead': expected only for a time of a dataset with loadMode stream."),
        (EVENTS, 'minimum: "2020-01-01T00:00:00Z"', 'minimum: "2020-01-01"', "'2020-01-01': expected a timestamp such as 2000-01-31T00:00:00Z, as minimum."),
        (EVENTS, "minutesAhead: 15", "minutesAhead: soon", "'soon': expected a whole number of minutes from 0 on."),
        (EVENTS, 'pattern: "^[A-Z0-9-]{4,32}$"', "minimum: 1", "'string': expected a range of a number, a date or a timestamp. Use `validValues` or `pattern`."),
        (EVENTS, 'pattern: "^[A-Z0-9-]{4,32}$"', "least: 1", "expected arguments that hold `validValues: […]`, `pattern: …` or `minimum: …`, `maximum: …`."),
        (USERS, "property: loadMode, value: full", "property: cursor, value: user_id", "'user_id': expected a cursor of type timestamp or date, since a look-back is a time, and this is int."),
        (USERS, "property: loadMode, value: full", "property: lookback, value: 2 d", "'2 d': expected only with loadMode incremental or append"),
        (USERS, "property: loadMode, value: full", "property: lookback, value: 2 weeks", "'2 weeks': expected a time such as 6 h or 2 d."),
        (USERS, "property: loadMode, value: full", "property: deletes, value: soft", "'soft': expected 'compare_keys'."),
        (SALES, "property: loadMode, value: full }", "property: loadMode, value: append }\n  - { property: cursor, value: sold_at }\n  - { property: deletes, value: compare_keys }", "'compare_keys': expected no deletes with loadMode append"),
        (BY_CATEGORY, "value: full", "value: append", "'append': expected no loadMode here: a gold table is what its model selects"),
        (USERS, "property: loadMode, value: full", "property: cursor, value: userid", "'userid': expected a column of saas.users. Did you mean 'user_id'?"),
        (USERS, "[user_id]", "[usr_id]", "'usr_id': expected a column of saas.users. Did you mean 'user_id'?"),
        (USERS, "        primaryKey: true\n", "", "'users': expected a primary key, and there is none. Mark"),
        (USERS, "        required: true\n", "", "'user_id': expected `required: true`, since it is part of the key."),
        (USERS, "name: last_name", "name: first_name", "'first_name': expected a name that no other column has."),
        (USERS, "[users.city]", "[user.city]", "'user.city': expected a column of table 'users'"),
        (USERS, "        transformSourceObjects: [users.city]\n", "", "'city': expected to name its source column."),
        (USERS, "first_name = trim", "firstname = trim", "'firstname': expected a column of this dataset. Did you mean 'first_name'?"),
        (USERS, "first_name = trim(first_name)", "first_name = = trim(first_name)", "expected Spark SQL ("),
        (USERS, "implementation: first_name = trim(first_name)", "implementation: first_name = trim((first_name)", "expected as many closing as opening brackets."),
        (SALES, "quantity_sold > 0", "sum(quantity_sold) > 0", "'SUM(quantity_sold)': expected a condition on one row"),
        (SALES, "quantity_sold > 0", "sold_at < current_timestamp()", "expected functions that say the same on every run."),
        (SALES, "implementation: quantity_sold > 0", "implementation: quantity_sold * 2", "'quantity_sold * 2': expected a condition, which is true or false for a row."),
        (SALES, "name: quantity_positive", "name: type_sale_id", "'type_sale_id': expected a name that no other rule has"),
        (SALES, "name: quantity_positive", "name: append_only", "and that begins with none of type_, required_, foreign_key_, key_conflict, append_only, smallest_group."),
        (SALES, "mustBeGreaterThan: 0 ", "", "schema[sales].quality[some_rows]: 'some_rows': expected one of mustBe, mustNotBe,"),
        (SALES, "FROM ${table}", "FROM sales", "expected a SELECT of one value from ${table}."),
        (SALES, "saas_users.user_id", "saas_user.user_id", "'saas_user': expected a table SOURCE_NAME that has a contract. Did you mean 'saas_users'?"),
        (SALES, "saas_users.user_id", "saas_users.userid", "'userid': expected a column of saas.users. Did you mean 'user_id'?"),
        (SALES, "saas_users.user_id", "saas_users.city", "'saas_users.city': expected type int as seller_id has, and saas.users says string."),
        (SALES, "property: freshness", "property: latency", "slaProperties: 'freshness': expected among slaProperties, and missing."),
        (SALES, "decimal(8,2)", "decimal(8,9)", "'decimal(8,9)': expected decimal(p,s) with p from 1 to 38 and s at most p."),
        (SALES, "kind: DataContract", "kind: [DataContract", "'kind: [DataContract': expected YAML, but"),
        (SALES, "status: active", "name: again", "'name': expected each name once here. Remove one of the two."),
        (BY_CATEGORY, "category_group, category_name", "months(category_group)", "'months(category_group)': expected months of a date or timestamp, and this is string."),
        (BY_CATEGORY, "value: [category_group, category_name]", "value: [seller]", "'seller': expected a column that is neither pii nor phi, and seller is pii. Partitions stand in paths"),
        (USERS, "property: sortBy, value: [user_id]", 'property: partitionBy, value: ["truncate(2, phone)"]', "'truncate(2, phone)': expected a column that is neither pii nor phi, and phone is pii."),
        (CUSTOMERS, "property: loadMode", "property: partitionBy, value: [years(born_on)] }\n  - { property: loadMode", "'years(born_on)': expected a column that is neither pii nor phi, and born_on is pii."),
        (BY_CATEGORY, "value: [sale_id]", "value: [sale_id down]", "'sale_id down': expected a column, or a column and asc or desc."),
    ],
)  # fmt: skip
def test_an_error_names_file_line_value_and_what_was_expected(
    tmp_path: Path, file: str, old: str, new: str, says: str
) -> None:
    root = shipped(tmp_path)
    line = change(root, file, old, new)
    told = refusal(root, file)
    assert says in told
    first = next(text for text in told.splitlines() if says in text)
    named, number, _ = first.split(":", 2)
    assert named == file
    assert abs(int(number) - line) <= 12, told  # of something missing, the line of what should hold it


@pytest.mark.parametrize(
    ("file", "old", "new", "says"),
    [
        (MODEL, "saas_event AS e", "saas_events AS e", "'saas_events': expected a table SOURCE_NAME or gold_NAME that has a contract. Did you mean 'saas_event'?"),
        (MODEL, "e.event_name", "e.eventname", "expected a column of ecommerce.date, "),
        (MODEL, "    s.commission,\n", "", "'commission': expected among the columns that the model selects"),
        (MODEL, "    s.commission,\n", "    s.commission,\n    s.buyer_id,\n", "'buyer_id': expected a column of contracts/gold/sales_by_category.odcs.yaml."),
        (MODEL, "SELECT\n", "SELEKT\n", "models/sales_by_category.sql:1: "),
        (MODEL, "s.price_paid,", "rand() AS price_paid,", "'RAND()': expected functions that say the same on every run."),
    ],
)  # fmt: skip
def test_a_model_that_does_not_fit_its_contract_is_refused(
    tmp_path: Path, file: str, old: str, new: str, says: str
) -> None:
    root = shipped(tmp_path)
    change(root, file, old, new)
    told = refusal(root, file)
    assert told.startswith(file)
    assert says in told


def test_a_row_without_its_cursor_has_no_place_in_an_increment(tmp_path: Path) -> None:
    root = shipped(tmp_path)
    increment = "incremental }\n  - { property: cursor, value: sold_at }"
    change(root, SALES, "full }", increment)
    line = change(
        root,
        SALES,
        "classification: internal\n        required: true\n        transformSourceObjects: [sales.saletime]",
        "classification: internal\n        transformSourceObjects: [sales.saletime]",
    )
    told = refusal(root, SALES)
    assert "'sold_at': expected `required: true`: a row without its cursor has no place in an incremental load." in told
    assert abs(int(told.split(":")[1]) - line) <= 3, told


def test_a_gold_contract_without_a_model_says_which_file_is_missing(tmp_path: Path) -> None:
    root = shipped(tmp_path)
    (root / MODEL).unlink()
    assert refusal(root).startswith(f"{MODEL}:1: '{MODEL}': expected a file")


def test_models_that_read_each_other_are_refused(tmp_path: Path) -> None:
    root = shipped(tmp_path)
    for model, other in (("dim_event", "dim_seller"), ("dim_seller", "dim_event")):
        change(root, f"models/{model}.sql", "\n)\n\nSELECT", f"\n),\n\nround AS (SELECT * FROM gold_{other})\n\nSELECT")
    assert "'gold.dim_event <- gold.dim_seller <- gold.dim_event': expected models without a circle" in refusal(root)


def test_two_datasets_cannot_have_one_table(tmp_path: Path) -> None:
    root = shipped(tmp_path)
    for source, name in (("a", "b_c"), ("a_b", "c")):
        target = root / "contracts" / source / f"{name}.odcs.yaml"
        target.parent.mkdir()
        text = (root / "contracts/saas/venue.odcs.yaml").read_text()
        text = text.replace("saas:venue", f"{source}:{name}").replace("  - name: venue", f"  - name: {name}")
        target.write_text(text)
    assert "'a_b.c': expected a dataset whose table is not that of 'a.b_c', 'a_b_c'." in refusal(root)


def test_an_unknown_dataset_names_the_nearest() -> None:
    with pytest.raises(ContractError, match=r"'saas.user': expected a dataset .* Did you mean 'saas.users'\?"):
        contracts.load("saas.user")


def test_everything_wrong_in_all_files_is_told_at_once(tmp_path: Path) -> None:
    root = shipped(tmp_path)
    change(root, USERS, "classification: pii", "classification: secret")
    change(root, USERS, "physicalType: boolean", "physicalType: bool")
    change(root, SALES, "quantity_sold > 0", "quantitysold > 0")
    told = refusal(root)
    assert "'secret'" in told
    assert "'bool'" in told
    assert "'quantitysold'" in told


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(number=st.integers(0, 500), junk=st.text(st.characters(codec="utf-8"), max_size=12))
def test_whatever_is_written_into_a_contract_ends_in_a_dataset_or_a_contract_error(
    tmp_path: Path, number: int, junk: str
) -> None:
    root = tmp_path / "lake"
    target = root / "contracts/saas/category.odcs.yaml"
    target.parent.mkdir(parents=True, exist_ok=True)
    text = (contracts.ROOT / "contracts/saas/category.odcs.yaml").read_text()
    lines = text.splitlines()
    place = number % len(lines)
    lines[place] = lines[place][: number % (len(lines[place]) + 1)] + junk
    target.write_text("\n".join(lines), encoding="utf-8")
    assert outcome("saas.category", root).startswith(("saas.category", "contracts/saas/category.odcs.yaml:"))
