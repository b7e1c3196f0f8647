"""Lake Formation's calls: tried again where two changes met, read to the last page, and refusals raised."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from glue_jobs.failures import TransientError
from lake.environment import Environment

AT_ONCE = 20  # grants of one call
TRIES, PAUSE = 6, 0.5  # of a change that came at the same time as another

Said = dict[str, Any]
Granted = tuple[str, Said, list[str]]  # principal, resource, permissions


class GovernanceFailedError(TransientError):
    """Lake Formation did not take a tag, a filter or a grant; what it was for stays closed."""


class Formation:
    """Lake Formation as one client has it."""

    def __init__(self, client: Any) -> None:
        self._client = client
        self.absent: type[Exception] = client.exceptions.EntityNotFoundException

    def call(self, operation: str, **arguments: Any) -> Said:
        """Changes that come at once are refused; the datasets of a run are worked at once."""
        call, busy = getattr(self._client, operation), self._client.exceptions.ConcurrentModificationException
        for number in range(TRIES - 1):
            try:
                answer: Said = call(**arguments)
                return answer
            except busy:
                time.sleep(PAUSE * 2**number)
        last: Said = call(**arguments)
        return last

    def pages(self, operation: str, listed: str, **arguments: Any) -> Iterator[Said]:
        token: Said = {}
        while True:
            answer = self.call(operation, **arguments, **token)
            yield from answer.get(listed, [])
            if not answer.get("NextToken"):
                return
            token = {"NextToken": answer["NextToken"]}

    def granted(self, **asked: Any) -> Iterator[Granted]:
        """Grants on a resource, or all of the account's, as they were given.

        Never asked for by a principal: of a principal and a resource Lake Formation answers what is effective, which
        of `IAM_ALLOWED_PRINCIPALS`, who never calls, need not be what was given.
        """
        for each in self.pages("list_permissions", "PrincipalResourcePermissions", **asked):
            yield each["Principal"]["DataLakePrincipalIdentifier"], each["Resource"], each["Permissions"]

    def change(self, operation: str, grants: Iterable[Granted]) -> list[Said]:
        """Grant or revoke; answers what was not done."""
        entries = [
            {
                "Id": str(number),
                "Principal": {"DataLakePrincipalIdentifier": principal},
                "Resource": resource,
                "Permissions": permissions,
            }
            for number, (principal, resource, permissions) in enumerate(grants)
        ]
        starts = range(0, len(entries), AT_ONCE)
        answers = [self.call(operation, Entries=entries[start : start + AT_ONCE]) for start in starts]
        return [failure for answer in answers for failure in answer.get("Failures", ())]


def place_of(environment: Environment, database: str, table: str) -> Said:
    """A table as a resource."""
    return {"Table": {"CatalogId": environment.account, "DatabaseName": database, "Name": table}}


def check(failures: Iterable[Mapping[str, Any]]) -> None:
    """Calls for many things answer with what they did not do."""
    if told := [each.get("Error", {}) for each in failures]:
        raise GovernanceFailedError(
            f"Lake Formation refused {len(told)} of the lake's tags or grants:"
            f" {told[0].get('ErrorCode')}: {told[0].get('ErrorMessage')}.",
            "What they were to show stays hidden. Redrive; if it is refused again, see `Governance` in the runbook.",
        )
