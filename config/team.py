"""A team: people who query the lake in a workgroup of their own, and how much one of their queries may scan."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

# What an identity provider says of a person, as FIRST.LAST; IAM opens folders by it. See docs/bi.md.
USER_TAG = "user"


@dataclass(frozen=True)
class Team:
    """The people of one workgroup."""

    gigabytes_per_query: int

    @property
    def bytes_per_query(self) -> int:
        return self.gigabytes_per_query * 1024**3


def teams(data: Mapping[str, Mapping[str, Any]]) -> dict[str, Team]:
    """The section `teams` of an environment's file, known to fit its schema."""
    return {name: Team(values["gigabytes_per_query"]) for name, values in data.items()}
