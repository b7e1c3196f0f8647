"""What the first run after a deploy would close, closed at once; and what is left of a mode, a role or a table."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from cli.target import Target


def close(lake: Target) -> list[tuple[str, str]]:
    """Answers each place that is closed now or of a higher class, and each filter that is gone with its table."""
    from contracts.compile import describe, read
    from glue_jobs.governance import Governor

    plan = read(lake.environment, lake.root).plan
    if plan.mode == "iam":  # which has neither tags nor filters
        plan = replace(plan, tables=(), filter_grants=())
    governor = Governor(lake.client("lakeformation"), describe(lake.environment))
    hidden = governor.hide(plan)
    opened = [place for resource in governor.close() for place in resource.values()]
    named = {".".join(each[key] for key in ("DatabaseName", "Name") if key in each) for each in opened}
    removed = governor.filters.narrow(plan)
    return [
        *(("closed", name) for name in sorted(named)),
        *((f"now {value}", place) for value, place in hidden),
        *((f"filter {name}", f"{database}.{table}") for database, table, name in removed),
    ]
