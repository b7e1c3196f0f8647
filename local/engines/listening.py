"""Ports of 127.0.0.1 for servers that are started here."""

from __future__ import annotations

import socket

from local.engines.sources import ServerError


class PortTakenError(ServerError):
    """Something else listens at the port that a server was to have."""


def free_port() -> int:
    """A port of 127.0.0.1 that nothing listens at now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def refuse_taken(port: int, server: str) -> None:
    """Raises where something listens at the port already."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError as error:
            raise PortTakenError(
                f"The port '{port}': expected a free one for {server}. End what listens there, or choose another."
            ) from error
