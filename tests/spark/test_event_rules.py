"""The consumer and refine judge an event by one contract: what the one lets through, the other does not refuse."""

from __future__ import annotations

import base64
import gzip
import json
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings, strategies as st
from pyspark.sql import SparkSession, functions as F
from pyspark.sql.types import StringType, StructField, StructType

import contracts
from glue_jobs.conform import RULES, conform
from lake import arrivals
from lake.model import Dataset
from lambdas.consume.batch import told_apart
from lambdas.consume.reading import Reader
from tests.unit.test_lambda_consume import ARRIVED, EVENT, VALUES

CONTRACT = """
apiVersion: v3.1.0
kind: DataContract
id: urn:headwater:clinic:shots
name: shots
version: 1.0.0
status: active
description: { purpose: Every type that a field of an event can have. }
team: { name: tests, description: Tests. }
slaProperties: [{ property: freshness, value: 26, unit: h }, { property: retention, value: 5, unit: y }]
customProperties:
  - { property: loadMode, value: stream }
  - { property: version, value: event_time }
schema:
  - name: shots
    physicalType: table
    properties:
"""
RULES_OF = {
    "event_id": "metric: invalidValues, mustBe: 0, arguments: { pattern: '^[a-z0-9]+$' }",
    "event_time": "metric: invalidValues, mustBe: 0, arguments: { minimum: '2020-01-01T00:00:00Z', minutesAhead: 15 }",
    "dose": "metric: invalidValues, mustBe: 0, arguments: { minimum: 1, maximum: 20 }",
    "born": "metric: invalidValues, mustBe: 0, arguments: { minimum: '1900-01-01', minutesAhead: 0 }",
    "status": "metric: invalidValues, mustBe: 0, arguments: { validValues: [completed, not_done] }",
}
TYPES = {
    "event_id": "string", "event_time": "timestamp", "dose": "int", "number": "bigint", "weight": "double",
    "price": '"decimal(5,2)"', "given": "boolean", "born": "date", "status": "string",
}  # fmt: skip
REQUIRED = ("event_id", "event_time", "dose")

whole = st.integers(-(2**65), 2**65) | st.integers(-25, 25) | st.sampled_from([2**31 - 1, 2**31, -(2**63), 2**63])
digits = st.from_regex(r"\A-?(0|[1-9][0-9]{0,4})(\.[0-9]{1,4})?([eE][+-]?[0-9]{1,2})?\Z")
years = st.sampled_from(
    ["0001", "1582", "1899", "1900", "1970", "2019", "2020", "2024", "2026", "9999", "10000", "-2026"]
)
days = st.builds("{}-{:02}-{:02}".format, years, st.integers(0, 13), st.integers(0, 32))
zones = st.sampled_from(
    ["Z", "z", "+00:00", "-00:00", "+14:00", "-18:00", "+18:00", "+18:01", "+05:30", "+0530", "+05", ""]
)
times = st.builds(
    "{}{}{:02}:{:02}:{:02}{}{}".format,
    days, st.sampled_from("Tt "), st.integers(0, 24), st.integers(0, 60), st.integers(0, 60),
    st.sampled_from(["", ".", ".1", ".123", ".123456", ".123456789", ".1234567890", ",5"]), zones,
)  # fmt: skip
texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=8) | st.sampled_from(
    ["completed", "abc\n", "", "null"]
)
words = (texts | days | times).map(json.dumps) | whole.map(str) | digits
literals = words | st.sampled_from(
    ["null", "true", "false", "[]", "{}", '["a"]', '"1"', '"true"', "-0", "0.0", "1e400"]
)


@pytest.fixture(scope="module")
def dataset(tmp_path_factory: pytest.TempPathFactory) -> Dataset:
    root = tmp_path_factory.mktemp("shots")
    text = CONTRACT
    for name, kind in TYPES.items():
        more = ", required: true" if name in REQUIRED else ""
        more += ", primaryKey: true" if name == "event_id" else ""
        more += f", quality: [{{ name: {name}_rule, {RULES_OF[name]} }}]" if name in RULES_OF else ""
        text += (
            f"      - {{ id: {name}, name: {name}, physicalType: {kind}, classification: internal, description: It."
            f", transformSourceObjects: [shots.{name}]{more} }}\n"
        )
    path = root / "contracts/clinic/shots.odcs.yaml"
    path.parent.mkdir(parents=True)
    path.write_text(text)
    return contracts.load("clinic.shots", root)


def events(changes: Sequence[tuple[str, str]]) -> list[dict[str, Any]]:
    """As Lambda hands them in: each the valid event but for one field, whose value is this JSON."""
    records = []
    for number, (name, literal) in enumerate(changes):
        fields = {each: json.dumps(value) for each, value in EVENT.items()} | {name: literal}
        data = "{" + ",".join(f'"{each}":{value}' for each, value in fields.items()) + "}"
        kinesis = {
            "partitionKey": "key", "sequenceNumber": str(number), "approximateArrivalTimestamp": ARRIVED,
            "data": base64.b64encode(data.encode()).decode(),
        }  # fmt: skip
        records.append({"eventID": f"shardId-000000000001:{number}", "kinesis": kinesis})
    return records


def judged(spark: SparkSession, dataset: Dataset, lines: list[bytes], path: Path) -> dict[int, list[str]]:
    """What refine says of the lines that the consumer wrote, by their sequence."""
    path.write_bytes(gzip.compress(b"".join(lines)))
    schema = StructType([StructField(name, StringType()) for name in arrivals.fields(dataset)])
    bronze = spark.read.schema(schema).option("lineSep", "\n").json(str(path))
    numbered = conform(bronze.withColumn("number_", F.col("_sequence")), dataset, datetime(2026, 1, 1, tzinfo=UTC), {})
    return {int(row["_source_number_"]): row[RULES] for row in numbered.select("_source_number_", RULES).collect()}


def test_what_the_consumer_lets_through_breaks_no_rule_of_refine(
    spark: SparkSession, dataset: Dataset, tmp_path: Path
) -> None:
    reader = Reader(dataset)

    @settings(max_examples=3, deadline=None, suppress_health_check=list(HealthCheck), database=None)
    @given(st.lists(st.tuples(st.sampled_from(list(TYPES)), literals), min_size=300, max_size=300))
    def holds(changes: list[tuple[str, str]]) -> None:
        known = [(name, json.dumps(value)) for name, value, _ in VALUES if name in TYPES]
        every = [*changes, *known]
        lines = told_apart(events(every), dataset, reader).lines
        found = judged(spark, dataset, lines, tmp_path / "lines.json.gz")
        assert len(found) == len(lines) > 0
        assert [(every[number], rules) for number, rules in found.items() if rules] == []

    holds()
