"""What each rule of a dataset expects, in words for who looks at the rows that broke it."""

from __future__ import annotations

from lake.model import Dataset

EITHER_ROW = {
    "key_conflict": "one content for each key and version: these rows contradict another of the same key",
    "append_only": "what was written to stay as it is: the table has another row of this key",
}
EARLIER_EVENT = "the content that arrived first, which stays in the table: a correction has a later {version}"


def expectations(dataset: Dataset) -> dict[str, str]:
    """By rule name; a rule that the contract no longer has is not among them."""
    said = {f"type_{each.name}": f"{each.source} to be a {each.type}" for each in dataset.columns}
    said |= {f"required_{each.name}": f"{each.source} to have a value" for each in dataset.columns}
    for reference in dataset.references:
        keys = ", ".join(reference.parent_columns)
        said[reference.name] = f"{', '.join(reference.columns)} to be among {keys} of {reference.dataset}"
    for rule in dataset.rules:
        said[rule.name] = f"{rule.expression} ({rule.description})" if rule.description else rule.expression
    said |= EITHER_ROW
    if dataset.is_stream:
        said["key_conflict"] = EARLIER_EVENT.format(version=dataset.cursor)
    return said
