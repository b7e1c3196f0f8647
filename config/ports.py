"""Ports of the laptop's embedded sources, as context carries them: `-c source_ports=saas:6001,ecommerce:6002`."""

from __future__ import annotations

from collections.abc import Mapping


class PortsError(ValueError):
    """The text is no list of sources and ports."""


def parse(text: str) -> dict[str, int]:
    """The port of each source."""
    ports = {}
    for part in text.split(","):
        source, _, port = part.partition(":")
        if not (source and port.isdecimal() and 0 < int(port) < 65536):
            raise PortsError(
                f"The source_ports '{text}': expected SOURCE:PORT,… such as saas:6001,ecommerce:6002. "
                "Pass `-c source_ports=` like that."
            )
        ports[source] = int(port)
    return ports


def write(ports: Mapping[str, int]) -> str:
    """The text that `parse` reads."""
    return ",".join(f"{source}:{port}" for source, port in ports.items())
