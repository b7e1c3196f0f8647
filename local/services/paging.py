"""Listings by the page: a token is the number of the first entry of the next page."""

from __future__ import annotations

from typing import Any


def paged(response: Any, listed: str, found: list[Any], usual: int) -> dict[str, Any]:
    """A page of what is listed, of `usual` entries unless the request says how many, and where the next one begins."""
    start, size = int(response._get_param("NextToken") or 0), int(response._get_param("MaxResults") or usual)
    answer: dict[str, Any] = {listed: found[start : start + size]}
    if start + size < len(found):
        answer["NextToken"] = str(start + size)
    return answer
