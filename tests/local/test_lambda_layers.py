"""Layers and embedded metrics on the laptop: packages come from this machine's lock, metrics from a function's log."""

from __future__ import annotations

import io
import json
import zipfile
from datetime import UTC, datetime, timedelta
from importlib import metadata
from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.local.functions import make_function, unique


def layer(endpoint: Any, *files: str) -> str:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        for name in files:
            archive.writestr(name, "")
    made = endpoint.client("lambda").publish_layer_version(
        LayerName=unique("layer"), Content={"ZipFile": packed.getvalue()}
    )
    return str(made["LayerVersionArn"])


def answer(endpoint: Any, function: str) -> Any:
    return json.loads(endpoint.client("lambda").invoke(FunctionName=function)["Payload"].read())


def test_a_function_imports_what_its_layer_brings_and_nothing_else(endpoint: Any) -> None:
    version = metadata.version("orjson")
    arn = layer(endpoint, "python/orjson/__init__.py", f"python/orjson-{version}.dist-info/METADATA")
    code = "import orjson\ndef handle(e, c):\n    return orjson.__version__"
    assert answer(endpoint, make_function(endpoint, code, Layers=[arn])) == version
    assert answer(endpoint, make_function(endpoint, code))["errorType"] == "Runtime.ImportModuleError"
    more = make_function(endpoint, code.replace("orjson", "yaml", 1), Layers=[arn])
    assert answer(endpoint, more)["errorType"] == "Runtime.ImportModuleError"


@pytest.mark.parametrize(
    ("files", "held"),
    [
        (("python/orjson/__init__.py", "python/orjson-0.1.dist-info/METADATA"), "orjson 0.1"),
        (("python/our_own_code.py",), "our_own_code"),
        (("bin/tool",), "bin/tool"),
    ],
)
def test_a_layer_of_anything_else_is_refused_by_name(endpoint: Any, files: tuple[str, ...], held: str) -> None:
    with pytest.raises(ClientError, match=f"holds {held}, and this machine has"):
        layer(endpoint, *files)


def test_metrics_in_a_log_are_metrics(endpoint: Any) -> None:
    said = {
        "_aws": {
            "Timestamp": 0,
            "CloudWatchMetrics": [
                {"Namespace": "Layers", "Dimensions": [["Dataset"]], "Metrics": [{"Name": "Records", "Unit": "Count"}]}
            ],
        },
        "Dataset": (dataset := unique("dataset")),
        "Records": [3, 4.5],
    }
    code = f"""
import json, time
def handle(event, context):
    said = json.loads('''{json.dumps(said)}''')
    said["_aws"]["Timestamp"] = int(time.time() * 1000)
    print(json.dumps(said))
    print('{{"_aws": "no metric"}}')
"""
    assert answer(endpoint, make_function(endpoint, code)) is None
    now = datetime.now(UTC)
    found = endpoint.client("cloudwatch").get_metric_statistics(
        Namespace="Layers",
        MetricName="Records",
        Dimensions=[{"Name": "Dataset", "Value": dataset}],
        StartTime=now - timedelta(hours=1),
        EndTime=now + timedelta(hours=1),
        Period=3600 * 24,
        Statistics=["Sum", "SampleCount"],
    )["Datapoints"]
    assert [(each["Sum"], each["SampleCount"], each["Unit"]) for each in found] == [(7.5, 2, "Count")]
