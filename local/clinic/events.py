"""Immunization events without faults: a few large sites and many small ones, patients of every age, real vaccines."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta, timezone
from typing import Any, NamedTuple

import numpy as np

Numbers = np.ndarray[Any, np.dtype[Any]]
SITES, CLINICIANS = 60, 400
LATEST = timedelta(days=3)
# CVX code and the doses that make its series complete
VACCINES = (
    ("08", 3), ("03", 2), ("20", 5), ("10", 4), ("21", 2), ("33", 1), ("62", 3), ("115", 1), ("208", 2), ("141", 1),
)  # fmt: skip
COMMENTS = (
    "Left arm, no reaction.",
    "Zweite Dosis, Termin vorverlegt",
    "接種後15分間の観察",
    "Niño tranquilo 👶",
    'said "ouch"',
)
DISTANT = timezone(timedelta(hours=2))


class Event(NamedTuple):
    """An event as its contract has it."""

    event_id: str
    event_time: datetime
    patient_id: str
    birth_date: date
    vaccine_code: str
    dose_number: int
    series_doses: int
    lot_number: str | None
    site_id: str
    clinician_id: str | None
    administered_at: datetime
    status: str


def document(event: Event) -> dict[str, Any]:
    """The event as a clinic's system writes it: times with the one zone or the other, here and there a field more."""
    found = event._asdict()
    odd = int(event.event_id[:2], 16)
    zone = DISTANT if odd < 8 else UTC
    for name in ("event_time", "administered_at"):
        found[name] = found[name].astimezone(zone).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    found["birth_date"] = event.birth_date.isoformat()
    if event.lot_number is None and odd % 2:
        del found["lot_number"]
    if odd >= 248:
        found["comment"] = COMMENTS[odd % len(COMMENTS)]
    return found


class Population:
    """`count` events by their number, `late` those that are, worked out from lists: a million take little room."""

    def __init__(
        self, random: np.random.Generator, count: int, *, ending: datetime, span: timedelta, late: Numbers
    ) -> None:
        self._ending = ending.astimezone(UTC).replace(microsecond=0)
        self._ids = random.bytes(16 * count)
        behind = np.sort(random.integers(0, milliseconds(span), count))[::-1].copy()
        behind[late] = random.integers(milliseconds(span) + 1, milliseconds(LATEST), len(late))
        self._behind: list[int] = behind.tolist()
        weights = 1 / np.arange(1, SITES + 1)  # the largest site sends 60 times what the smallest does
        self._site = random.choice(SITES, count, p=weights / weights.sum()).tolist()
        self._patient = random.integers(0, max(10, count // 3), count).tolist()
        self._vaccine = random.integers(0, len(VACCINES), count).tolist()
        self._dose = random.random(count).tolist()
        self._lot = random.integers(0, 3000, count).tolist()
        self._minutes = random.exponential(20, count).tolist()

    def event(self, number: int) -> Event:
        happened = self._ending - timedelta(milliseconds=self._behind[number])
        patient, site, lot = self._patient[number], self._site[number], self._lot[number]
        code, doses = VACCINES[self._vaccine[number]]
        given = happened - timedelta(seconds=round(60 * self._minutes[number]))
        return Event(
            event_id=self._ids[16 * number : 16 * (number + 1)].hex(),
            event_time=happened,
            patient_id=f"P-{patient:07}",
            birth_date=_born(patient, self._ending.date()),
            vaccine_code=code,
            dose_number=1 + int(self._dose[number] * doses),
            series_doses=doses,
            lot_number=None if lot < 90 else f"LOT-{lot:04}",
            site_id=f"site-{site + 1:03}",
            clinician_id=None if lot > 2970 else f"C-{(patient * 7 + site) % CLINICIANS:04}",
            administered_at=given,
            status="not_done" if lot % 50 == 7 else "completed",
        )

    def corrected(self, number: int) -> Event:
        """The later version of an event: it was an error, or its lot was."""
        event = self.event(number)
        later = event.event_time + timedelta(milliseconds=1 + self._behind[number] % 60_000)
        if number % 2:
            return event._replace(event_time=later, status="entered_in_error")
        return event._replace(event_time=later, lot_number=f"LOT-{number % 1000:04}-A")


def _born(patient: int, today: date) -> date:
    """Half of the patients are children."""
    years = 6 if patient % 2 else 90
    return today - timedelta(days=5 + patient * 7919 % (365 * years))


def milliseconds(span: timedelta) -> int:
    return span // timedelta(milliseconds=1)
