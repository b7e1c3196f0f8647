"""Layers: a function imports what a layer brings from this machine, where it is there in the same versions."""

from __future__ import annotations

import io
import re
import zipfile
from importlib import metadata
from importlib.machinery import PathFinder
from typing import Any

from moto.awslambda.exceptions import InvalidParameterValueException
from moto.awslambda.models import LayerVersion, lambda_backends

from local.engines.workers import SITE_PACKAGES
from local.services.seams import patch

INFO = re.compile(r"python/([^/]+)-([^/-]+)\.dist-info/.*")
MODULE = re.compile(r"python/([A-Za-z_]\w*)(?:\.py|/.*)")


def install() -> None:
    create = LayerVersion.__init__

    def make(self: Any, spec: dict[str, Any], account_id: str, region: str) -> None:
        create(self, spec, account_id, region)
        self.imports = imports(self.name, self.code_bytes)

    patch("moto.awslambda.models:LayerVersion.__init__", make)


def imports(layer: str, content: bytes) -> tuple[str, ...]:
    """The modules that a layer brings; an error that names what of it this machine does not have as it is."""
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            names = archive.namelist()
    except zipfile.BadZipFile as error:
        raise InvalidParameterValueException(
            f"Could not unzip the layer '{layer}': expected a Zip file. Upload one."
        ) from error
    for package, version in sorted({found.groups() for each in names if (found := INFO.fullmatch(each))}):
        if version_here(package) != version:
            raise refusal(layer, f"{package} {version}", version_here(package) or "none of it")
    modules = sorted({found[1] for each in names if (found := MODULE.fullmatch(each))})
    strange = [each for each in names if not each.startswith("python/")]
    strange += [each for each in modules if PathFinder.find_spec(each, [SITE_PACKAGES]) is None]
    if strange:
        raise refusal(layer, strange[0], "none of it")
    return tuple(modules)


def version_here(package: str) -> str:
    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError:
        return ""


def refusal(layer: str, held: str, here: str) -> InvalidParameterValueException:
    return InvalidParameterValueException(
        f"The layer '{layer}' holds {held}, and this machine has {here}: a function imports its layers' packages from"
        " the laptop's own. Pin the package in the lock, or put the code into the function's package."
    )


def imported(function: Any) -> tuple[str, ...]:
    """The modules that a function imports beyond Lambda's own, from its layers."""
    backend = lambda_backends[function.account_id][function.region]
    versions: list[Any] = [backend.layers_versions_by_arn(layer["Arn"]) for layer in function.layers]
    return tuple(sorted({name for version in versions for name in version.imports}))
