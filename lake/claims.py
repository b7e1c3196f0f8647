"""What is to be said once for each run, though several may notice it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime

from lake.items import Items

_CLAIM_SECONDS = 15 * 60  # longer than a function may run: a claim this old was left behind by a crash


class Claims(Items):
    """Alerts and schedules already seen: `RUN#run / SAID#kind`, `PIPELINE#name / SCHEDULE#expression`."""

    @contextmanager
    def once(self, run: str, kind: str) -> Iterator[bool]:
        """True for the one who is to say it. If saying it fails, the next who notices is to say it."""
        now = self._clock().timestamp()
        expired = now - _CLAIM_SECONDS
        pk, sk = f"RUN#{run}", f"SAID#{kind}"
        when = "attribute_not_exists(pk) OR (#said = :no AND #claimed < :expired)"
        mine = self._put(pk, sk, {"said": False, "claimed": int(now)}, when, no=False, expired=int(expired))
        try:
            yield mine
        except BaseException:
            if mine:
                self._delete(pk, sk, "#said = :no", no=False)
            raise
        if mine:
            self._set(pk, sk, {"said": True, "at": self._now()}, "attribute_exists(pk)")

    def first_seen(self, pipeline: str, schedule: str) -> datetime:
        """When this schedule of the pipeline was first looked at; what it would have fired before does not count."""
        pk, sk = f"PIPELINE#{pipeline}", f"SCHEDULE#{schedule}"
        self._put_new(pk, sk, {"at": self._now()})
        found = self._get(pk, sk)
        assert found is not None  # written above, and never deleted
        return datetime.fromisoformat(found["at"])
