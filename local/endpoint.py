"""The endpoint: every AWS API of the laptop at one port of 127.0.0.1, in one process."""

from __future__ import annotations

import argparse
import importlib
import logging
import os
import signal
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

from config import ports
from local import server
from local.calls import Calls
from local.children import Children
from local.clock import Clock
from local.own_calls import own_client
from local.services import iam_services
from local.state_file import StateFile, alive

ACCOUNT = "123456789012"
REGION = "us-east-1"
WATCH_SECONDS = 2.0
SERVICES = (
    "unchanged", "s3", "dynamodb", "sts", "iam", "cloudwatch", "budgets", "changes", "cloudformation", "lambda_",
    "kinesis", "event_sources", "faults", "apigateway", "events", "scheduler", "stepfunctions", "glue",
    "glue_crawlers", "lakeformation", "athena",
)  # fmt: skip


class Endpoint:
    """moto's server with our services plugged in: `endpoint = start(4566, state=folder)`, `endpoint.stop()`.

    `cold`: every Glue job run gets a JVM of its own. `warm_up`: start slow engines now instead of at their first use.
    """

    def __init__(self, port: int, state: Path, *, cold: bool = False, warm_up: bool = False) -> None:
        self._listener = server.listener(port)
        self.port: int = self._listener.getsockname()[1]
        self.url = f"http://127.0.0.1:{self.port}"
        self.account, self.region = ACCOUNT, REGION
        self.state = state.resolve()
        self.cold, self.warm_up = cold, warm_up
        self.children = Children()
        self.stopping = threading.Event()
        self.clock = Clock()
        self.pages: dict[str, Callable[[dict[str, str]], dict[str, Any]]] = {}  # GET /_headwater/NAME of services
        self.middleware: list[Callable[[Any], Any]] = []  # WSGI wrappers that services add while they are installed
        self.authority: Any = None  # who may do what, once the service `iam` is installed
        self._on_stop: list[Callable[[], None]] = []
        self._on_ready: list[Callable[[], None]] = []
        self._facts: dict[str, Any] = {"pid": os.getpid(), "port": self.port, "url": self.url, "region": self.region}
        self._server: Any = None
        self._stopped = False
        self.state.mkdir(mode=0o700, parents=True, exist_ok=True)  # logs can hold rows
        self._file = StateFile(self.state)

    def on_stop(self, do: Callable[[], None]) -> None:
        """Call this when the endpoint stops; the last registered is called first."""
        self._on_stop.append(do)

    def on_ready(self, do: Callable[[], None]) -> None:
        """Call this in a thread of its own once the endpoint answers."""
        self._on_ready.append(do)

    def background(self, work: Callable[[], None], name: str) -> threading.Thread:
        """Run the work in a daemon thread; work that loops ends when `endpoint.stopping` is set."""
        thread = threading.Thread(target=work, name=name, daemon=True)
        thread.start()
        return thread

    def publish(self, **facts: Any) -> None:
        """Add facts to the state file, which other processes read: `endpoint.publish(source_ports={"saas": 5433})`."""
        self._facts.update(facts)
        if self._server is not None:
            self._file.write(self._facts)

    def client(self, service: str) -> Any:
        """A boto3 client with the endpoint's own credentials; one for each service, safe to share between threads."""
        return own_client(self.url, service)

    def credentials_for(self, role_arn: str, session_name: str, service: str, source: str = "") -> dict[str, str]:
        """Fresh credentials of a role that trusts the service, as environment variables; `source` is whom it is for."""
        iam_services.check(role_arn, service, self.region, source)
        issued = self.client("sts").assume_role(RoleArn=role_arn, RoleSessionName=session_name[:64])["Credentials"]
        return {
            "AWS_ACCESS_KEY_ID": issued["AccessKeyId"],
            "AWS_SECRET_ACCESS_KEY": issued["SecretAccessKey"],
            "AWS_SESSION_TOKEN": issued["SessionToken"],
        }

    def child_environment(self, role_arn: str, session_name: str, service: str) -> dict[str, str]:
        """The environment of a child process that works with a role's credentials against this endpoint."""
        ours = {name: value for name, value in os.environ.items() if not name.startswith(("AWS_", "MOTO_", "PYTHON"))}
        return {
            **ours,
            **self.credentials_for(role_arn, session_name, service),
            "AWS_ENDPOINT_URL": self.url,
            "AWS_REGION": self.region,
            "AWS_DEFAULT_REGION": self.region,
            "AWS_EC2_METADATA_DISABLED": "true",
        }

    def serve(self) -> None:
        """Install the services, answer calls in a thread, and write the state file: from here on we are ready."""
        server.configure(self.port, self.region)
        for name in SERVICES:
            importlib.import_module(f"local.services.{name}").install(self)
        application = server.application(self.middleware)
        self.calls = Calls(application, self)
        self._server = server.listening_at(self._listener, self.calls)
        self.background(self._server.serve_forever, "server")
        self._file.write(self._facts)
        for do in self._on_ready:
            self.background(do, "warm-up")

    def wait(self, parent: int | None = None) -> None:
        """Until someone asks us to stop, our state file is not ours any more, or the parent is gone."""
        while not self.stopping.wait(WATCH_SECONDS):
            if not self._file.is_ours() or (parent is not None and not alive(parent)):
                break

    def stop(self) -> None:
        """End what was started, last first: services, children, the server. A second call does nothing."""
        if self._stopped:
            return
        self._stopped = True
        self.stopping.set()
        self.clock.close()
        for do in reversed(self._on_stop):
            try:
                do()
            except Exception:  # one that fails must not keep the others alive
                logging.getLogger(__name__).exception("While stopping")
        self.children.stop()
        if self._server is not None:
            self._server.shutdown()
            self._server.server_close()
        self._listener.close()
        self._file.remove()


def start(port: int, *, state: Path, cold: bool = False, warm_up: bool = False) -> Endpoint:
    """An endpoint in this process, ready to answer."""
    endpoint = Endpoint(port, state, cold=cold, warm_up=warm_up)
    endpoint.serve()
    return endpoint


def main(argv: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="python -m local.endpoint", description=__doc__)
    parser.add_argument("--port", type=int, default=4566, help="0 takes any that is free (default 4566)")
    parser.add_argument("--state", type=Path, default=Path(".headwater"), help="folder of the state file and logs")
    parser.add_argument("--cold", action="store_true", help="give every Glue job run a JVM of its own, as Glue does")
    parser.add_argument("--lazy", action="store_true", help="start slow engines at their first use instead of now")
    parser.add_argument("--source-ports", help="start the source databases too, at these ports: saas:6001,…")
    parser.add_argument("--parent-pid", type=int, help="stop when this process is gone")
    options = parser.parse_args(argv)
    try:
        endpoint = Endpoint(options.port, options.state, cold=options.cold, warm_up=not options.lazy)
    except server.PortInUseError as error:
        print(error, file=sys.stderr)
        return 1
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        signal.signal(number, lambda *_: endpoint.stopping.set())
    try:
        if options.source_ports:
            from local import source  # its drivers are slow to import, and few endpoints have sources

            source.install(endpoint, ports.parse(options.source_ports))
        endpoint.serve()
        print(f"The endpoint is ready at {endpoint.url}", flush=True)
        endpoint.wait(options.parent_pid)
    finally:
        endpoint.stop()
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
