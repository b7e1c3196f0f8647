"""TICKIT's faults: known numbers of rows, each breaking one rule of its contract, at places fixed by the seed."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import numpy as np

from local.tickit.rows import SEED, Table

Change = tuple[str, str | None]
DUPLICATES = "duplicate"
CONFLICT = "key_conflict"
# dataset -> rule -> rows; a duplicate is superseded, everything else quarantined
FAULTS: dict[str, dict[str, int]] = {
    "saas.users": {
        "required_first_name": 4,
        "required_last_name": 3,
        "required_email": 5,
        "username_pattern": 4,
        "email_pattern": 2,
        "names_trimmed": 3,
    },
    "saas.venue": {"required_venue_name": 1, "venue_name_trimmed": 2},
    "saas.category": {},
    "saas.event": {
        "required_event_name": 5,
        "required_starts_at": 3,
        "event_name_trimmed": 4,
        "foreign_key_venue_id": 2,
    },
    "ecommerce.date": {"type_month": 1},
    "ecommerce.listing": {
        "total_price_adds_up": 25,
        "num_tickets_positive": 3,
        "foreign_key_event_id": 6,
        DUPLICATES: 12,
    },
    "ecommerce.sales": {
        "commission_is_15_percent": 20,
        "required_sold_at": 7,
        "foreign_key_listing_id": 15,
        "foreign_key_buyer_id": 5,
        CONFLICT: 16,
        DUPLICATES: 40,
    },
}
NOBODY = "9999999"  # a key that no parent has
NOWHERE = "32000"  # the same for a smallint


def added_rows(rules: Mapping[str, int]) -> int:
    """How many of a table's rows are second copies, and so are not among its clean rows."""
    return rules.get(DUPLICATES, 0) + rules.get(CONFLICT, 0) // 2


def inject(dataset: str, table: Table, rules: Mapping[str, int], changes: Mapping[str, Change]) -> dict[str, list[str]]:
    """Spoil rows of a clean table in place, none twice; their keys by rule, a duplicate's being there twice."""
    key = next(iter(table))
    places = _places(dataset, len(table[key]))
    faulty = {}
    for rule, rows in rules.items():
        chosen = [next(places) for _ in range(rows // 2 if rule == CONFLICT else rows)]
        faulty[rule] = [str(table[key][row]) for row in chosen]
        for row in chosen:
            _spoil(rule, table, row, changes)
    return faulty


def _places(dataset: str, count: int) -> Iterator[int]:
    seed = [SEED, *dataset.encode()]
    return iter(np.random.default_rng(seed).permutation(count).tolist())


def _spoil(rule: str, table: Table, row: int, changes: Mapping[str, Change]) -> None:
    if rule in (DUPLICATES, CONFLICT):
        for column in table.values():
            column.append(column[row])
        if rule == CONFLICT:
            table["saletime"][-1] = str(table["saletime"][row])[:-2] + _other_second(str(table["saletime"][row]))
        return
    name, value = changes[rule]
    before = table[name][row]
    table[name][row] = f"{before} " if value == " " else _other_amount(before) if value == "+" else value
    if rule == "num_tickets_positive":
        table["totalprice"][row] = "0.00"  # so that only one rule is broken


def _other_second(time: str) -> str:
    return f"{(int(time[-2:]) + 1) % 60:02}"


def _other_amount(amount: str | None) -> str:
    whole, cents = str(amount).split(".")
    return f"{int(whole) + 1}.{cents}"


# rule -> the column at fault and its new value: None for null, " " for a trailing space, "+" for another amount
CHANGES: dict[str, Change] = {
    "required_first_name": ("firstname", None),
    "required_last_name": ("lastname", None),
    "required_email": ("email", None),
    "username_pattern": ("username", " "),
    "email_pattern": ("email", " "),
    "names_trimmed": ("firstname", " "),
    "required_venue_name": ("venuename", None),
    "venue_name_trimmed": ("venuename", " "),
    "required_event_name": ("eventname", None),
    "required_starts_at": ("starttime", None),
    "event_name_trimmed": ("eventname", " "),
    "foreign_key_venue_id": ("venueid", NOWHERE),
    "type_month": ("month", "JAN"),
    "total_price_adds_up": ("totalprice", "+"),
    "num_tickets_positive": ("numtickets", "0"),
    "foreign_key_event_id": ("eventid", NOBODY),
    "commission_is_15_percent": ("commission", "+"),
    "required_sold_at": ("saletime", None),
    "foreign_key_listing_id": ("listid", NOBODY),
    "foreign_key_buyer_id": ("buyerid", NOBODY),
}
