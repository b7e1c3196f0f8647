"""The API of events over HTTP on the laptop: requests a second, and 10,000 fuzzed bodies of which none may fail."""

from __future__ import annotations

import functools
import json
import os
import random
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import boto3
import urllib3

from local import deploy, synthesis
from local.clinic.sending import Api, api

ROOT = Path(__file__).parents[1]
FUZZED = 10_000
CLIENTS = 4
NAME = "headwater-local-clinic"
SMALL, LARGE = 2_000, 40
TOKENS = (
    "[", "]", "{", "}", ":", ",", '"', "'", "\\", "/", "null", "true", "false", "NaN", "Infinity", "0", "-1", "1.5",
    "1e400", "9" * 400, '"event_id"', '"a"', '""', '"x"', "$", "#", "#end", "$input.body", "\u0000", "\ufffd", "é",
    "😀", "\\ud800", " ", "\n", '{"event_id":"a"}', '[{"event_id":"b"}]', '{"event_id":', "[[[[[[[[", "]]]]]]]]",
)  # fmt: skip


def measure() -> dict[str, Any]:
    """On an endpoint of its own with the whole app, in a process of its own."""
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        command = [sys.executable, "-m", "local.endpoint", "--port", "0", "--lazy", "--state", str(folder / "state")]
        with subprocess.Popen(
            [*command, "--parent-pid", str(os.getpid())], cwd=ROOT, stdout=subprocess.PIPE
        ) as process:
            try:
                assert process.stdout
                url = process.stdout.readline().decode().split()[-1]  # it says so when it is ready
                synthesis.synth(folder / "out", validate=False, env="local")
                deploy.deploy(folder / "out", url)
                client = functools.partial(
                    boto3.client, endpoint_url=url, region_name=deploy.REGION, **deploy.CREDENTIALS
                )
                found = api(client, url, NAME)
                unthrottle(client("apigateway"))
                return {**rates(found), **fuzzed(found)}
            finally:
                process.terminate()


def unthrottle(gateway: Any) -> None:
    """The laptop's limits are low, and not what is measured."""
    found = next(each["id"] for each in gateway.get_rest_apis()["items"] if each["name"] == NAME)
    limits = {"/*/*/throttling/rateLimit": "10000", "/*/*/throttling/burstLimit": "5000"}
    changes = [{"op": "replace", "path": path, "value": value} for path, value in limits.items()]
    gateway.update_stage(restApiId=found, stageName="v1", patchOperations=changes)
    for plan in gateway.get_usage_plans()["items"]:
        changes = [
            {"op": "replace", "path": "/throttle/rateLimit", "value": "10000"},
            {"op": "replace", "path": "/throttle/burstLimit", "value": "5000"},
        ]
        gateway.update_usage_plan(usagePlanId=plan["id"], patchOperations=changes)


def rates(found: Api) -> dict[str, Any]:
    event = {"event_id": "0" * 36, "event_time": "2026-11-21T12:00:00Z", "vaccine_code": "207", "site_id": "S-001"}
    one, many = json.dumps([event]).encode(), json.dumps([event] * 500).encode()
    small = seconds(lambda _: posted(found, one), SMALL)
    large = seconds(lambda _: posted(found, many), LARGE)
    return {
        "requests_of_1_event_per_second": SMALL / small,
        "requests_of_500_events_per_second": LARGE / large,
        "events_per_second": LARGE * 500 / large,
    }


def fuzzed(found: Api) -> dict[str, Any]:
    with ThreadPoolExecutor(CLIENTS) as pool:
        statuses = Counter(pool.map(lambda body: posted(found, body), bodies(FUZZED)))
    failed = sum(count for status, count in statuses.items() if status >= 500)
    told = {f"fuzzed_{status}": count for status, count in sorted(statuses.items())}
    return {"fuzzed": FUZZED, "fuzzed_5xx": failed, **told}


def seconds(work: Callable[[int], int], times: int) -> float:
    began = time.monotonic()
    with ThreadPoolExecutor(CLIENTS) as pool:
        list(pool.map(work, range(times)))
    return time.monotonic() - began


HTTP = urllib3.PoolManager(maxsize=CLIENTS, retries=False)


def posted(found: Api, body: bytes) -> int:
    headers = {"Content-Type": "application/json", "x-api-key": found.key}
    answer = HTTP.request("POST", found.url, body=body, headers=headers)
    json.loads(answer.data)
    return int(answer.status)


def bodies(count: int) -> Iterator[bytes]:
    """A third each: good bodies with a few bytes changed, tokens of JSON and of templates in any order, bytes."""
    chance = random.Random(1)
    for number in range(count):
        match number % 3:
            case 0:
                yield changed(chance)
            case 1:
                yield "".join(chance.choices(TOKENS, k=chance.randrange(12))).encode()
            case _:
                yield chance.randbytes(chance.randrange(80))


def changed(chance: random.Random) -> bytes:
    text = "".join(chance.choices(TOKENS, k=3))
    body = bytearray(json.dumps([{"event_id": str(chance.random()), "x": text}] * chance.randrange(1, 4)).encode())
    for _ in range(chance.randrange(3)):
        body[chance.randrange(len(body))] = chance.randrange(256)
    return bytes(body)
