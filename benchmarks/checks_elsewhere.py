"""The contract's rules as Great Expectations and Deequ check them, on a table that was written."""

from __future__ import annotations

from pyspark.sql import DataFrame

from lake.model import Dataset


class ChecksSkippedError(RuntimeError):
    """A tool did not check what it was asked to, so its time says nothing."""


def great_expectations(rows: DataFrame, contract: Dataset) -> None:
    import great_expectations as gx

    context = gx.get_context(mode="ephemeral")
    context.variables.progress_bars = {"globally": False}
    asset = context.data_sources.add_spark("spark").add_dataframe_asset("rows")
    batch = asset.add_batch_definition_whole_dataframe("all").get_batch({"dataframe": rows})
    wanted = [gx.expectations.ExpectColumnValuesToNotBeNull(column=name) for name in _required(contract)]
    for expression in _expressions(contract):
        query = f"SELECT * FROM {{batch}} WHERE NOT ({expression})"
        wanted.append(gx.expectations.UnexpectedRowsExpectation(unexpected_rows_query=query))
    wanted.append(gx.expectations.ExpectTableRowCountToBeBetween(min_value=1))
    wanted.append(gx.expectations.ExpectColumnValuesToBeUnique(column=contract.key[0]))
    suite = gx.ExpectationSuite(name="rules", expectations=wanted)
    found = batch.validate(suite, result_format={"result_format": "BASIC", "partial_unexpected_count": 0})
    if raised := [each for each in found.results if (each.exception_info or {}).get("raised_exception")]:
        raise ChecksSkippedError(str(raised[0]))


def deequ(rows: DataFrame, contract: Dataset) -> None:
    from pydeequ.checks import Check, CheckLevel
    from pydeequ.verification import VerificationResult, VerificationSuite

    spark = rows.sparkSession
    check = Check(spark, CheckLevel.Warning, "rules").isUnique(contract.key[0])
    for name in _required(contract):
        check = check.isComplete(name)
    for number, expression in enumerate(_expressions(contract)):
        check = check.satisfies(expression, f"rule {number}")
    found = VerificationSuite(spark).onData(rows).addCheck(check).run()
    told = VerificationResult.checkResultsAsDataFrame(spark, found).collect()
    if len(told) < len(_required(contract)):
        raise ChecksSkippedError(f"Deequ answered {len(told)} of its checks.")


def _required(contract: Dataset) -> list[str]:
    return [each.name for each in contract.columns if each.required]


def _expressions(contract: Dataset) -> list[str]:
    """Row rules, and the gate that counts rows from the future, as expressions that hold for good rows."""
    return [*(each.expression for each in contract.rules), "sold_at <= current_timestamp()"]
