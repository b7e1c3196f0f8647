"""The stack calls of CloudFormation, over the engine of this folder.

moto registers no exports or outputs of a stack that a change set made, updates one whose template is the same, parses
JSON as YAML, and takes 127.0.0.1 in a template's URL for a bucket.
"""

from __future__ import annotations

import threading
from typing import Any

from moto.cloudformation import utils
from moto.cloudformation.exceptions import AlreadyExistsException, ValidationError
from moto.cloudformation.models import CloudFormationBackend, Stack
from moto.cloudformation.parsing import ResourceMap

from local.endpoint import Endpoint
from local.services.cloudformation import engine, template
from local.services.cloudformation.registry import Resource
from local.services.seams import patch

NO_UPDATES = "No updates are to be performed."


class Stacks:
    """What replaces the methods of moto's backend; one change at a time, as a lake has one deployer."""

    def __init__(self, endpoint: Endpoint) -> None:
        self.endpoint = endpoint
        self.lock = threading.RLock()

    def create_stack(self, backend: CloudFormationBackend, name: str, template: str, **options: Any) -> Stack:
        if any(stack.name == name for stack in backend.stacks.values()):
            raise AlreadyExistsException(f"Stack [{name}] already exists")
        stack = empty_stack(backend, name, options)
        self.change(backend, stack, template, options.get("parameters") or {}, "CREATE")
        return stack

    def update_stack(
        self, backend: CloudFormationBackend, name: str, template: str, role_arn: Any, parameters: Any, tags: Any
    ) -> Stack:
        stack = backend.get_stack(name)
        given = backend._resolve_update_parameters(instance=stack, incoming_params=parameters)
        if unchanged(stack, template, given):
            raise ValidationError(message=NO_UPDATES)
        stack.tags = stack.tags if tags is None else tags
        self.change(backend, stack, template, given, "UPDATE")
        return stack

    def change(
        self, backend: CloudFormationBackend, stack: Stack, text: str, parameters: dict[str, Any], verb: str
    ) -> None:
        """Bring a stack to a template. Past the checks a failure shows in the stack's status and events, as on AWS."""
        content = template.parse(text)
        template.check(content)
        template.in_order(content)
        wanted = resource_map(stack, content, parameters, backend)
        with self.lock:
            backend.stacks[stack.stack_id] = stack
            try:
                engine.Change(self.endpoint, stack, wanted, verb).apply()
            except engine.StackFailedError:
                return
            stack.template, stack.template_dict, stack.parameters = text, content, parameters
            stack.description = content.get("Description")
            stack.output_map = stack._create_output_map()
            for export in stack.exports:
                backend.exports[export.name] = export
            stack.status = f"{verb}_COMPLETE"
            stack._add_stack_event(stack.status)

    def delete_stack(self, backend: CloudFormationBackend, name_or_stack_id: str) -> None:
        found = [stack for stack in backend.stacks.values() if name_or_stack_id in (stack.stack_id, stack.name)]
        for stack in found:
            with self.lock:
                identity = stack.stack_id
                exports = [name for name, each in backend.exports.items() if each.exporting_stack_id == identity]
                try:
                    engine.delete_all(self.endpoint, stack)
                except engine.StackFailedError:
                    return
                for export in exports:
                    del backend.exports[export]
                backend.deleted_stacks[stack.stack_id] = backend.stacks.pop(stack.stack_id)


def empty_stack(backend: CloudFormationBackend, name: str, options: dict[str, Any]) -> Stack:
    stack: type[Any] = Stack  # moto leaves some of its abstract methods out
    made: Stack = stack(
        stack_id=utils.generate_stack_id(name, backend.region_name, backend.account_id),
        name=name,
        template={},
        parameters=options.get("parameters") or {},
        account_id=backend.account_id,
        region_name=backend.region_name,
        notification_arns=options.get("notification_arns"),
        tags=options.get("tags"),
        role_arn=options.get("role_arn"),
    )
    return made


def resource_map(
    stack: Stack, content: dict[str, Any], parameters: dict[str, Any], backend: CloudFormationBackend
) -> ResourceMap:
    wanted = ResourceMap(
        stack.stack_id,
        stack.name,
        parameters,
        stack.tags,
        account_id=stack.account_id,
        region_name=stack.region_name,
        template=content,
        cross_stack_resources=backend.exports,
    )
    wanted.load()
    return wanted


def unchanged(stack: Stack, text: str, parameters: dict[str, Any]) -> bool:
    """Whether a template and its parameters are those that the stack has, the parameters as they resolve now."""
    content = template.parse(text)
    if stack.template_dict != content:
        return False
    now = ResourceMap(stack.stack_id, stack.name, parameters, {}, stack.region_name, stack.account_id, content, None)
    now.load_parameters()
    return bool(now.resolved_parameters == stack.resource_map.resolved_parameters)


def install(endpoint: Endpoint) -> Stacks:
    stacks = Stacks(endpoint)
    for name in ("create_stack", "update_stack", "delete_stack"):
        patch(f"moto.cloudformation.models:CloudFormationBackend.{name}", method(getattr(stacks, name)))
    patch("moto.cloudformation.models:Stack.parse_template", staticmethod(template.parse))
    patch("moto.cloudformation.models:Stack.stack_resources", property(made_resources))
    patch("moto.cloudformation.parsing:ResourceMap.__getitem__", made_only)
    patch("moto.cloudformation.parsing:ResourceMap.parse_ssm_parameter", ssm_parameter)
    patch("moto.cloudformation.parsing:resource_class_from_type", lambda type_: AnyAttribute)
    patch("moto.cloudformation.responses:get_stack_from_s3_url", template_at)
    return stacks


def method(function: Any) -> Any:
    """A function as a method of moto's backend: the backend comes as the first argument."""
    return lambda backend, *positional, **named: function(backend, *positional, **named)


class AnyAttribute:
    """moto asks the class of a resource whether it has an attribute; ours are known when it is made."""

    @staticmethod
    def has_cfn_attr(attr: str) -> bool:
        return True


def made_resources(stack: Stack) -> list[Resource]:
    return [each for _, each in engine.made_in(stack.resource_map)]


def made_only(resources: ResourceMap, key: str) -> Any:
    """moto would make a resource when it is first looked at; the engine alone makes them."""
    if key not in resources._parsed_resources:
        raise ValidationError(message=f"Template error: the resource '{key}' does not exist.")
    return resources._parsed_resources[key]


def ssm_parameter(resources: ResourceMap, value: str, value_type: str) -> Any:
    from moto.ssm.models import ssm_backends

    found = ssm_backends[resources._account_id][resources._region_name].get_parameter(value)
    if found is None and value.startswith("/"):
        raise ValidationError(message=f"Unable to fetch parameters [{value}] from parameter store for this account.")
    text = value if found is None else found.value  # with UsePreviousValue moto hands in what was found before
    return text.split(",") if "List" in value_type else text


original_template_at = utils.get_stack_from_s3_url


def template_at(template_url: str, account_id: str, partition: str) -> str:
    text: str = original_template_at(
        template_url.replace("//127.0.0.1", "//localhost"), account_id=account_id, partition=partition
    )
    return text
