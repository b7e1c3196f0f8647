"""What lies in the lake that no contract knows: of a dataset that was retired, say, where nobody looks for a person."""

from __future__ import annotations

from collections.abc import Iterator

from glue_jobs import objects
from glue_jobs.work import Job
from lake.arrivals import GIVEN_UP
from lake.catalog import CATALOG
from lake.certificate import NOT_SEARCHABLE
from lake.parts import GOLD

WHY = "No contract knows it, so none says where an id would be: delete it, or see for yourself."


def unknown_stores(job: Job) -> list[dict[str, str]]:
    """Folders of bronze and tables of the other layers, as the certificate lists them."""
    found = [f"bronze/{each}" for each in sorted(_folders(job))] + sorted(_tables(job))
    return [{"store": each, "rule": NOT_SEARCHABLE, "why": WHY} for each in found]


def _folders(job: Job) -> Iterator[str]:
    lake, bucket = job.lake, job.lake.environment.buckets["bronze"]
    known = {lake.dataset(each).folder.rstrip("/") for each in lake.dataset_ids()}
    for source in objects.folders(bucket, ""):
        for each in objects.folders(bucket, source) if not GIVEN_UP.startswith(source) else ():
            if each.rstrip("/").partition("__")[0] not in known:
                yield each


def _tables(job: Job) -> set[str]:
    lake, found = job.lake, set[str]()
    for layer in ("silver", GOLD):
        database = lake.environment.databases[layer]
        rows = job.spark.sql(f"SHOW TABLES IN {CATALOG}.{database}").collect()
        found |= {f"{database}.{row['tableName']}" for row in rows}
    known = map(lake.dataset, lake.dataset_ids())
    return found - {
        table.removeprefix(f"{CATALOG}.")
        for each in known
        for table in (lake.table(each), lake.quarantine(each), lake.deleted(each))
    }
