"""What the endpoint does really, what it simulates, what it refuses, gathered from the code for docs/fidelity.md."""

from __future__ import annotations

import importlib
import pkgutil
import sys
from collections.abc import Iterator
from pathlib import Path

import local.services

PAGE = Path(__file__).parents[1] / "docs" / "fidelity.md"
LEVELS = ("real", "simulated", "refused")


def rows() -> list[tuple[str, str, str, str]]:
    """The FIDELITY of the sources and of every module of local/services: service, what, engine, level."""
    found = []
    names = (f"local.services.{module.name}" for module in pkgutil.iter_modules(local.services.__path__))
    for name in ("local.source", *names):
        rows = getattr(importlib.import_module(name), "FIDELITY", ())
        found += [(str(service), str(what), str(engine), str(level)) for service, what, engine, level in rows]
    return sorted(found, key=lambda row: (row[0].lower(), LEVELS.index(row[3])))


def services_table() -> Iterator[str]:
    yield "| service | what | engine | |"
    yield "|---|---|---|---|"
    for row in rows():
        yield "| " + " | ".join(cell.replace("|", r"\|") for cell in row) + " |"


def types_table() -> Iterator[str]:
    from local.services.cloudformation import registry

    yield "| resource type | properties | accepted without effect |"
    yield "|---|---|---|"
    for name, known in sorted(registry.SUPPORTED.items()):
        ignored = "; ".join(f"{each}: {why}" for each, why in sorted(known.ignored.items()))
        yield f"| {name} | {', '.join(sorted(known.known))} | {ignored} |"


def sql_table() -> Iterator[str]:
    """What Athena's SQL has on the laptop: each name has a conformance case; of Trino's other functions the names."""
    from local.engines.athena_documented import DOCUMENTED
    from local.engines.athena_functions import FUNCTIONS
    from local.engines.athena_sql import allowed

    other = allowed() - set(FUNCTIONS)
    groups = {
        "functions": set(FUNCTIONS),
        "casts": {name.removeprefix("cast ") for name in other if name.startswith("cast ")},
        "types compared": {name.removeprefix("compare ") for name in other if name.startswith("compare ")},
        "operators": {name for name in other if " " in name and not name.startswith(("cast ", "compare ", "IS "))},
        "refused functions": DOCUMENTED - set(FUNCTIONS),
    }
    yield "| | |"
    yield "|---|---|"
    for title, names in groups.items():
        yield f"| {title} ({len(names)}) | {', '.join(sorted(names)).replace('|', chr(92) + '|')} |"


def page(text: str) -> str:
    """A page with the tables put between their marks; what is written around them is left alone."""
    for mark, lines in (("services", services_table()), ("sql", sql_table()), ("types", types_table())):
        begin, end = f"<!-- {mark}: from the code -->\n", f"<!-- end of {mark} -->"
        before, _, rest = text.partition(begin)
        _, _, after = rest.partition(end)
        text = before + begin + "\n" + "\n".join(lines) + "\n\n" + end + after
    return text


if __name__ == "__main__":
    PAGE.write_text(page(PAGE.read_text()))
    print(f"Wrote {PAGE}", file=sys.stderr)
