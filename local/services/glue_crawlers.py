"""Glue's crawlers: moto's find nothing. Here each reads its targets with its role and writes what it found into the
catalog; what cannot be read makes a crawl FAILED, with a sentence that names it.
"""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING, Any

from botocore.exceptions import BotoCoreError, ClientError
from moto.core.responses import ActionResult
from moto.glue.exceptions import CrawlerRunningException, InvalidInputException

from local.engines.crawl_databases import Databases
from local.engines.jars import JarsNotFoundError
from local.engines.java import JavaNotFoundError
from local.services import iam_services
from local.services.glue_crawl_catalog import NotForCrawlersError, Writer
from local.services.glue_crawl_targets import SUPPORTED, Targets
from local.services.glue_crawls import GROUP, Crawl, Crawler
from local.services.glue_logs import make
from local.services.role_clients import RoleClients
from local.services.seams import add, patch

if TYPE_CHECKING:
    from local.endpoint import Endpoint

MODELS, RESPONSES = "moto.glue.models", "moto.glue.responses"
SESSION = "AWS-Crawler"

FIDELITY = (
    ("Glue", "crawlers over JDBC: PostgreSQL, MySQL, H2; names, columns and types", "JDBC's own metadata", "real"),
    ("Glue", "crawlers over S3: CSV, JSON, Avro, Parquet, gzip; folders as tables and partitions",
     "DuckDB, fastavro, pyarrow", "real"),
    ("Glue", "crawlers: states, StopCrawler, metrics, last crawl, log, schema change policy", "ours", "real"),
    ("Glue", "crawlers: a corrupt file fails the crawl, where Glue may call its format UNKNOWN", "ours", "simulated"),
    ("Glue", "crawlers: whole numbers of JSON are always bigint, Glue's own schedule never starts one", "ours",
     "simulated"),
    ("Glue", "crawlers: of their configuration TableLevelConfiguration only; partitions stay as they were first found",
     "ours", "simulated"),
    ("Glue", "crawlers of other targets, custom classifiers, crawls of new folders or events only", "", "refused"),
)  # fmt: skip


class Crawls:
    """Starts crawls, each in a thread of its own."""

    def __init__(self, endpoint: Endpoint) -> None:
        self._endpoint = endpoint
        self._clients = RoleClients(endpoint, "glue", SESSION)
        self._databases = Databases()
        self._lock = threading.Lock()
        endpoint.on_stop(self._databases.close)

    def start(self, crawler: Crawler) -> None:
        with self._lock:
            if crawler.going is not None:
                raise CrawlerRunningException(f"Crawler with name {crawler.name} has already started")
            crawl = Crawl(crawler.name)
            crawler.crawls.append(crawl)
        self._endpoint.background(lambda: self._run(crawler, crawl), f"crawl {crawler.name}")

    def _run(self, crawler: Crawler, crawl: Crawl) -> None:
        notes: list[str] = []
        try:
            status, error = self._crawled(crawler, crawl, notes)
        except (ClientError, BotoCoreError, JarsNotFoundError, JavaNotFoundError, NotForCrawlersError) as refused:
            status, error = "FAILED", str(refused)
        except Exception as fault:  # a crawl always ends, and says how
            status, error = "FAILED", f"The laptop's crawler failed: {type(fault).__name__}: {fault}"
        try:
            self._log(crawler, crawl, [*notes, *([f"ERROR : {error}"] if error else []), f"Crawl {status}"])
        except ClientError as unlogged:
            error = f"{error} Its log could not be written: {unlogged}".strip()
        crawl.end(status, error)

    def _crawled(self, crawler: Crawler, crawl: Crawl, notes: list[str]) -> tuple[str, str]:
        def client(service: str) -> Any:
            return self._clients.of(service, self._role(crawler))

        found = Targets(client, self._databases, crawl.stop.is_set).read(crawler)
        notes += found.notes
        if crawl.stop.is_set():
            return "STOPPED", ""
        writer = Writer(client("glue"), crawler.database_name, crawler)
        crawl.counts = writer.counts
        writer.write(found.tables, complete=not found.failures)
        notes += writer.notes
        return ("FAILED", " ".join(found.failures)) if found.failures else ("COMPLETED", "")

    def _role(self, crawler: Crawler) -> str:
        return arn_of(self._endpoint, str(crawler.role))

    def _log(self, crawler: Crawler, crawl: Crawl, lines: list[str]) -> None:
        logs = self._clients.of("logs", self._role(crawler))
        make(logs, GROUP, crawler.name)
        events = [{"timestamp": int(time.time() * 1000), "message": f"[{crawl.crawl_id}] {line}"} for line in lines]
        logs.put_log_events(logGroupName=GROUP, logStreamName=crawler.name, logEvents=events)


def arn_of(endpoint: Endpoint, role: str) -> str:
    return role if role.startswith("arn:") else f"arn:aws:iam::{endpoint.account}:role/{role}"


def check_role(endpoint: Endpoint, role: str) -> None:
    try:
        iam_services.check(arn_of(endpoint, role), "glue", endpoint.region)
    except iam_services.RoleNotAssumedError as error:
        told = "Service is unable to assume provided role. Please verify role's TrustPolicy"
        raise InvalidInputException("CreateCrawler", told) from error


def install(endpoint: Endpoint) -> None:
    """Crawl for real."""
    crawls = Crawls(endpoint)
    patch(f"{MODELS}:FakeCrawler", Crawler)
    patch(f"{MODELS}:FakeCrawler.start_crawler", lambda crawler: crawls.start(crawler))
    add(f"{RESPONSES}:GlueResponse.get_crawler_metrics", _metrics)

    def create_crawler(response: Any) -> ActionResult:
        refuse_what_cannot_be_crawled("CreateCrawler", response.parameters)
        check_role(endpoint, str(response.parameters["Role"]))
        answer: ActionResult = create(response)
        return answer

    create = patch(f"{RESPONSES}:GlueResponse.create_crawler", create_crawler)


def refuse_what_cannot_be_crawled(action: str, asked: dict[str, Any]) -> None:
    """An error that names what of a crawler's definition has no engine here."""
    targets = sorted(kind for kind, each in (asked.get("Targets") or {}).items() if each and kind not in SUPPORTED)
    if targets:
        told = f"The targets '{targets[0]}': the laptop crawls {' and '.join(SUPPORTED)}. Use these."
        raise InvalidInputException(action, told)
    if asked.get("Classifiers"):
        told = f"The classifier '{asked['Classifiers'][0]}': the laptop has the built-in ones only. Leave it out."
        raise InvalidInputException(action, told)
    behavior = (asked.get("RecrawlPolicy") or {}).get("RecrawlBehavior", "CRAWL_EVERYTHING")
    if behavior != "CRAWL_EVERYTHING":
        told = f"RecrawlBehavior '{behavior}': the laptop's crawlers do CRAWL_EVERYTHING only. Use that."
        raise InvalidInputException(action, told)


def _metrics(response: Any) -> ActionResult:
    asked = response.parameters.get("CrawlerNameList")
    known = response.glue_backend.crawlers
    names = asked if asked else list(known)
    return ActionResult({"CrawlerMetricsList": [response.glue_backend.get_crawler(name).metrics() for name in names]})
