"""Which errors are a user's to mend, and the sentence that says so."""

from __future__ import annotations


class CommandError(Exception):
    """A command cannot be done as it was asked; its text says what to do instead."""


def said(error: Exception) -> str | None:
    """The sentence for an error that a user can act on, None for one that is ours."""
    # Each of these packages raises its own errors as full sentences (docs/style: value, what was expected, what to do).
    ours = ("cli.", "config", "contracts", "pipelines", "lake.", "local.", "datalake.")
    if type(error).__module__.startswith(ours):
        sentence = str(error)
    elif type(error).__module__.startswith("botocore"):
        sentence = _aws(error)
    else:
        return None
    return "\n".join((sentence, *getattr(error, "__notes__", ())))


def _aws(error: Exception) -> str:
    name = type(error).__name__
    if name in ("NoCredentialsError", "PartialCredentialsError", "TokenRetrievalError", "UnauthorizedSSOTokenError"):
        return f"{error}: expected credentials for the environment's account. Log in, or use --env local."
    if name == "EndpointConnectionError":
        return f"{error}. If this is the laptop's lake, run `./headwater up`."
    return f"AWS refused the call: {error}"
