"""Guesses of what is personal: by a column's name, and by what some of its values look like."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import date

PII_NAME = re.compile(
    r"name$|mail|phone|mobile|fax|street|address|zip|postal|postcode|birth|dob$|ssn|passport|tax|iban|card|token|passw"
    r"|licen[cs]e|signature|gender|nationality|latitude|longitude|(^|_)ip(_|$)"
)
PHI_NAME = re.compile(
    r"diagnos|patient|medic|allerg|blood|prescri|symptom|disease|icd_?\d*$|(^|_)mrn|treatment|therap|(^|_)lab_|insurance"
)
PII_VALUES = (
    re.compile(r"[^@\s]+@[^@\s]+\.[^@\s.]+"),  # e-mail
    re.compile(r"\+?\(?\d{2,4}\)?([ ./-]\d{2,5}){2,5}|\+\d{8,15}|\(\d{3}\) ?\d{3}-\d{4}"),  # telephone
    re.compile(r"\d{3}-\d{2}-\d{4}"),  # social security number
    re.compile(r"[A-Z]{2}\d{2}( ?[A-Z0-9]{4}){3,7}( ?[A-Z0-9]{1,3})?"),  # bank account
    re.compile(r"(\d{4}[ -]?){3}\d{4}"),  # payment card
    re.compile(r"\d{1,3}(\.\d{1,3}){3}"),  # network address
)
DAY = re.compile(r"\d{4}-\d{2}-\d{2}")
MOST = 0.8  # of the values that are there
AGES = (10, 110)  # years ago that births lie, and few other dates


def classification(name: str, values: Sequence[str | None] = ()) -> str:
    """internal, pii or phi: a guess for a person to look at."""
    plain = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", name).lower()
    if PHI_NAME.search(plain):
        return "phi"
    given = [each.strip() for each in values if each and each.strip()]
    return "pii" if PII_NAME.search(plain) or (given and _personal(given)) else "internal"


def _personal(values: Sequence[str]) -> bool:
    days = [each for each in values if DAY.fullmatch(each)]
    if len(days) >= MOST * len(values):
        return _births(days)
    return any(sum(bool(each.fullmatch(value)) for value in values) >= MOST * len(values) for each in PII_VALUES)


def _births(days: Sequence[str]) -> bool:
    """Dates that lie as far back as people's births, and over as many years."""
    this_year, years = date.today().year, [int(each[:4]) for each in days]
    fitting = [each for each in years if AGES[0] <= this_year - each <= AGES[1]]
    return len(fitting) >= MOST * len(years) and max(years) - min(years) >= AGES[0]
