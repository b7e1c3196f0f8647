"""The parser of DQDL that AWS publishes, run in Spark's JVM: what it takes, Glue takes."""

from __future__ import annotations

import hashlib
import urllib.request
from functools import cache
from pathlib import Path
from typing import Any

from pyspark.sql import SparkSession

from local.engines import jars

URL = "https://repo1.maven.org/maven2/software/amazon/glue/dqdl/1.0.0/dqdl-1.0.0.jar"
SHA256 = "8382887bd34e23a426e3824520e69ba59e9666f567a4f7bad2a6b40348cdaa6e"


def rules(spark: SparkSession, dqdl: str) -> list[tuple[str, dict[str, str], str]]:
    """Each rule of a document as its type, its parameters and its condition; an error says what is wrong."""
    return [each for rule in _parser(spark).parse(dqdl).getRules() for each in _leaves(rule)]


@cache  # py4j remembers methods by the name of their class, and knows no second one of that name
def _parser(spark: SparkSession) -> Any:
    jvm: Any = spark._jvm
    gateway: Any = spark._sc._gateway
    urls = gateway.new_array(jvm.java.net.URL, 1)
    urls[0] = jvm.java.io.File(str(_jar())).toURI().toURL()
    # Spark has the ANTLR and the Jackson that the parser needs, and must not be given others
    loader = jvm.java.net.URLClassLoader(urls, jvm.java.lang.Thread.currentThread().getContextClassLoader())
    return loader.loadClass("software.amazon.glue.dqdl.parser.DQDLParser").newInstance()


def _leaves(rule: Any) -> list[tuple[str, dict[str, str], str]]:
    if rule.getNestedRules():
        return [each for nested in rule.getNestedRules() for each in _leaves(nested)]
    parameters = {str(name): str(value) for name, value in dict(rule.getParameters()).items()}
    condition = rule.getCondition()
    return [(str(rule.getRuleType()), parameters, "" if condition is None else str(condition.getConditionAsString()))]


def _jar() -> Path:
    kept = jars.cache() / URL.rpartition("/")[2]
    if not kept.exists():
        kept.parent.mkdir(parents=True, exist_ok=True)
        with urllib.request.urlopen(URL, timeout=60) as answer:
            content: bytes = answer.read()
        assert hashlib.sha256(content).hexdigest() == SHA256, f"{URL} is not what it was"
        unfinished = kept.with_suffix(".part")
        unfinished.write_bytes(content)
        unfinished.replace(kept)
    return kept
