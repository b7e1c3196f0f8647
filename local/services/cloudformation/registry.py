"""The resource types that the laptop's CloudFormation makes, each by calls to the service's own API."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

Properties = dict[str, Any]
SUPPORTED: dict[str, ResourceType] = {}


class UnsupportedPropertyError(Exception):
    """A template gives a property that the laptop would have to pass over in silence."""


@dataclass(frozen=True)
class Made:
    """What a provider answers: the value of Ref, and those of Fn::GetAtt."""

    physical_id: str
    attributes: Mapping[str, Any] = field(default_factory=dict)


@dataclass
class Resource:
    """A resource that exists; moto's template functions and answers read its attributes."""

    logical_resource_id: str
    cf_resource_type: str
    properties: Properties
    made: Made
    policies: Mapping[str, str]
    generated_name: str = ""

    @property
    def physical_resource_id(self) -> str:
        return self.made.physical_id

    def get_cfn_attribute(self, name: str) -> Any:
        from moto.cloudformation.exceptions import UnformattedGetAttTemplateException

        if name not in self.made.attributes:
            raise UnformattedGetAttTemplateException
        return self.made.attributes[name]

    def is_created(self) -> bool:
        return True


@dataclass(frozen=True)
class Context:
    """What a provider may know of its surroundings; `name` is the resource's name, generated where none is given."""

    account: str
    region: str
    name: str
    client: Callable[[str], Any]

    def call(self, service: str, operation: str, request: Properties) -> dict[str, Any]:
        """Call an API with CloudFormation's properties, in the types that the API wants; an unknown one is an error."""
        client = self.client(service)
        shape = client.meta.service_model.operation_model(operation).input_shape
        method = next(name for name, api in client.meta.method_to_api_mapping.items() if api == operation)
        answer: dict[str, Any] = getattr(client, method)(**fit(request, shape, operation))
        return answer

    def arn(self, service: str, rest: str) -> str:
        return f"arn:aws:{service}:{self.region}:{self.account}:{rest}"


Create = Callable[[Context, Properties], Made]
Update = Callable[[Context, Resource, Properties], Made]
Delete = Callable[[Context, Resource], None]


@dataclass(frozen=True)
class ResourceType:
    """How a type is made, changed and deleted.

    `known`: the properties that it models. `ignored`: those that it accepts without effect, each with the reason.
    `fixed`: those whose change makes a new resource, as CloudFormation's reference says. `name`: the one that names it.
    """

    type: str
    create: Create
    update: Update
    delete: Delete
    known: frozenset[str]
    name: str = ""
    fixed: frozenset[str] = frozenset()
    ignored: Mapping[str, str] = field(default_factory=dict)

    def unsupported(self, properties: Iterable[str]) -> list[str]:
        return sorted(set(properties) - self.known - self.ignored.keys())

    def modelled(self, properties: Properties) -> Properties:
        """The properties without those that are ignored; `A.B` in `ignored` is B in every A."""
        kept = {name: value for name, value in properties.items() if name not in self.ignored}
        for path in self.ignored:
            outer, _, inner = path.partition(".")
            if inner and outer in kept:
                kept[outer] = without(kept[outer], inner.split("."))
        return kept


def without(value: Any, path: list[str]) -> Any:
    if isinstance(value, list):
        return [without(item, path) for item in value]
    if not isinstance(value, dict):
        return value
    if len(path) == 1:
        return {name: item for name, item in value.items() if name != path[0]}
    return {name: without(item, path[1:]) if name == path[0] else item for name, item in value.items()}


def register(resource_type: ResourceType) -> None:
    SUPPORTED[resource_type.type] = resource_type


def never_updated(context: Context, old: Resource, properties: Properties) -> Made:
    """Not reached: every property of such a type is fixed."""
    raise NotImplementedError(old.cf_resource_type)


def fit(value: Any, shape: Any, path: str) -> Any:
    """A value in the type of the API's input shape: CloudFormation sends numbers and booleans as text."""
    match shape.type_name:
        case "structure" if isinstance(value, dict):
            members = {name.lower(): name for name in shape.members}  # Step Functions and others begin lower case
            unknown = [name for name in value if name.lower() not in members]
            if unknown:
                raise UnsupportedPropertyError(
                    f"The property '{path}.{unknown[0]}': expected one of {', '.join(sorted(shape.members))}. "
                    "The laptop's CloudFormation does not model it: remove it from the template."
                )
            named = {members[name.lower()]: item for name, item in value.items()}
            return {name: fit(item, shape.members[name], f"{path}.{name}") for name, item in named.items()}
        case "list" if isinstance(value, list):
            return [fit(item, shape.member, path) for item in value]
        case "map" if isinstance(value, dict):
            return {str(name): fit(item, shape.value, f"{path}.{name}") for name, item in value.items()}
        case "integer" | "long" if not isinstance(value, bool):
            return int(value)
        case "float" | "double":
            return float(value)
        case "boolean" if not isinstance(value, bool):
            return str(value).lower() == "true"
        case "string" if not isinstance(value, str):
            return json.dumps(value) if isinstance(value, (dict, list, bool)) else str(value)
        case "blob" if isinstance(value, str):
            return value.encode()
    return value


def tag_map(tags: Any) -> dict[str, str]:
    """Tags as a map, from either of CloudFormation's two forms."""
    return {tag["Key"]: tag["Value"] for tag in tags} if isinstance(tags, list) else dict(tags or {})


def tag_list(tags: Any, key: str = "Key", value: str = "Value") -> list[dict[str, str]]:
    return [{key: name, value: text} for name, text in tag_map(tags).items()]


def present(properties: Properties, *names: str) -> Properties:
    """Those of the named properties that are given."""
    return {name: properties[name] for name in names if name in properties}


def omit(properties: Properties, *names: str) -> Properties:
    return {name: value for name, value in properties.items() if name not in names}
