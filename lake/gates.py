"""What a gate answered, as the ledger keeps it, in words for people."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any


def told(gate: Mapping[str, Any]) -> str:
    """`'few_refunds' is 7, expected <= 5`, or why it has no value."""
    if gate.get("problem"):
        return f"'{gate['name']}' {gate['problem']}"
    expected = f", expected {gate['expected']}" if gate.get("expected") else ""
    return f"'{gate['name']}' is {gate['value']}{expected}"


def not_met(gates: Iterable[Mapping[str, Any]], severity: str) -> list[Mapping[str, Any]]:
    return [each for each in gates if not each["passed"] and each["severity"] == severity]
