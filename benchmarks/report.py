"""Write a benchmark's figures into its section of docs/benchmarks.md, with the command and the machine."""

from __future__ import annotations

import os
import platform
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import psutil

PAGE = Path(__file__).parents[1] / "docs" / "benchmarks.md"
BEGIN, END = "<!-- figures: written by the command -->", "<!-- end of figures -->"


def write(name: str, said: str, figures: Mapping[str, Any], page: Path = PAGE) -> None:
    """The figures replace those of an earlier run; what people wrote around them stays."""
    heading = f"## `./headwater bench {name}`"
    text = page.read_text()
    block = "\n".join([BEGIN, *_block(name, figures), END])
    if f"{heading}\n" not in text:
        page.write_text(f"{text.rstrip()}\n\n{heading}\n\n{said.strip()}\n\n{block}\n")
        return
    before, _, rest = text.partition(f"{heading}\n")
    section, rest = _section(rest)
    if BEGIN in section:
        head, _, tail = section.partition(BEGIN)
        section = f"{head}{block}{tail.partition(END)[2]}"
    else:
        section = f"{section.rstrip()}\n\n{block}\n" + ("\n" if rest else "")
    page.write_text(f"{before}{heading}\n{section}{rest}")


def machine() -> str:
    """What the figures were measured on, and how busy it was with other work."""
    memory = round(psutil.virtual_memory().total / 2**30)
    system = f"{platform.system()} {platform.machine()}, Python {platform.python_version()}"
    busy = os.getloadavg()[0]
    return f"{_processor()}, {os.cpu_count()} cores, {memory} GiB, {system}, load average {busy:.1f} at the end"


def shown(value: Any) -> str:
    if isinstance(value, float):
        return f"{value:,.3f}" if abs(value) < 10 else f"{value:,.1f}"
    return f"{value:,}" if isinstance(value, int) else str(value)


def _block(name: str, figures: Mapping[str, Any]) -> list[str]:
    rows = [f"| `{figure}` | {shown(value)} |" for figure, value in figures.items()]
    said = f"`./headwater bench {name}` on {datetime.now(UTC):%Y-%m-%d}: {machine()}."
    return [said, "", "| figure | value |", "|---|---|", *rows]


def _section(text: str) -> tuple[str, str]:
    """What comes before the next heading, and the rest from there."""
    place = text.find("\n## ")
    return (text, "") if place < 0 else (text[: place + 1], text[place + 1 :])


def _processor() -> str:
    described = Path("/proc/cpuinfo")
    lines = described.read_text().splitlines() if described.exists() else []
    named = (line.partition(":")[2].strip() for line in lines if line.startswith("model name"))
    return next(named, platform.processor() or "unknown processor")
