"""Budgets: moto lacks UpdateBudget, and never says who is told of a budget."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from moto.budgets.exceptions import NotFoundException
from moto.budgets.responses import BudgetsResponse

from local.services.seams import add

if TYPE_CHECKING:
    from local.endpoint import Endpoint

FIDELITY = (
    ("Budgets", "budgets, notifications, subscribers: kept, the laptop spends nothing", "moto", "simulated"),
    ("Budgets", "budget actions, reports", "", "refused"),
)


def install(endpoint: Endpoint) -> None:
    responses = "moto.budgets.responses:BudgetsResponse"
    add(f"{responses}.update_budget", update_budget)
    add(f"{responses}.describe_subscribers_for_notification", describe_subscribers)


def update_budget(response: BudgetsResponse) -> str:
    wanted = response._get_param("NewBudget")
    account, name = response._get_param("AccountId"), wanted["BudgetName"]
    found = response.backend.budgets[account].get(name)
    if found is None:
        raise NotFoundException(f"Unable to update budget: {name} - the budget doesn't exist.")
    found.budget = {**found.budget, **wanted}
    return "{}"


def describe_subscribers(response: BudgetsResponse) -> str:
    account, name = response._get_param("AccountId"), response._get_param("BudgetName")
    asked = response._get_param("Notification")
    for notification in response.backend.budgets[account][name].notifications:
        if notification.details == asked:
            return json.dumps({"Subscribers": notification.subscribers})
    raise NotFoundException(f"Unable to find the notification of budget: {name}.")
