"""A start that is sent again with its token, as a client does that heard no answer, starts nothing a second time."""

from __future__ import annotations

import json
import threading
from typing import Any

from moto.core.exceptions import JsonRESTError

from local.services.seams import patch

RESPONSE = "moto.athena.responses:AthenaResponse"
FIDELITY = (("Athena", "StartQueryExecution once for each ClientRequestToken", "ours", "real"),)
ASKED = ("QueryString", "QueryExecutionContext", "ResultConfiguration", "WorkGroup", "ExecutionParameters")
LOCK = threading.Lock()


def install() -> None:
    def once(response: Any) -> str:
        token = response._get_param("ClientRequestToken")
        if not token:
            return str(start(response))
        asked = json.dumps([response._get_param(name) for name in ASKED], sort_keys=True)
        with LOCK:
            # in moto's backend, so that a reset empties it too
            started: dict[str, tuple[str, str]] = response.athena_backend.__dict__.setdefault("started", {})
            if token not in started:
                started[token] = asked, str(start(response))
            before, answer = started[token]
        if before != asked:
            raise JsonRESTError("InvalidRequestException", "Idempotent parameters do not match")
        return answer

    start = patch(f"{RESPONSE}.start_query_execution", once)
