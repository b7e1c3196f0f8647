"""Register each dataset's rules with AWS Glue Data Quality, so that its console and runs know them too."""

from __future__ import annotations

from typing import Any

from glue_jobs.dqdl import ruleset
from lake.model import Dataset, Lake


def register(glue: Any, lake: Lake, dataset: Dataset) -> None:
    """The dataset's ruleset is what its contract says; one that is already is not written again."""
    name = lake.ruleset(dataset)
    said = {"Description": f"Contract {dataset.id} {dataset.version}", "Ruleset": ruleset(dataset, lake)}
    try:
        held = glue.get_data_quality_ruleset(Name=name)
    except glue.exceptions.EntityNotFoundException:
        target = {"DatabaseName": lake.environment.databases[dataset.layer], "TableName": dataset.table}
        glue.create_data_quality_ruleset(Name=name, TargetTable=target, **said)
    else:
        if {each: held.get(each) for each in said} != said:
            glue.update_data_quality_ruleset(Name=name, **said)
