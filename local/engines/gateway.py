"""A JVM that speaks py4j: started by Spark's own launcher, it tells its port and secret through a file."""

from __future__ import annotations

import os
import subprocess
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pyspark

from local.engines.java import Java, find

START_SECONDS = 120.0
SPARK_HOME = Path(pyspark.__file__).parent
Start = Callable[..., "subprocess.Popen[Any]"]


class JvmError(Exception):
    """A JVM did not start, or ended; its text says why."""


@dataclass(frozen=True)
class Gateway:
    """A running JVM and the way into it; it ends when `process.stdin` is closed."""

    process: subprocess.Popen[Any]
    port: int
    secret: str = field(repr=False)

    def connect(self) -> Any:
        """A py4j connection to it: `connect().jvm.java.lang.System`."""
        from py4j.clientserver import ClientServer, JavaParameters, PythonParameters

        return ClientServer(
            java_parameters=JavaParameters(port=self.port, auth_token=self.secret, auto_convert=True),
            python_parameters=PythonParameters(port=0, eager_load=False),
        )


def launch(
    java: Java, arguments: Sequence[str], environment: Mapping[str, str], log: Path, start: Start = subprocess.Popen
) -> Gateway:
    """Start a JVM through spark-submit and wait until it answers."""
    command = [str(SPARK_HOME / "bin" / "spark-submit"), *arguments, "pyspark-shell"]
    log.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as folder, log.open("ab") as output:
        told = Path(folder) / "connection"
        ours = {"JAVA_HOME": str(java.home), "_PYSPARK_DRIVER_CONN_INFO_PATH": str(told)}
        process = start(command, stdin=subprocess.PIPE, stdout=output, stderr=output, env={**environment, **ours})
        _wait(process, told, log)
        content = told.read_bytes()  # two numbers in network order, each four bytes, and the secret
        return Gateway(process, int.from_bytes(content[:4], "big"), content[8:].decode())


def small(classpath: Sequence[Path], options: Sequence[str], **parameters: Any) -> tuple[subprocess.Popen[bytes], Any]:
    """A JVM without Spark that ends with this process, and py4j's way to the classes of its class path."""
    from py4j.java_gateway import GatewayParameters, JavaGateway, launch_gateway

    port, secret, process = launch_gateway(
        jarpath=str(next((SPARK_HOME / "jars").glob("py4j*.jar"))),
        classpath=":".join(map(str, classpath)),
        javaopts=["-XX:TieredStopAtLevel=1", *options],
        java_path=str(find().home / "bin" / "java"),
        die_on_exit=True,  # with the process that holds its standard input
        enable_auth=True,
        return_proc=True,
    )
    return process, JavaGateway(gateway_parameters=GatewayParameters(port=port, auth_token=secret, **parameters))


def _wait(process: subprocess.Popen[Any], told: Path, log: Path) -> None:
    end = time.monotonic() + START_SECONDS
    while not told.exists():
        if process.poll() is not None or time.monotonic() > end:
            process.kill()
            process.wait()
            raise JvmError(f"Spark's JVM did not start: {_reason(log)} See {log}.")
        time.sleep(0.02)


def _reason(log: Path) -> str:
    lines = [line.strip() for line in log.read_text(errors="replace").splitlines() if line.strip()]
    told = [line for line in lines if "Error" in line or "Exception" in line or "unresolved dependency" in line]
    return (told or lines or ["it said nothing."])[-1]


def inherited() -> dict[str, str]:
    """Our environment without what would lead a JVM astray: other credentials, other Spark settings."""
    astray = ("AWS_", "MOTO_", "PYSPARK_", "SPARK_", "HADOOP_", "PYTHONPATH")
    return {name: value for name, value in os.environ.items() if not name.startswith(astray)}
