"""The source databases of the laptop: a server started with the endpoint, filled and changed from any process."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from local import tickit
from local.engines import postgres
from local.engines.postgres import free_port

if TYPE_CHECKING:
    from config import Environment
    from local.endpoint import Endpoint

PASSFILE = "pgpass"  # as libpq reads it: PGPASSFILE=.headwater/pgpass psql -h 127.0.0.1 -U postgres …
SCALE_MARK = "headwater_source"


class SourceError(Exception):
    """The source databases cannot be reached or filled; its text says why."""


def free_ports(environment: Environment) -> dict[str, int]:
    """A port for each source, the same for those that one server holds."""
    engines = {engine: free_port() for engine in {source.engine for source in environment.sources.values()}}
    return {name: engines[source.engine] for name, source in environment.sources.items()}


def install(endpoint: Endpoint, ports: Mapping[str, int]) -> None:
    """Start the server with the endpoint; it ends with it."""
    server = postgres.start(endpoint.state, ports["saas"])
    endpoint.on_stop(server.stop)
    passfile = endpoint.state / PASSFILE
    passfile.unlink(missing_ok=True)
    descriptor = os.open(
        passfile, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600
    )  # never readable by others, not for a moment
    with os.fdopen(descriptor, "w") as file:
        file.write(server.passfile())
    endpoint.on_stop(lambda: passfile.unlink(missing_ok=True))
    endpoint.publish(source_ports=dict(ports))


def server(state: Path) -> postgres.Server:
    """The administrator's way to the server whose endpoint has its state in this folder."""
    try:
        _, port, _, _, password = (state / PASSFILE).read_text().strip().split(":")
    except (FileNotFoundError, ValueError) as error:
        raise SourceError(
            f"The file '{state / PASSFILE}': expected that of a lake that is up. Run `./headwater up`."
        ) from error
    return postgres.Server(int(port), password)


def fill(admin: postgres.Server, secrets: Any, environment: Environment, scale: float = 1.0) -> bool:
    """Fill every database at this scale and let each source's deployed secret open it; False if it is filled already.

    `secrets` is a Secrets Manager client. A database follows its secret: no password stands in code or config.
    """
    filled = _scale(admin) == scale
    if not filled:
        tickit.load(admin, scale)
        _mark(admin, scale)
    for name, source in environment.sources.items():
        secret = json.loads(secrets.get_secret_value(SecretId=environment.secret(name))["SecretString"])
        admin.let_read(source.database, secret["username"], secret["password"])
    return not filled


def _scale(admin: postgres.Server) -> float | None:
    with admin.connect() as connection:
        if connection.execute("SELECT to_regclass(%s)", (SCALE_MARK,)).fetchone() == (None,):
            return None
        found = connection.execute(f"SELECT scale FROM {SCALE_MARK}").fetchone()
        return float(found[0]) if found else None


def _mark(admin: postgres.Server, scale: float) -> None:
    with admin.connect() as connection:
        connection.execute(f"DROP TABLE IF EXISTS {SCALE_MARK}")
        connection.execute(f"CREATE TABLE {SCALE_MARK} AS SELECT {scale}::float8 AS scale")
