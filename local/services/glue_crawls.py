"""Crawls and crawlers as Glue's API shows them: each in the state that is what really happens to it."""

from __future__ import annotations

import statistics
import threading
from datetime import datetime
from typing import Any

from moto.core.utils import utcnow
from moto.glue import models
from moto.glue.exceptions import CrawlerNotRunningException
from moto.moto_api._internal import mock_random

from local.services.glue_crawl_catalog import Counts

GROUP = "/aws-glue/crawlers"
LONGEST_MESSAGE = 2048
LAST = {"COMPLETED": "SUCCEEDED", "FAILED": "FAILED", "STOPPED": "CANCELLED"}


class Crawl:
    """One crawl, as it stands."""

    def __init__(self, crawler_name: str) -> None:
        self.crawl_id = str(mock_random.uuid4())
        self.status = "RUNNING"
        self.start_time: datetime = utcnow()
        self.end_time: datetime | None = None
        self.error = ""
        self.counts = Counts()
        self.stop = threading.Event()
        self.place = {"LogGroup": GROUP, "LogStream": crawler_name, "MessagePrefix": self.crawl_id}

    def advance(self) -> None:
        """moto's crawls go on when they are looked at; this one by itself."""

    def end(self, status: str, error: str = "") -> None:
        self.error, self.end_time = error[:LONGEST_MESSAGE], utcnow()
        self.status = status

    def as_dict(self) -> dict[str, Any]:
        state = "RUNNING" if self.status == "STOPPING" else self.status
        shown = {"CrawlId": self.crawl_id, "State": state, "StartTime": self.start_time, **self.place}
        return {**shown, **({"EndTime": self.end_time} if self.end_time else {}), **self._told()}

    def last(self) -> dict[str, Any]:
        return {"Status": LAST[self.status], "StartTime": self.start_time, **self.place, **self._told()}

    def _told(self) -> dict[str, str]:
        return {"ErrorMessage": self.error} if self.error else {}

    @property
    def seconds(self) -> float:
        ended = self.end_time or utcnow()
        return (ended - self.start_time).total_seconds()


class Crawler(models.FakeCrawler):
    """A crawler whose crawls really happen; `crawls` are all of them, oldest first."""

    crawls: list[Crawl]  # type: ignore[assignment]  # moto's own are never made

    def as_dict(self) -> dict[str, Any]:
        shown = {name: value for name, value in self._described().items() if value is not None}
        ended = [crawl for crawl in self.crawls if crawl.status in LAST]
        return {**shown, **({"LastCrawl": ended[-1].last()} if ended else {})}

    def _described(self) -> dict[str, Any]:
        crawls, self.crawls = self.crawls, []  # moto would show a crawl that is under way as the last
        try:
            shown: dict[str, Any] = super().as_dict()
        finally:
            self.crawls = crawls
        going = self.going
        elapsed = int(going.seconds * 1000) if going else 0
        return {**shown, "State": going.status if going else "READY", "CrawlElapsedTime": elapsed}

    @property
    def going(self) -> Crawl | None:
        return self.crawls[-1] if self.crawls and self.crawls[-1].status not in LAST else None

    def stop_crawler(self) -> None:
        going = self.going
        if going is None:
            raise CrawlerNotRunningException(f"Crawler with name {self.name} isn't running")
        going.status = "STOPPING"
        going.stop.set()

    def metrics(self) -> dict[str, Any]:
        ended = [crawl for crawl in self.crawls if crawl.status in LAST]
        counts = ended[-1].counts if ended else Counts()
        return {
            "CrawlerName": self.name,
            "TimeLeftSeconds": 0.0,
            "StillEstimating": False,
            "LastRuntimeSeconds": ended[-1].seconds if ended else 0.0,
            "MedianRuntimeSeconds": statistics.median(each.seconds for each in ended) if ended else 0.0,
            "TablesCreated": counts.created,
            "TablesUpdated": counts.updated,
            "TablesDeleted": counts.deleted,
        }
