"""STS: moto hands out credentials for any role's ARN, deployed or not."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from moto.iam.models import iam_backends
from moto.sts.exceptions import STSClientError

from local.services.seams import patch

if TYPE_CHECKING:
    from local.endpoint import Endpoint

FIDELITY = (
    ("STS", "AssumeRole for deployed roles, caller identity", "moto", "real"),
    ("STS", "the longest duration of a role's sessions", "accepted, not held to", "simulated"),
)


def install(endpoint: Endpoint) -> None:
    assume_role = patch("moto.sts.models:STSBackend.assume_role", lambda *_, **__: None)

    def deployed_roles_only(backend: Any, *positional: Any, **named: Any) -> Any:
        arn = named["role_arn"]
        roles = iam_backends[arn.split(":")[4] or endpoint.account]["aws"].get_roles()
        if all(role.arn != arn for role in roles):
            message = f"The role '{arn}': expected one that is deployed. Deploy the stack that makes it."
            raise STSClientError("AccessDenied", message)
        return assume_role(backend, *positional, **named)

    patch("moto.sts.models:STSBackend.assume_role", deployed_roles_only)
