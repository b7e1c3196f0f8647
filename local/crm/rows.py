"""The marketing system's rows without faults: customers who are users of the marketplace, campaigns, responses."""

from __future__ import annotations

import datetime

import numpy as np

from local.tickit import words
from local.tickit.rows import DAY, FIRST_DAY, SEED, Numbers, Table

SEGMENTS = ("new", "regular", "vip", "lapsed")
CHANNELS = ("email", "sms", "post", "phone")
KINDS = ("open", "click", "reply", "unsubscribe")
ABROAD = ("Zoë", "Łukasz", "Øyvind", "Ümit", "Đorđe", "Íñigo", "美咲", "Наталья", "عمر", "Σοφία")
NOTES = (
    None,
    "",
    "Prefers the “front row”.",
    "Comes with 3 children 👨‍👩‍👧‍👦",
    "Zu spät gekommen, bitte anrufen",
    "価格に敏感",
)
TEXTS = (None, "", "Danke! 🎟️", "No, thank you.", "Línea 1\nLínea 2", "Please call me\tback")


def clean(customers: int, campaigns: int, responses: int, users: int) -> dict[str, Table]:
    """Every table with as many rows; keys count from 1, each reference has its parent, each customer is a user."""
    random = np.random.default_rng([SEED, 3])
    return {
        "crm.customers": _customers(random, customers, users),
        "crm.campaigns": _campaigns(random, campaigns),
        "crm.responses": _responses(random, responses, campaigns, customers),
    }


def _customers(random: np.random.Generator, count: int, users: int) -> Table:
    user = np.sort(random.choice(users, count, replace=False)) + 1
    first = [ABROAD[i] if i < len(ABROAD) else words.FIRST_NAMES[i] for i in random.integers(0, 60, count)]
    last = [words.LAST_NAMES[i] for i in random.integers(0, len(words.LAST_NAMES), count)]
    born = random.integers(-32_000, -7_000, count)
    return {
        "CustomerId": _text(np.arange(1, count + 1)),
        "UserId": _text(user),
        "Order": _text(random.integers(1, 4, count)),
        "group": [SEGMENTS[i] for i in random.integers(0, len(SEGMENTS), count)],
        "FirstName": list(first),
        "LastName": list(last),
        "Email": [f"user.{each}@example.org" for each in user.tolist()],
        "BirthDate": [str(FIRST_DAY + datetime.timedelta(days=days)) for days in born.tolist()],
        "IsActive": _text(random.integers(0, 2, count)),
        "CreditLimit": [f"{each // 10_000}.{each % 10_000:04}" for each in random.integers(0, 10**9, count).tolist()],
        "Notes": [NOTES[i] for i in random.integers(0, len(NOTES), count)],
        "UpdatedAt": _times(random, count, 300 * DAY),
    }


def _campaigns(random: np.random.Generator, count: int) -> Table:
    begins = random.integers(0, 300, count)
    ends = begins + random.integers(7, 60, count)
    acts = random.integers(0, len(words.ACTS), count)
    return {
        "CampaignId": _text(np.arange(1, count + 1)),
        "Name": [f"{words.ACTS[act]} №{number}" for number, act in enumerate(acts, 1)],
        "Channel": [CHANNELS[i] for i in random.integers(0, len(CHANNELS), count)],
        "Budget": [f"{each}.00" for each in random.integers(1, 50_000, count).tolist()],
        "StartsOn": _days(begins),
        "EndsOn": _days(ends),
        "IsPublic": _text(random.integers(0, 2, count)),
    }


def _responses(random: np.random.Generator, count: int, campaigns: int, customers: int) -> Table:
    return {
        "ResponseId": _text(np.arange(1, count + 1)),
        "CampaignId": _text(random.integers(1, campaigns + 1, count)),
        "CustomerId": _text(random.integers(1, customers + 1, count)),
        "Kind": [KINDS[i] for i in random.integers(0, len(KINDS), count)],
        "Text": [TEXTS[i] for i in random.integers(0, len(TEXTS), count)],
        "RespondedAt": _times(random, count, 300 * DAY),
    }


def _text(numbers: Numbers) -> list[str | None]:
    return [str(number) for number in numbers.tolist()]


def _days(days: Numbers) -> list[str | None]:
    return [str(FIRST_DAY + datetime.timedelta(days=day)) for day in days.tolist()]


def _times(random: np.random.Generator, count: int, span: int) -> list[str | None]:
    """Times in order, as they were written."""
    micros = np.sort(random.integers(0, span * 1_000_000, count)).astype("timedelta64[us]")
    return [str(each).replace("T", " ") for each in np.datetime64(FIRST_DAY, "us") + micros]
