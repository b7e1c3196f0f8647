"""A job run's arguments: which are Glue's own, what they ask for, and what is handed to the script."""

from __future__ import annotations

import importlib.metadata
from collections.abc import Mapping
from dataclasses import dataclass

# Glue's own, which change how a job is run there and nothing that it computes.
WITHOUT_EFFECT = {
    "--class", "--continuous-log-conversionPattern", "--continuous-log-logGroup", "--continuous-log-logStreamPrefix",
    "--custom-logGroup-prefix", "--custom-logStream-prefix", "--datalake-formats", "--disable-proxy-v2",
    "--enable-auto-scaling", "--enable-continuous-cloudwatch-log", "--enable-continuous-log-filter",
    "--enable-glue-datacatalog", "--enable-job-insights", "--enable-metrics", "--enable-observability-metrics",
    "--enable-rename-algorithm-v2", "--enable-s3-parquet-optimized-committer", "--enable-spark-ui", "--job-language",
    "--scriptLocation", "--spark-event-logs-path", "--spark-ui-event-logs-path", "--user-jars-first",
    "--use-postgres-driver", "--write-shuffle-files-to-s3", "--write-shuffle-spills-to-s3",
}  # fmt: skip
REFUSED = {
    "--enable-lakeformation-fine-grained-access",
    "--python-modules-installer-option",
    "--customer-driver-env-vars",
    "--customer-executor-env-vars",
}
JARS, PYTHON, FILES, MODULES, CONF = (
    "--extra-jars",
    "--extra-py-files",
    "--extra-files",
    "--additional-python-modules",
    "--conf",
)


class ArgumentError(Exception):
    """An argument asks for what the laptop cannot do."""


@dataclass(frozen=True)
class Arguments:
    """What a run asks of Glue, as S3 URIs and settings, and what its script is given."""

    jars: list[str]
    python: list[str]
    files: list[str]
    conf: dict[str, str]
    script: list[str]


def read(given: Mapping[str, str]) -> Arguments:
    """Sort a run's arguments; an error names one that cannot be honoured."""
    refused = [f"{name}={given[name]}" for name in sorted(REFUSED & set(given)) if given[name].lower() != "false"]
    if refused:
        raise ArgumentError(f"The argument '{refused[0]}': the laptop's Glue has nothing like it. Leave it out.")
    modules = _listed(given, MODULES)
    wheels = [module for module in modules if module.startswith("s3://")]
    for module in modules:
        if module not in wheels:
            _installed(module)
    own = {JARS, PYTHON, FILES, MODULES, CONF} | WITHOUT_EFFECT | REFUSED
    script = [part for name, value in given.items() if name not in own for part in (name, value)]
    return Arguments(
        _listed(given, JARS), [*_listed(given, PYTHON), *wheels], _listed(given, FILES), _conf(given.get(CONF)), script
    )


def _listed(given: Mapping[str, str], name: str) -> list[str]:
    return [part.strip() for part in given.get(name, "").split(",") if part.strip()]


def _conf(text: str | None) -> dict[str, str]:
    """Glue takes many settings in one argument: `a=1 --conf b=2`."""
    settings = {}
    for part in (text or "").split("--conf"):
        if part.strip():
            name, equals, value = part.strip().partition("=")
            if not equals:
                raise ArgumentError(f"The argument '--conf {part.strip()}': expected NAME=VALUE. Write it so.")
            settings[name.strip()] = value.strip()
    return settings


def _installed(module: str) -> None:
    name, _, version = module.partition("==")
    try:
        found = importlib.metadata.version(name)
    except importlib.metadata.PackageNotFoundError:
        found = "none"
    if found == "none" or (version and found != version):
        raise ArgumentError(
            f"The argument '{MODULES} {module}': expected a version that is installed, found {found}. "
            "Install it beside the laptop, or ship it as a wheel on S3."
        )
