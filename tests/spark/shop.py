"""A small lake on a folder: customers and their orders in silver, totals and a dimension in gold."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

from pyspark.sql import SparkSession

from glue_jobs import apply, bronze, iceberg, model, refine
from glue_jobs.work import Job, Task, work
from lake.ledger import Ledger, Load, Outcome
from lake.masking import masked
from lake.model import Dataset, Lake
from lake.parts import dataset_from_dict
from lake.runs import RunId

CUSTOMERS: dict[str, Any] = {
    "columns": [
        {"name": "customer_id", "type": "bigint", "source": "id", "required": True},
        {"name": "name", "type": "string", "source": "name", "required": True},
    ],
    "key": ["customer_id"],
}
ORDERS: dict[str, Any] = {
    "columns": [
        {"name": "order_id", "type": "bigint", "source": "id", "required": True},
        {"name": "customer_id", "type": "bigint", "source": "customer"},
        {"name": "amount", "type": "decimal(8,2)", "source": "amount", "required": True},
        {"name": "changed_at", "type": "timestamp", "source": "changed"},
    ],
    "key": ["order_id"],
    "cursor": "changed_at",
    "rules": [{"name": "amount_positive", "expression": "amount > 0"}],
    "references": [
        {
            "name": "foreign_key_customer_id",
            "columns": ["customer_id"],
            "dataset": "shop.customers",
            "parent_columns": ["customer_id"],
        }
    ],
    "gates": [
        {"name": "not_too_many", "metric": "row_count", "operator": "<=", "threshold": 5},
        {"name": "key_is_unique", "metric": "duplicate_count", "columns": ["order_id"]},
        {"name": "cheap", "metric": "sql", "expression": "SELECT max(amount) FROM {table}", "operator": "<=",
         "threshold": 1000, "severity": "warn"},
    ],
}  # fmt: skip
TOTALS: dict[str, Any] = {
    "columns": [
        {"name": "customer_id", "type": "bigint", "required": True},
        {"name": "total", "type": "decimal(18,2)"},
    ],
    "key": ["customer_id"],
    "partition_by": ["bucket(2, customer_id)"],
    "sort_by": ["customer_id"],
    "sql": "SELECT customer_id, sum(amount) AS total FROM shop_orders GROUP BY customer_id",
    "inputs": ["shop.orders"],
    "gates": [{"name": "few", "metric": "row_count", "operator": "between", "threshold": [0, 3]}],
}
BEST: dict[str, Any] = {
    "columns": [{"name": "customer_id", "type": "bigint", "required": True}, {"name": "name", "type": "string"}],
    "key": ["customer_id"],
    "sql": "SELECT customer_id, name FROM shop_customers JOIN gold_totals USING (customer_id) WHERE total > 9",
    "inputs": ["shop.customers", "gold.totals"],
}
SILVER = ("shop.customers", "shop.orders")
ORDER_COLUMNS = "id string, customer string, amount string, changed string"


Row = Sequence[Any]


class FolderLake(Lake):
    """The same lake with folders for buckets."""

    warehouse: Path

    @classmethod
    def of(cls, data: dict[str, Any], warehouse: Path) -> FolderLake:
        made = cls.from_dict(data)
        assert isinstance(made, FolderLake)
        made.warehouse = warehouse
        return made

    def location(self, dataset: Dataset) -> str:
        return self._folder(self.table(dataset))

    def quarantine_location(self, dataset: Dataset) -> str:
        return self._folder(self.quarantine(dataset))

    def deleted_location(self, dataset: Dataset) -> str:
        return self._folder(self.deleted(dataset))

    def bronze_prefix(self, dataset: Dataset, run: str, attempt: int) -> str:
        return super().bronze_prefix(dataset, run, attempt).replace("s3://", f"file://{self.warehouse}/")

    def _folder(self, table: str) -> str:
        return f"file:{self.warehouse}/{table.removeprefix('lake.').replace('.', '/')}"


class Shop:
    """Jobs over the shop's datasets, one run after another; each call of `run` is a run of its own."""

    def __init__(self, spark: SparkSession, ledger: Ledger, warehouse: Path, name: str) -> None:
        self.spark, self.ledger, self.name, self.warehouse = spark, ledger, name, warehouse
        self.lake = self.with_contracts()
        self.number = 0
        for layer in ("silver", "gold"):
            spark.sql(f"CREATE NAMESPACE lake.{name}_{layer}")

    def folders(self) -> list[Path]:
        """What its tables and its bronze lie in."""
        return sorted(self.warehouse.glob(f"{self.name}_*"))

    def with_contracts(self, **changed: dict[str, Any]) -> FolderLake:
        """The shop's lake; keyword arguments change fields of one dataset's contract: `orders={"gates": []}`."""
        datasets = [
            _dataset(each, {**fields, **changed.get(each.split(".")[1], {})})
            for each, fields in {
                "shop.customers": CUSTOMERS,
                "shop.orders": ORDERS,
                "gold.totals": TOTALS,
                "gold.best": BEST,
            }.items()
        ]
        layers = ("bronze", "silver", "gold")
        environment: dict[str, Any] = {
            "name": "test",
            "account": "1",
            "region": "us-east-1",
            "ledger": "x",
            "topic_arn": "",
        }
        environment |= {"buckets": {each: f"{self.name}_{each}" for each in layers}}
        environment |= {"databases": {each: f"{self.name}_{each}" for each in layers}}
        beside = [asdict(made) for each in datasets if (made := masked(dataset_from_dict(each)))]
        self.lake = FolderLake.of({"environment": environment, "datasets": [*datasets, *beside]}, self.warehouse)
        return self.lake

    def job(self, run: str | None = None, attempt: int = 0, datasets: Sequence[str] = SILVER) -> Job:
        """A run whose plan holds these and all gold; without a name, the next one, an hour after the last."""
        if run is None:
            self.number += 1
            run = f"shop-20260101T{self.number:02}00-01"
        masks = [each for each in self.lake.dataset_ids() if self.lake.dataset(each).masked_of]
        self.ledger.plan(run, attempt, list(datasets), [*masks, "gold.totals", "gold.best"])
        return Job(self.spark, self.lake, self.ledger, RunId.parse(run), attempt)

    def apply(self, job: Job | None = None) -> list[Outcome]:
        job = job or self.job()
        return work(job, "apply", apply.pending(job), apply.apply)

    def load(self, job: Job, dataset: str, rows: Sequence[Row], columns: str, **facts: Any) -> None:
        """Rows in bronze, committed and with their ingest's outcome; `facts` are the load's."""
        made = self.lake.dataset(dataset)
        ingested = bronze.as_ingested(self.spark.createDataFrame(list(rows), columns), str(job.run))
        files, count = bronze.write(ingested, self.lake.bronze_prefix(made, str(job.run), job.attempt))
        self.ledger.commit_load(dataset, Load(str(job.run), job.attempt, tuple(files), count, **facts))
        self.ledger.record(Task(job, "ingest", made).succeeded(read=count))

    def run(self, orders: Sequence[Row], customers: Sequence[str] = (), job: Job | None = None) -> Job:
        """Orders from bronze to silver, and customers where there are any."""
        job = job or self.job(datasets=SILVER if customers else SILVER[1:])
        self.apply(job)
        if customers:
            named = [(each, f"customer {each}") for each in customers]
            self.load(job, "shop.customers", named, "id string, name string")
        self.load(job, "shop.orders", orders, ORDER_COLUMNS)
        self.refine(job)
        return job

    def refine(self, job: Job) -> list[Outcome]:
        return work(job, "refine", refine.pending(job), refine.refine)

    def build(self, job: Job) -> list[Outcome]:
        return model.model_all(job)

    def outcome(self, job: Job, dataset: str = "shop.orders", step: str = "refine") -> Outcome:
        found = [each for each in self.ledger.outcomes(str(job.run)) if (each.dataset, each.step) == (dataset, step)]
        return found[-1]

    def task(self, job: Job, dataset: str) -> Task:
        return Task(job, "refine", self.lake.dataset(dataset))

    def table(self, dataset: str) -> str:
        return self.lake.table(self.lake.dataset(dataset))

    def rows(self, dataset: str, *columns: str) -> list[tuple[Any, ...]]:
        return sorted(tuple(row) for row in self.spark.table(self.table(dataset)).select(*columns).collect())

    def quarantined(self, dataset: str = "shop.orders") -> list[tuple[str, list[str]]]:
        found = self.spark.table(self.lake.quarantine(self.lake.dataset(dataset)))
        return sorted((row["_raw"], row["_rules"]) for row in found.collect())

    def snapshots(self) -> int:
        """How many snapshots all of the shop's tables have."""
        silver = [self.lake.dataset(each) for each in ("shop.customers", "shop.orders")]
        tables = [self.lake.table(each) for each in silver] + [self.lake.quarantine(each) for each in silver]
        tables += [self.table(each) for each in ("gold.totals", "gold.best")]
        return sum(len(list(iceberg.load(self.spark, each).snapshots())) for each in tables)


def _dataset(name: str, fields: dict[str, Any]) -> dict[str, Any]:
    source, _, short = name.partition(".")
    layer = "gold" if source == "gold" else "silver"
    return {
        "id": name, "source": source, "name": short, "layer": layer, "version": "1.0.0", "source_object": short,
        "description": f"The shop's {short}", "hash": str(sorted(fields.items())), **fields,
    }  # fmt: skip


def as_dataset(name: str, **fields: Any) -> Dataset:
    """A dataset of the shop with some of its contract's fields changed, for tests of pure functions."""
    known = {"customers": CUSTOMERS, "orders": ORDERS, "totals": TOTALS, "best": BEST}[name]
    source = "gold" if "sql" in known else "shop"
    lake = FolderLake.from_dict({"environment": {}, "datasets": [_dataset(f"{source}.{name}", known)]})
    return replace(lake.dataset(f"{source}.{name}"), **fields)
