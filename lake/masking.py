"""The masked table of a dataset: its columns as the contract lets others see them, and nothing that tells more."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace

from lake.parts import Column, Dataset, Mask

SUFFIX = "__masked"
MASKING_KEY = "governance/masking"  # the secret's name; the slash keeps it apart from those of sources
TEXT = 255  # characters of a comment that Glue takes
OMIT, NULL, HASH, TRUNCATE, GENERALISE = "omit", "null", "hash", "truncate", "generalise"


def masked(dataset: Dataset) -> Dataset | None:
    """The dataset beside it that its masks make; None where no column has one.

    Neither its version nor its hash are those of the rows that it shows: both would tell of what is masked.
    """
    if not any(column.mask for column in dataset.columns):
        return None
    columns = tuple(_column(each) for each in dataset.columns if each.mask is None or each.mask.how != OMIT)
    same = {each.name for each in columns for was in dataset.columns if was.name == each.name and was.type == each.type}
    return replace(
        dataset,
        id=f"{dataset.id}{SUFFIX}",
        name=f"{dataset.name}{SUFFIX}",
        description=f"Masked: {dataset.description}",
        columns=columns,
        source_object="",
        cursor=None,
        load_mode="full",
        lookback_hours=0.0,
        deletes=False,
        partition_by=tuple(each for each in dataset.partition_by if same.issuperset(_named(each) & _names(dataset))),
        sort_by=tuple(each for each in dataset.sort_by if each.partition(" ")[0] in _names(dataset, columns)),
        rules=(),
        references=(),
        gates=dataset.masked_gates,
        masked_gates=(),
        inputs=(dataset.id,),
        subject=None,
        masked_of=dataset.id,
    )


def with_masked(datasets: Mapping[str, Dataset]) -> dict[str, Dataset]:
    """Contracts' datasets by id, and the masked ones beside them."""
    beside = [made for each in datasets.values() if (made := masked(each))]
    return {**datasets, **{each.id: each for each in beside}}


def shown_as(type_: str, mask: Mask) -> str:
    """The type of a column that is masked so."""
    return "string" if mask.how == HASH else type_


def _column(column: Column) -> Column:
    mask = column.mask
    if mask is None:
        return replace(column, source=column.name)
    return replace(
        column,
        source=column.name,
        type=shown_as(column.type, mask),
        required=column.required and mask.how != NULL,
        classification=mask.classification,
        description=_clipped(f"{_told(column.type, mask)} {column.description}"),
    )


def _told(type_: str, mask: Mask) -> str:
    """What a reader has to know of the values."""
    if mask.how == HASH:
        alike = (
            f"alike wherever it is masked as {mask.domain}" if "/" not in mask.domain else "alike in this column alone"
        )
        return f"A hash under a secret key, {alike}."
    if mask.how == TRUNCATE:
        return f"Cut to its first {mask.to} characters." if type_ == "string" else f"Down to a multiple of {mask.to}."
    return "Null." if mask.how == NULL else f"Made coarse: {mask.to}."


def _clipped(text: str) -> str:
    return text if len(text) <= TEXT else f"{text[: TEXT - 2]} …"


def _named(transform: str) -> set[str]:
    return set(re.findall(r"\w+", transform))


def _names(dataset: Dataset, columns: tuple[Column, ...] = ()) -> set[str]:
    return {each.name for each in columns or dataset.columns}
