"""The HTTP server: moto's applications behind one listener of 127.0.0.1."""

from __future__ import annotations

import logging
import os
import socket
from collections.abc import Callable, Iterable
from typing import Any

from local.refusals import Refusals


class PortInUseError(Exception):
    """Another process listens at the port."""


def listener(port: int) -> socket.socket:
    """A socket that listens at the port; 0 takes any that is free."""
    ours = socket.socket()
    ours.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        ours.bind(("127.0.0.1", port))
        ours.listen(128)
    except OSError as error:
        ours.close()
        raise PortInUseError(
            f"The port '{port}': expected one that is free ({error.strerror}). "
            "Stop what listens there, or choose another with --port."
        ) from error
    return ours


def configure(port: int, region: str) -> None:
    """moto's own settings: it calls itself at the port, runs state machines, and knows AWS's managed policies."""
    os.environ.update(MOTO_PORT=str(port), AWS_DEFAULT_REGION=region)
    from moto.core.config import default_user_config

    default_user_config["stepfunctions"] = {"execute_state_machine": True}
    default_user_config["lambda"] = {"use_docker": True}  # moto's path to a true invocation, which ours replaces
    default_user_config["iam"] = {"load_aws_managed_policies": True}


def application(middleware: Iterable[Callable[[Any], Any]]) -> Refusals:
    """moto's services, wrapped by what services of ours put before them; refusals are told outermost."""
    from moto.moto_server.werkzeug_app import DomainDispatcherApplication, create_backend_app

    def create_app(service: Any) -> Any:
        if service is None:
            raise NotImplementedError("no such service is known")
        return create_backend_app(service)

    wrapped: Any = DomainDispatcherApplication(create_app)
    for wrap in middleware:
        wrapped = wrap(wrapped)
    return Refusals(wrapped)


def listening_at(listener: socket.socket, application: Any) -> Any:
    from local.connections import Server

    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    return Server(listener, application)
