"""That somebody hears: of red executions, late data, pipelines that never start, and cost."""

from __future__ import annotations

from tests.synth.synthesized import Synthesized


def test_every_execution_of_ours_that_ends_reaches_the_alert_function(lake: Synthesized) -> None:
    (rule,) = [each for each in lake.properties("Events::Rule") if "EventPattern" in each]
    pattern = rule["EventPattern"]
    assert set(pattern["detail"]["status"]) == {"FAILED", "TIMED_OUT", "ABORTED", "SUCCEEDED"}
    (ours,) = pattern["detail"]["stateMachineArn"]
    machines = f"arn:aws:states:{lake.environment.region}:{lake.environment.account}:stateMachine"
    for machine in lake.properties("StepFunctions::StateMachine"):
        assert f"{machines}:{machine['StateMachineName']}".startswith(ours["prefix"])


def test_an_event_that_no_function_takes_is_kept(lake: Synthesized) -> None:
    targets = [target for rule in lake.properties("Events::Rule") for target in rule["Targets"]]
    assert targets
    assert all("DeadLetterConfig" in target for target in targets)
    asynchronous = {lake.environment.resource(each) for each in ("start", "alert", "freshness")}
    kept = {each["FunctionName"] for each in lake.properties("Lambda::Function") if "DeadLetterConfig" in each}
    assert kept == asynchronous


def test_freshness_is_measured_hourly_and_its_silence_is_an_alarm(lake: Synthesized) -> None:
    assert "rate(1 hour)" in [each.get("ScheduleExpression") for each in lake.properties("Events::Rule")]
    late = lake.named("CloudWatch::Alarm", "AlarmName")[lake.environment.resource("late")]
    assert (late["Namespace"], late["MetricName"]) == ("Headwater", "MinutesOverdue")
    assert late["Dimensions"] == [{"Name": "Environment", "Value": lake.environment.name}]
    assert late["TreatMissingData"] == "breaching"


def test_every_function_and_every_queue_of_dead_letters_has_an_alarm(lake: Synthesized) -> None:
    alarms = lake.properties("CloudWatch::Alarm")
    watched = [each["Value"] for alarm in alarms for each in alarm.get("Dimensions", ())]
    assert all(each["FunctionName"] in watched for each in lake.properties("Lambda::Function"))
    assert all(each["QueueName"] in watched for each in lake.properties("SQS::Queue"))


def test_every_alarm_tells_somebody(lake: Synthesized) -> None:
    assert all(alarm["AlarmActions"] for alarm in lake.properties("CloudWatch::Alarm"))
    addresses = {each["Endpoint"] for each in lake.properties("SNS::Subscription")}
    assert addresses == set(lake.environment.alert_emails)


def test_the_month_has_a_budget(lake: Synthesized) -> None:
    (budget,) = lake.properties("Budgets::Budget")
    assert budget["Budget"]["BudgetLimit"] == {"Amount": lake.environment.budget.monthly_usd, "Unit": "USD"}
    for notification in budget["NotificationsWithSubscribers"]:
        addresses = {each["Address"] for each in notification["Subscribers"]}
        assert addresses == {lake.environment.topic_arn, *lake.environment.budget.emails}
