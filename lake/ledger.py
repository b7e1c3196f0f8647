"""The run ledger: what each run planned, did and published, and who may write which table now."""

from __future__ import annotations

from lake.claims import Claims
from lake.forgotten import Forgotten
from lake.history import (
    NotPlannedError as NotPlannedError,
    OutcomeConflictError as OutcomeConflictError,
    RunHistory,
    RunNotFoundError as RunNotFoundError,
)
from lake.leases import (
    Held as Held,
    Lease as Lease,
    LeaseHeldError as LeaseHeldError,
    LeaseLostError as LeaseLostError,
    Leases,
)
from lake.published import (
    IntentConflictError as IntentConflictError,
    LoadConflictError as LoadConflictError,
    PublishedState,
)
from lake.records import (
    Head as Head,
    Intent as Intent,
    Load as Load,
    Outcome as Outcome,
    OutcomeError as OutcomeError,
    Plan as Plan,
    Run as Run,
)


class Ledger(RunHistory, PublishedState, Leases, Claims, Forgotten):
    """One DynamoDB table, written by conditional writes only: `Ledger(environment.ledger)`."""
