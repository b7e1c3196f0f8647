"""Faults on request, for tests and benchmarks: what AWS does now and then, done here as often as is asked.

`GET /_headwater/faults?s3_put=0.02&put_records=0.05&seed=1` lets that part of S3's object puts fail with SlowDown, and
that part of PutRecords' records with InternalFailure; `?kill=FUNCTION` kills a worker of the function that is at work.
Each answer says what is set and how often it struck.
"""

from __future__ import annotations

import contextlib
import os
import random
import signal
import threading
from collections import Counter
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

import psutil

if TYPE_CHECKING:
    from local.endpoint import Endpoint

FIDELITY = (("the laptop", "faults on request: S3 puts, PutRecords' records, killed functions", "ours", "simulated"),)

KINDS = ("s3_put", "put_records")
SLOW_DOWN = b"<Error><Code>SlowDown</Code><Message>Please reduce your request rate.</Message></Error>"


class Faults:
    """How often each kind of fault strikes; never, until it is asked for."""

    def __init__(self) -> None:
        self._often: dict[str, float] = {}
        self._struck: Counter[str] = Counter()
        self._random = random.Random(0)
        self._lock = threading.Lock()

    def strikes(self, kind: str) -> bool:
        often = self._often.get(kind)
        if not often:
            return False
        with self._lock:
            struck = self._random.random() < often
            self._struck[kind] += struck
        return struck

    def answer(self, asked: dict[str, str]) -> dict[str, Any]:
        with self._lock:
            if "seed" in asked:
                self._random.seed(int(asked["seed"]))
            self._often |= {kind: float(asked[kind]) for kind in KINDS if kind in asked}
        if "kill" in asked:
            killed = kill(asked["kill"])
            with self._lock:
                self._struck["kill"] += killed
        return {"often": self._often, "struck": dict(self._struck)}

    def before_s3(self, application: Any) -> Any:
        """Refuses some of the puts of objects before S3 sees them."""

        def answer(environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
            if puts_object(environ) and self.strikes("s3_put"):
                environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0))
                length = ("Content-Length", str(len(SLOW_DOWN)))
                start_response("503 Slow Down", [("Content-Type", "application/xml"), length])
                return [SLOW_DOWN]
            found: Iterable[bytes] = application(environ, start_response)
            return found

        return answer


def puts_object(environ: dict[str, Any]) -> bool:
    signed_for_s3 = "/s3/aws4_request" in environ.get("HTTP_AUTHORIZATION", "")
    return environ["REQUEST_METHOD"] == "PUT" and signed_for_s3 and environ["PATH_INFO"].strip("/").count("/") > 0


def kill(function: str) -> int:
    """Kill one worker process of a function, one that works if there is such; how many there were to kill."""
    workers = []
    for each in psutil.Process(os.getpid()).children(recursive=True):
        with contextlib.suppress(psutil.Error):
            if each.environ().get("AWS_LAMBDA_FUNCTION_NAME") == function:
                workers.append((each.cpu_percent(0.005), each.pid))
    for _, pid in sorted(workers, reverse=True):
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
            return 1
    return 0


FAULTS = Faults()


def install(endpoint: Endpoint) -> None:
    endpoint.middleware.append(FAULTS.before_s3)
    endpoint.pages["faults"] = FAULTS.answer
