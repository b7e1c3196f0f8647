"""TICKIT's rows without faults: each column as the text that a server loads, the same for the same sizes."""

from __future__ import annotations

import datetime
from collections.abc import Mapping

import numpy as np

from local.tickit import words

Column = list[str | None]
Table = dict[str, Column]
Numbers = np.ndarray[tuple[int], np.dtype[np.int64]]

SEED = 20_080_101
FIRST_DAY = datetime.date(2025, 1, 1)  # a year in the past: a sale in the future is a fault of its own
FIRST_DATE_ID = 1827
DAY = 86_400
LIKES = ("sports", "theatre", "concerts", "jazz", "classical", "opera", "rock", "vegas", "broadway", "musicals")


def clean(sizes: Mapping[str, int]) -> dict[str, Table]:
    """Every table with as many rows as `sizes` says; keys count from 1, and each reference has its parent."""
    random = np.random.default_rng(SEED)
    venues, users, days = sizes["saas.venue"], sizes["saas.users"], sizes["ecommerce.date"]
    event, starts = _events(random, sizes["saas.event"], venues, days)
    listing, listed = _listings(random, sizes["ecommerce.listing"], users, starts)
    sales = _sales(random, sizes["ecommerce.sales"], users, listed, starts)
    return {
        "saas.users": _users(random, users),
        "saas.venue": _venues(random, venues),
        "saas.category": _categories(),
        "saas.event": event,
        "ecommerce.date": _dates(days),
        "ecommerce.listing": listing,
        "ecommerce.sales": sales,
    }


def _users(random: np.random.Generator, count: int) -> Table:
    first = [words.FIRST_NAMES[i] for i in random.integers(0, len(words.FIRST_NAMES), count)]
    last = [words.LAST_NAMES[i] for i in random.integers(0, len(words.LAST_NAMES), count)]
    places = [words.PLACES[i] for i in random.integers(0, len(words.PLACES), count)]
    area, exchange, line = (
        random.integers(200, 1000, count),
        random.integers(200, 1000, count),
        random.permutation(count),
    )
    answers: tuple[str | None, ...] = ("t", "f", None)
    likes = random.integers(0, len(answers), (len(LIKES), count))
    table: Table = {
        "userid": _text(_keys(count)),
        "username": [f"{name[:4].upper():X<4}{np.base_repr(i, 36):0>4}" for i, name in enumerate(last, 1)],
        "firstname": list(first),
        "lastname": list(last),
        "city": [city for city, _ in places],
        "state": [state for _, state in places],
        "email": [f"{f}.{n}.{i}@example.org".lower() for i, (f, n) in enumerate(zip(first, last, strict=True), 1)],
        "phone": [f"({a}) {e}-{n % 10_000:04}" for a, e, n in zip(area, exchange, line, strict=True)],
    }
    return table | {f"like{what}": [answers[i] for i in row] for what, row in zip(LIKES, likes, strict=True)}


def _venues(random: np.random.Generator, count: int) -> Table:
    places = [words.PLACES[i % len(words.PLACES)] for i in range(count)]
    houses = [words.HOUSES[i // len(words.PLACES) % len(words.HOUSES)] for i in range(count)]
    return {
        "venueid": _text(_keys(count)),
        "venuename": [f"{city} {house}" for (city, _), house in zip(places, houses, strict=True)],
        "venuecity": [city for city, _ in places],
        "venuestate": [state for _, state in places],
        "venueseats": _text(random.integers(4, 900, count) * 100),
    }


def _categories() -> Table:
    group, name, description = zip(*words.CATEGORIES, strict=True)
    keys = _text(_keys(len(words.CATEGORIES)))
    return {"catid": keys, "catgroup": list(group), "catname": list(name), "catdesc": list(description)}


def _dates(count: int) -> Table:
    days = [FIRST_DAY + datetime.timedelta(days=i) for i in range(count)]
    return {
        "dateid": _text(np.arange(count) + FIRST_DATE_ID),
        "caldate": [str(day) for day in days],
        "day": [("MO", "TU", "WE", "TH", "FR", "SA", "SU")[day.weekday()] for day in days],
        "week": [str((day.timetuple().tm_yday - 1) // 7 + 1) for day in days],
        "month": [str(day.month) for day in days],
        "qtr": [str((day.month + 2) // 3) for day in days],
        "year": [str(day.year) for day in days],
        "holiday": ["1" if (day.month, day.day) in {(1, 1), (7, 4), (11, 27), (12, 25)} else "0" for day in days],
    }


def _events(random: np.random.Generator, count: int, venues: int, days: int) -> tuple[Table, Numbers]:
    category = random.integers(1, len(words.CATEGORIES) + 1, count)
    starts = random.integers(10, days, count) * DAY + random.integers(26, 41, count) * 1800  # 13:00 to 20:00
    acts = random.integers(0, len(words.ACTS), count)
    table: Table = {
        "eventid": _text(_keys(count)),
        "venueid": _text(random.integers(1, venues + 1, count)),
        "catid": _text(category),
        "dateid": _date_id(starts),
        "eventname": [f"{words.ACTS[act]} {words.CATEGORIES[c - 1][1]}" for act, c in zip(acts, category, strict=True)],
        "starttime": _time(starts),
    }
    return table, starts


def _listings(random: np.random.Generator, count: int, users: int, starts: Numbers) -> tuple[Table, dict[str, Numbers]]:
    event = random.integers(0, len(starts), count)
    before = random.integers(2 * DAY, 61 * DAY, count)
    listed = {
        "seller": random.integers(1, users + 1, count),
        "event": event,
        "tickets": random.integers(1, 31, count),
        "cents": random.integers(40, 5001, count) * 50,
        "time": np.maximum(starts[event] - before, random.integers(0, DAY, count)),
    }
    table: Table = {
        "listid": _text(_keys(count)),
        "sellerid": _text(listed["seller"]),
        "eventid": _text(event + 1),
        "dateid": _date_id(listed["time"]),
        "numtickets": _text(listed["tickets"]),
        "priceperticket": _money(listed["cents"]),
        "totalprice": _money(listed["tickets"] * listed["cents"]),
        "listtime": _time(listed["time"]),
    }
    return table, listed


def _sales(random: np.random.Generator, count: int, users: int, listed: dict[str, Numbers], starts: Numbers) -> Table:
    listing = np.sort(random.permutation(len(listed["time"]))[:count])
    quantity = np.minimum(random.integers(1, 9, count), listed["tickets"][listing])
    paid = quantity * listed["cents"][listing]
    opened, event = listed["time"][listing], listed["event"][listing]
    sold = opened + (random.random(count) * (starts[event] - opened)).astype(np.int64)
    return {
        "salesid": _text(_keys(count)),
        "listid": _text(listing + 1),
        "sellerid": _text(listed["seller"][listing]),
        "buyerid": _text(random.integers(1, users + 1, count)),
        "eventid": _text(event + 1),
        "dateid": _date_id(sold),
        "qtysold": _text(quantity),
        "pricepaid": _money(paid),
        "commission": _money((paid * 15 + 50) // 100),
        "saletime": _time(sold),
    }


def _keys(count: int) -> Numbers:
    return np.arange(1, count + 1)


def _text(numbers: Numbers) -> Column:
    return [str(number) for number in numbers.tolist()]


def _money(cents: Numbers) -> Column:
    return [f"{c // 100}.{c % 100:02}" for c in cents.tolist()]


def _date_id(seconds: Numbers) -> Column:
    return _text(seconds // DAY + FIRST_DATE_ID)


def _time(seconds: Numbers) -> Column:
    return [str(time) for time in np.datetime64(FIRST_DAY, "s") + seconds.astype("timedelta64[s]")]
