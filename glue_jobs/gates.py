"""Rules over a whole dataset, read from what is about to be published."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal
from operator import eq, ge, gt, le, lt, ne
from typing import Any

from pyspark.errors import AnalysisException
from pyspark.sql import DataFrame, SparkSession

from glue_jobs import iceberg
from glue_jobs.failures import GateFailedError
from glue_jobs.publish import Candidate
from glue_jobs.work import Task
from lake.alerts import clean
from lake.gates import not_met, told
from lake.model import Dataset, Gate

COMPARE: Mapping[str, Callable[[Any, Any], bool]] = {"=": eq, "!=": ne, ">": gt, ">=": ge, "<": lt, "<=": le}

Checked = dict[str, Any]


def audit(task: Task, candidate: Candidate, facts: dict[str, Any]) -> None:
    """Adds the gates, as all that would be published answers them, to the facts; raises where one says no."""
    dataset = task.dataset
    if dataset.gates:
        rows = iceberg.read(task.job.spark, candidate.table, candidate.snapshot)
        facts["gates"] = tuple(check(rows, dataset.gates, f"candidate_{dataset.table}"))
        require(dataset, facts["gates"], facts)


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
    problems: dict[str, str] = {}
    for gate in gates:
        if gate.metric == "sql":
            values[gate.name], problems[gate.name] = _asked(spark, gate.expression.replace("{table}", view))
    spark.catalog.dropTempView(view)
    return [_checked(gate, values[gate.name], problems.get(gate.name, "")) for gate in gates]


def require(dataset: Dataset, checked: Sequence[Checked], facts: Mapping[str, Any]) -> None:
    """Raises where a gate of severity error does not hold."""
    failed = not_met(checked, "error")
    if failed:
        contract = f"contracts/{dataset.contract.replace('.', '/')}.odcs.yaml"
        look = (
            f"what it is made of, {', '.join(dataset.inputs)}"
            if dataset.is_made
            else f"`./headwater quarantine show {dataset.id}`"
        )
        raise GateFailedError(
            f"The gate {'; '.join(map(told, failed))}. Nothing of {dataset.id} was published.",
            f"Look at {look}. Mend the data, or the rule of that name in {contract}, then redrive the execution.",
            facts,
        )


def _asked(spark: SparkSession, query: str) -> tuple[Any, str]:
    """The one number that a gate's query gives, or what it did instead, as the end of a sentence."""
    try:
        rows = spark.sql(query).take(2)
    except AnalysisException as error:  # others may pass: the dataset is tried again
        return None, f"cannot be asked: {clean(str(error).partition(chr(10))[0])}"
    if len(rows) != 1:
        return None, f"gives {'more than one row' if rows else 'no row'}, expected one number"
    value = rows[0][0]
    if isinstance(value, bool) or not isinstance(value, int | float | Decimal) or value != value:
        given = {float: "NaN", type(None): "NULL"}.get(type(value), type(value).__name__)
        return None, f"gives {given}, expected a number"
    return value, ""


def holds(gate: Gate, value: Any) -> bool:
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


def _checked(gate: Gate, value: Any, problem: str) -> Checked:
    # a Decimal would not come back from the ledger as it went in
    plain = float(value) if isinstance(value, Decimal) else value
    said: Checked = {"problem": problem} if problem else {}
    passed = not problem and holds(gate, plain)
    return {
        "name": gate.name,
        "value": plain,
        "passed": passed,
        "severity": gate.severity,
        "expected": expected(gate),
        **said,
    }
