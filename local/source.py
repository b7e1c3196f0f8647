"""The source databases of the laptop: servers started with the endpoint, filled and changed from any process."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import fields
from pathlib import Path
from typing import TYPE_CHECKING, Any

import config
from local import crm, tickit
from local.engines import h2, mariadb, postgres
from local.engines.listening import free_port
from local.engines.sources import Server

if TYPE_CHECKING:
    from config import Environment
    from local.endpoint import Endpoint

FILE = "sources.json"  # ports and administrators' passwords, for the owner of the laptop only
START: dict[str, Callable[[Path, int], Any]] = {"postgresql": postgres.start, "mysql": mariadb.start, "h2": h2.start}
FIDELITY = (
    ("Source databases", "PostgreSQL: a server with users that only read, by their secrets", "PostgreSQL 18", "real"),
    ("Source databases", "MySQL: a server with users that only read, by their secrets; MySQL's own driver",
     "MariaDB 11.4", "real"),
    ("Source databases", "MySQL: JSON as a type of its own, caching_sha2_password, TLS", "MariaDB has others",
     "simulated"),
    ("Source databases", "SQL Server: mixed case, reserved words, bit, datetime2, money, nvarchar(max), TOP, [x]",
     "H2 2.3 in SQL Server mode", "simulated"),
    ("Source databases", "SQL Server: float comes in single precision, uniqueidentifier as bytes, dates before 1582 "
     "shifted by days", "H2 2.3 in SQL Server mode", "simulated"),
    ("Source databases", "SQL Server: dbo, DATETIMEOFFSET, TRY_CAST, sys.*, TLS", "", "refused"),
)  # fmt: skip
SERVERS: dict[str, Any] = {"postgresql": postgres.Server, "mysql": mariadb.Server, "h2": h2.Server}


class SourceError(Exception):
    """The source databases cannot be reached or filled; its text says why."""


def free_ports(environment: Environment) -> dict[str, int]:
    """A port for each source, the same for those that one server holds."""
    engines = {engine: free_port() for engine in {source.engine for source in environment.sources.values()}}
    return {name: engines[source.engine] for name, source in environment.sources.items()}


def install(endpoint: Endpoint, ports: Mapping[str, int]) -> None:
    """Start a server for each engine with the endpoint, side by side; they end with it."""
    sources = config.load("local").sources
    engines = {sources[name].engine: port for name, port in ports.items()}
    with ThreadPoolExecutor() as pool:
        starting = {engine: pool.submit(START[engine], endpoint.state, port) for engine, port in engines.items()}
    started = {}
    for engine, future in starting.items():
        if future.exception() is None:
            started[engine] = future.result()
            endpoint.on_stop(started[engine].stop)
    for future in starting.values():
        future.result()  # the first that failed, once those that did not are sure to end
    _write(endpoint.state, {name: (sources[name].engine, started[sources[name].engine]) for name in ports})
    endpoint.on_stop(lambda: (endpoint.state / FILE).unlink(missing_ok=True))
    endpoint.publish(source_ports=dict(ports))


def server(state: Path, source: str) -> Server:
    """The administrator's way to the server of a source, whose endpoint has its state in this folder."""
    facts = _facts(state)["sources"]
    if source not in facts:
        raise SourceError(f"The source '{source}': expected one of {', '.join(facts)}. Name one of them.")
    told = dict(facts[source])
    found: Server = SERVERS[told.pop("engine")](**told)
    return found


def fill(state: Path, secrets: Any, environment: Environment, scale: float = 1.0) -> bool:
    """Fill every database at this scale and let each source's deployed secret open it; False if it is filled already.

    `secrets` is a Secrets Manager client. A database follows its secret: no password stands in code or config.
    """
    facts = _facts(state)
    servers = {name: server(state, name) for name in environment.sources}
    filled = facts.get("scale") == scale
    if not filled:
        tickit.load(servers, scale)
        crm.load(servers["crm"], scale)
        _save(state, {**facts, "scale": scale})
    for name, source in environment.sources.items():
        secret = json.loads(secrets.get_secret_value(SecretId=environment.secret(name))["SecretString"])
        servers[name].let_read(source.database, secret["username"], secret["password"])
    return not filled


def _write(state: Path, started: Mapping[str, tuple[str, Any]]) -> None:
    sources = {
        name: {"engine": engine, **{each.name: getattr(found, each.name) for each in fields(SERVERS[engine])}}
        for name, (engine, found) in started.items()
    }
    _save(state, {"sources": sources})


def _save(state: Path, facts: Mapping[str, Any]) -> None:
    unfinished = state / f"{FILE}.{os.getpid()}"
    unfinished.unlink(missing_ok=True)
    # never readable by others, not for a moment
    descriptor = os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w") as file:
        json.dump(facts, file, default=str)
    unfinished.replace(state / FILE)


def _facts(state: Path) -> dict[str, Any]:
    try:
        facts: dict[str, Any] = json.loads((state / FILE).read_text())
    except (FileNotFoundError, ValueError) as error:
        raise SourceError(
            f"The file '{state / FILE}': expected that of a lake that is up. Run `./headwater up`."
        ) from error
    return facts
