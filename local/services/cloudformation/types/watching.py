"""Alarms, dashboards and budgets; and the CDK's own metadata, which makes nothing on AWS either."""

from __future__ import annotations

from local.services.cloudformation.registry import (
    Context,
    Made,
    Properties,
    Resource,
    ResourceType,
    omit,
    register,
    tag_list,
)
from local.services.cloudformation.tags import retag

ACTIONS = {
    "ActionsEnabled", "AlarmActions", "AlarmDescription", "AlarmName", "InsufficientDataActions", "OKActions", "Tags",
}  # fmt: skip


def put_alarm(operation: str, context: Context, name: str, properties: Properties) -> Made:
    request = {"ActionsEnabled": True, **properties, "AlarmName": name, "Tags": tag_list(properties.get("Tags"))}
    context.call("cloudwatch", operation, request)
    return Made(name, {"Arn": context.arn("cloudwatch", f"alarm:{name}")})


def update_alarm(operation: str, context: Context, old: Resource, properties: Properties) -> Made:
    retag(context, "cloudwatch", old.made.attributes["Arn"], old.properties.get("Tags"), properties.get("Tags"))
    return put_alarm(operation, context, old.physical_resource_id, omit(properties, "Tags"))


def delete_alarm(context: Context, old: Resource) -> None:
    context.client("cloudwatch").delete_alarms(AlarmNames=[old.physical_resource_id])


register(
    ResourceType(
        type="AWS::CloudWatch::Alarm",
        create=lambda context, properties: put_alarm("PutMetricAlarm", context, context.name, properties),
        update=lambda context, old, properties: update_alarm("PutMetricAlarm", context, old, properties),
        delete=delete_alarm,
        name="AlarmName",
        known=frozenset({
            "ComparisonOperator", "DatapointsToAlarm", "Dimensions", "EvaluateLowSampleCountPercentile",
            "EvaluationPeriods", "ExtendedStatistic", "MetricName", "Metrics", "Namespace", "Period", "Statistic",
            "Threshold", "ThresholdMetricId", "TreatMissingData", "Unit", *ACTIONS,
        }),
        fixed=frozenset({"AlarmName"}),
    )
)  # fmt: skip
register(
    ResourceType(
        type="AWS::CloudWatch::CompositeAlarm",
        create=lambda context, properties: put_alarm("PutCompositeAlarm", context, context.name, properties),
        update=lambda context, old, properties: update_alarm("PutCompositeAlarm", context, old, properties),
        delete=delete_alarm,
        name="AlarmName",
        known=frozenset({"AlarmRule", *ACTIONS}),
        fixed=frozenset({"AlarmName"}),
    )
)


def put_dashboard(context: Context, name: str, properties: Properties) -> Made:
    context.client("cloudwatch").put_dashboard(DashboardName=name, DashboardBody=properties["DashboardBody"])
    return Made(name)


def delete_dashboard(context: Context, old: Resource) -> None:
    context.client("cloudwatch").delete_dashboards(DashboardNames=[old.physical_resource_id])


register(
    ResourceType(
        type="AWS::CloudWatch::Dashboard",
        create=lambda context, properties: put_dashboard(context, context.name, properties),
        update=lambda context, old, properties: put_dashboard(context, old.physical_resource_id, properties),
        delete=delete_dashboard,
        name="DashboardName",
        known=frozenset({"DashboardBody", "DashboardName"}),
        fixed=frozenset({"DashboardName"}),
    )
)


def create_budget(context: Context, properties: Properties) -> Made:
    name = properties["Budget"].get("BudgetName") or context.name
    request = {**omit(properties, "ResourceTags"), "AccountId": context.account}
    request["Budget"] = {**properties["Budget"], "BudgetName": name}
    context.call("budgets", "CreateBudget", request)
    return Made(name)


def delete_budget(context: Context, old: Resource) -> None:
    context.client("budgets").delete_budget(AccountId=context.account, BudgetName=old.physical_resource_id)


def update_budget(context: Context, old: Resource, properties: Properties) -> Made:
    """A budget keeps nothing but what the template says, so a new one in its place is the same budget changed."""
    delete_budget(context, old)
    kept = {"BudgetName": old.physical_resource_id, **properties["Budget"]}
    return create_budget(context, {**properties, "Budget": kept})


register(
    ResourceType(
        type="AWS::Budgets::Budget",
        create=create_budget,
        update=update_budget,
        delete=delete_budget,
        known=frozenset({"Budget", "NotificationsWithSubscribers"}),
        ignored={"ResourceTags": "moto's budgets carry none"},
    )
)

register(
    ResourceType(
        type="AWS::CDK::Metadata",
        create=lambda context, properties: Made(context.name),
        update=lambda context, old, properties: old.made,
        delete=lambda context, old: None,
        known=frozenset({"Analytics"}),
    )
)
