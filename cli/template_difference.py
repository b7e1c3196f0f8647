"""What a change does to the deployed lake, from the templates of base and head alone: no account is asked.

`python -m cli.template_difference BASE HEAD` prints Markdown; each folder holds the app synthesized once or, below it,
once for each environment.
"""

from __future__ import annotations

import json
import re
import sys
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cli.template_risks import deletes_data, replaces, widened

Resource = dict[str, Any]
Templates = dict[str, dict[str, Resource]]

LONGEST_COMMENT = 60_000  # GitHub refuses comments of more than 65,536 characters
MOST_PLACES = 6
_ASSET = re.compile(r"\b[0-9a-f]{64}\b")


class TemplateFolderError(ValueError):
    """A folder that holds no synthesized templates."""


@dataclass(frozen=True)
class Change:
    """One resource that differs: `kind` is added, removed, replaced or changed."""

    stack: str
    logical_id: str
    type: str
    kind: str
    paths: tuple[str, ...]
    risks: tuple[str, ...]


def load(folder: Path) -> Templates:
    """The resources of each template below the folder, without what differs between machines and builds."""
    found = sorted(folder.rglob("*.template.json"))
    if not found:
        raise TemplateFolderError(f"The folder '{folder}': expected *.template.json in it. Synthesize the app there.")
    return {str(path.relative_to(folder)).removesuffix(".template.json"): _resources(path) for path in found}


def _resources(path: Path) -> dict[str, Resource]:
    template = json.loads(_ASSET.sub("ASSET", path.read_text()))
    resources: dict[str, Resource] = template.get("Resources", {})
    return {
        name: {key: value for key, value in resource.items() if key != "Metadata"}
        for name, resource in resources.items()
        if resource["Type"] != "AWS::CDK::Metadata"
    }


def compare(base: Templates, head: Templates) -> list[Change]:
    """Every resource that differs, in the order of stacks and names."""
    changes = []
    for stack in sorted({*base, *head}):
        before, after = base.get(stack, {}), head.get(stack, {})
        for name in sorted({*before, *after}):
            if before.get(name) != after.get(name):
                changes.append(_change(stack, name, before.get(name), after.get(name)))
    return changes


def _change(stack: str, name: str, before: Resource | None, after: Resource | None) -> Change:
    present = after or before or {}
    paths = tuple(_paths(before or {}, after or {})) if before and after else ()
    if not (before and after):
        kind = "removed" if before else "added"
    else:
        kind = "replaced" if replaces(before, after, paths) else "changed"
    risks = (*deletes_data(before, after, kind), *widened(before, after))
    return Change(stack, name, present["Type"], kind, paths, risks)


def _paths(before: Any, after: Any, path: str = "") -> Iterator[str]:
    """Where two values differ, such as `Properties.Timeout`; lists count as one place."""
    if isinstance(before, Mapping) and isinstance(after, Mapping):
        for key in sorted({*before, *after}):
            if before.get(key) != after.get(key):
                yield from _paths(before.get(key), after.get(key), f"{path}.{key}" if path else key)
    elif before != after:
        yield path


def markdown(changes: list[Change]) -> str:
    """The changes as a comment on a pull request, what needs a look first at its top."""
    if not changes:
        return "### Templates\n\nNo resource differs.\n"
    kinds = Counter(change.kind for change in changes)
    lines = ["### Templates", "", ", ".join(f"{count} {kind}" for kind, count in sorted(kinds.items())) + ".", ""]
    risky = [(risk, change) for change in changes for risk in change.risks]
    risky.sort(key=lambda each: each[0].startswith("Allows"))  # data that goes before permissions that widen
    if risky:
        lines += ["**Look at these first**", ""]
        lines += [f"- {risk} (`{change.stack}` {change.type} `{change.logical_id}`)" for risk, change in risky] + [""]
    for stack in dict.fromkeys(change.stack for change in changes):
        lines += [f"**{stack}**", "", "| | resource | type | where |", "|---|---|---|---|"]
        lines += [_row(change) for change in changes if change.stack == stack] + [""]
    return _shortened("\n".join(lines))


def _row(change: Change) -> str:
    places = [path.removeprefix("Properties.") for path in change.paths]
    where = ", ".join(f"`{place}`" for place in places[:MOST_PLACES])
    where += f" and {len(places) - MOST_PLACES} more" if len(places) > MOST_PLACES else ""
    return f"| {change.kind} | `{change.logical_id}` | {change.type} | {where} |"


def _shortened(text: str) -> str:
    if len(text) <= LONGEST_COMMENT:
        return text
    return text[:LONGEST_COMMENT].rsplit("\n", 1)[0] + "\n\nThe rest is left out: it is too long for a comment.\n"


def main(arguments: list[str]) -> int:
    if len(arguments) != 2:
        print("usage: python -m cli.template_difference BASE HEAD", file=sys.stderr)
        return 2
    try:
        base, head = (load(Path(folder)) for folder in arguments)
    except TemplateFolderError as error:
        print(error, file=sys.stderr)
        return 1
    print(markdown(compare(base, head)))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
