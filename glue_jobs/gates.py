"""Rules over a whole dataset, read from what is about to be published."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal
from operator import eq, ge, gt, le, lt, ne
from typing import Any

from pyspark.sql import DataFrame

from glue_jobs import iceberg
from glue_jobs.failures import GateFailedError
from glue_jobs.publish import Candidate
from glue_jobs.work import Task
from lake.model import Gate

COMPARE: Mapping[str, Callable[[Any, Any], bool]] = {"=": eq, "!=": ne, ">": gt, ">=": ge, "<": lt, "<=": le}

Checked = dict[str, Any]


def audit(task: Task, candidate: Candidate, facts: dict[str, Any]) -> None:
    """Adds the gates, as the candidate's rows answer them, to the facts; raises where one says no."""
    dataset = task.dataset
    if dataset.gates:
        rows = iceberg.read(task.job.spark, candidate.table, candidate.snapshot)
        facts["gates"] = tuple(check(rows, dataset.gates, f"candidate_{dataset.table}"))
        require(dataset.id, dataset.gates, facts["gates"], facts)


def check(candidate: DataFrame, gates: Sequence[Gate], view: str) -> list[Checked]:
    """Each gate with its value in the candidate rows, which SQL gates see as `{table}`."""
    candidate.createOrReplaceTempView(view)
    spark = candidate.sparkSession
    values: dict[str, Any] = {}
    counted = [gate for gate in gates if gate.metric != "sql"]
    if counted:
        metrics = ", ".join(_metric(gate) for gate in counted)
        row = spark.sql(f"SELECT {metrics} FROM {view}").collect()[0]  # one pass for all of them
        values |= {gate.name: row[number] for number, gate in enumerate(counted)}
    for gate in gates:
        if gate.metric == "sql":
            values[gate.name] = spark.sql(gate.expression.replace("{table}", view)).collect()[0][0]
    spark.catalog.dropTempView(view)
    return [_checked(gate, values[gate.name]) for gate in gates]


def require(dataset: str, gates: Sequence[Gate], checked: Sequence[Checked], facts: Mapping[str, Any]) -> None:
    """Raises where a gate of severity error does not hold."""
    said = {gate.name: expected(gate) for gate in gates}
    failed = [each for each in checked if not each["passed"] and each["severity"] == "error"]
    if failed:
        told = "; ".join(f"'{each['name']}' is {each['value']}, expected {said[each['name']]}" for each in failed)
        raise GateFailedError(
            f"The gate {told}. Nothing of {dataset} was published.",
            "Look at the quarantined rows, correct the source or the contract, then redrive the execution.",
            facts,
        )


def holds(gate: Gate, value: Any) -> bool:
    if value is None:
        return False
    if gate.operator == "between":
        low, high = gate.threshold
        return bool(low <= value <= high)
    return COMPARE[gate.operator](value, gate.threshold)


def expected(gate: Gate) -> str:
    if gate.operator == "between":
        return f"between {gate.threshold[0]} and {gate.threshold[1]}"
    return f"{gate.operator} {gate.threshold}"


def _metric(gate: Gate) -> str:
    if gate.metric == "row_count":
        return "count(*)"
    if gate.metric == "duplicate_count":
        columns = ", ".join(f"`{name}`" for name in gate.columns)
        return f"count(*) - count(DISTINCT struct({columns}))"
    raise ValueError(f"The metric '{gate.metric}' of gate '{gate.name}': expected row_count, duplicate_count or sql.")


def _checked(gate: Gate, value: Any) -> Checked:
    # a Decimal would not come back from the ledger as it went in
    plain = float(value) if isinstance(value, Decimal) else value
    return {"name": gate.name, "value": plain, "passed": holds(gate, plain), "severity": gate.severity}
