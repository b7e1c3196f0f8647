"""The account's monthly budget, and who hears when it is used up or about to be."""

from __future__ import annotations

from aws_cdk import aws_budgets as budgets
from constructs import Construct

from config import Environment

WARNINGS = (("ACTUAL", 80), ("FORECASTED", 100))  # percent of the month's budget


class MonthlyBudget(Construct):
    """Of the whole account: a filter by tag sees nothing until someone activates the tag for billing."""

    def __init__(self, scope: Construct, construct_id: str, *, environment: Environment) -> None:
        super().__init__(scope, construct_id)
        addresses = [("SNS", environment.topic_arn), *(("EMAIL", email) for email in environment.budget.emails)]
        subscribers = [
            budgets.CfnBudget.SubscriberProperty(subscription_type=kind, address=address) for kind, address in addresses
        ]
        self.budget = budgets.CfnBudget(
            self,
            "Budget",
            budget=budgets.CfnBudget.BudgetDataProperty(
                budget_name=environment.resource("month"),
                budget_type="COST",
                time_unit="MONTHLY",
                budget_limit=budgets.CfnBudget.SpendProperty(amount=environment.budget.monthly_usd, unit="USD"),
            ),
            notifications_with_subscribers=[
                budgets.CfnBudget.NotificationWithSubscribersProperty(
                    notification=budgets.CfnBudget.NotificationProperty(
                        notification_type=kind, comparison_operator="GREATER_THAN", threshold=percent
                    ),
                    subscribers=subscribers,
                )
                for kind, percent in WARNINGS
            ],
        )
