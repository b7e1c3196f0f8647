"""A lake of many datasets: the shipped one, grown by generated contracts and pipelines."""

from __future__ import annotations

import shutil
from pathlib import Path

import contracts
import pipelines

SOURCES = ("saas", "ecommerce")  # every environment has them
KINDS = ("int", "bigint", "string", '"decimal(10,2)"', "date", "timestamp", "boolean", "double")
WIDTH = 12


def make(folder: Path, datasets: int = 1000, pipelines_wanted: int = 20) -> Path:
    """Writes contracts, models and pipelines into a folder, and returns it: a root for `-c lake_root=FOLDER`."""
    for part in ("contracts", "models", "pipelines"):
        for path in (contracts.ROOT / part).rglob("*"):
            if path.suffix in (".yaml", ".sql"):
                target = folder / path.relative_to(contracts.ROOT)
                target.parent.mkdir(parents=True, exist_ok=True)
                shutil.copyfile(path, target)
    more = [_dataset(folder, number) for number in range(datasets - len(contracts.ids()))]
    groups = pipelines_wanted - len(pipelines.names())
    for group in range(groups):
        listed = ", ".join(more[group::groups])
        text = f"datasets: [{listed}]\nschedule: cron(0 {group % 24} * * ? *)\n"
        text += "interval_hours: 24\nsla_minutes: 120\nowner: data-platform\n"
        (folder / "pipelines" / f"generated_{group:02}.yaml").write_text(text)
    return folder


def _dataset(folder: Path, number: int) -> str:
    source, name = SOURCES[number % len(SOURCES)], f"generated_{number:04}"
    (folder / "contracts" / source / f"{name}.odcs.yaml").write_text(_contract(source, name, number))
    return f"{source}.{name}"


def _contract(source: str, name: str, number: int) -> str:
    columns = [_column(name, "id", "int", key=True), _column(name, "user_id", "int", parent="saas_users.user_id")]
    columns += [_column(name, f"value_{place}", KINDS[(number + place) % len(KINDS)]) for place in range(WIDTH - 2)]
    return f"""\
apiVersion: v3.1.0
kind: DataContract
id: urn:headwater:{source}:{name}
name: Generated {number}
version: 1.0.0
status: active
description: {{ purpose: One row for each measurement of series {number}. }}
team: {{ name: data-platform }}
slaProperties:
  - {{ property: freshness, value: 26, unit: h }}
  - {{ property: retention, value: 5, unit: y }}
customProperties:
  - {{ property: loadMode, value: full }}
schema:
  - name: {name}
    physicalType: table
    properties:
{"".join(columns)}    quality:
      - {{ name: some_rows, metric: rowCount, mustBeGreaterThan: 0 }}
      - name: id_above_{number}
        type: custom
        engine: spark
        implementation: id >= {number} AND user_id <> 0
"""


def _column(table: str, name: str, type_: str, *, key: bool = False, parent: str = "") -> str:
    lines = [f"id: {name}", f"name: {name}", f"physicalType: {type_}", "classification: internal"]
    lines += ["required: true", "primaryKey: true"] if key else []
    lines += [f"relationships: [{{ to: {parent} }}]"] if parent else []
    lines += [f"transformSourceObjects: [{table}.{name}]", f"description: The column {name}."]
    return "      - " + "\n        ".join(lines) + "\n"
