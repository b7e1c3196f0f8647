"""How a stack's resources are made, changed and deleted: in order, with an event each, and back again on a failure.

moto makes resources lazily, never rolls back, deletes what a replacement retains, and knows one deletion policy.
"""

from __future__ import annotations

import functools
from collections.abc import Iterator
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError
from moto.cloudformation.exceptions import CloudFormationError
from moto.cloudformation.models import Event, Stack
from moto.cloudformation.parsing import ResourceMap, clean_json, generate_resource_name

from local.endpoint import Endpoint
from local.services.cloudformation import template
from local.services.cloudformation.registry import (
    SUPPORTED,
    Context,
    Resource,
    ResourceType,
    UnsupportedPropertyError,
)

RETAINED = ("Retain", "RetainExceptOnCreate", "Snapshot")
FAILURES = (
    ClientError, BotoCoreError, CloudFormationError, UnsupportedPropertyError, KeyError, TypeError, ValueError,
    AttributeError, LookupError,
)  # fmt: skip


class StackFailedError(Exception):
    """A resource could not be made or changed; what had been done is undone."""


class Change:
    """One create or update of a stack, which either reaches its end or puts back what was."""

    def __init__(self, endpoint: Endpoint, stack: Stack, wanted: ResourceMap, verb: str) -> None:
        self.endpoint, self.stack, self.wanted, self.verb = endpoint, stack, wanted, verb
        self.before = dict(made_in(stack.resource_map))
        self.created: list[Resource] = []
        self.updated: list[tuple[Resource, Resource]] = []
        self.replaced: list[Resource] = []
        self.wanted._parsed_resources.update(self.before)

    def apply(self) -> None:
        """Make and change in order, then clean up; a failure names the resource and rolls all back."""
        self._event_of_stack(f"{self.verb}_IN_PROGRESS", "User Initiated")
        definitions = self.wanted._resource_json_map
        for name in template.in_order(self.wanted._template):
            condition = definitions[name].get("Condition")
            if condition and not self.wanted.lazy_condition_map[condition]:
                continue
            try:
                self._reach(name, definitions[name])
            except FAILURES as error:
                self._roll_back(name, definitions[name]["Type"], reason_of(error))
                raise StackFailedError(f"{definitions[name]['Type']} '{name}': {reason_of(error)}") from error
        self._clean_up(definitions)
        self.stack.resource_map = self.wanted

    def _reach(self, name: str, definition: dict[str, Any]) -> None:
        known = SUPPORTED[definition["Type"]]
        properties = clean_json(definition.get("Properties", {}), self.wanted)
        policies = {key: definition.get(key, "Delete") for key in ("DeletionPolicy", "UpdateReplacePolicy")}
        old = self.before.get(name)
        if old is not None and old.cf_resource_type == known.type and old.properties == properties:
            old.policies = policies
            return
        verb = "CREATE" if old is None or self._replaces(old, known, properties) else "UPDATE"
        self._event(verb, "IN_PROGRESS", name, known.type, "" if old is None else old.physical_resource_id)
        if verb == "UPDATE" and old is not None:
            context = self._context(known, properties, name, old)
            made = known.update(context, old, known.modelled(properties))
            resource = Resource(name, known.type, properties, made, policies, context.name)
            self.updated.append((old, resource))
        else:
            context = self._context(known, properties, name, None)
            made = known.create(context, known.modelled(properties))
            resource = Resource(name, known.type, properties, made, policies, context.name)
            self.created.append(resource)
            self.replaced += [old] if old else []
        self.wanted._parsed_resources[name] = resource
        self._event(verb, "COMPLETE", name, known.type, made.physical_id)

    def _replaces(self, old: Resource, known: ResourceType, properties: dict[str, Any]) -> bool:
        changed = {
            name
            for name in old.properties.keys() | properties.keys()
            if old.properties.get(name) != properties.get(name)
        }
        if old.cf_resource_type == known.type and not changed & known.fixed:
            return False
        if known.name in properties and known.name not in changed:
            raise ValueError(
                "CloudFormation cannot update a stack when a custom-named resource requires replacing. "
                f"Rename {properties[known.name]} and update the stack again."
            )
        return True

    def _context(self, known: ResourceType, properties: dict[str, Any], name: str, old: Resource | None) -> Context:
        generated = old.generated_name if old else generate_resource_name(known.type, self.stack.name, name)
        return context(self.endpoint, self.stack, properties.get(known.name) or generated)

    def _clean_up(self, definitions: dict[str, Any]) -> None:
        gone = [old for name, old in self.before.items() if name not in made_names(self.wanted, definitions)]
        for old in reversed(gone):
            self.wanted._parsed_resources.pop(old.logical_resource_id, None)
            self._drop(old, old.policies["DeletionPolicy"] in RETAINED)
        for old in reversed(self.replaced):
            self._drop(old, old.policies["UpdateReplacePolicy"] in RETAINED)

    def _drop(self, resource: Resource, retained: bool) -> None:
        """Delete in the clean-up after a success, where CloudFormation passes over what it cannot delete."""
        what = resource.logical_resource_id, resource.cf_resource_type, resource.physical_resource_id
        if retained:
            self._event("DELETE", "SKIPPED", *what)
            return
        try:
            delete(self.endpoint, self.stack, resource)
            self._event("DELETE", "COMPLETE", *what)
        except FAILURES as error:
            self._event("DELETE", "FAILED", *what, reason=reason_of(error))

    def _roll_back(self, name: str, type_: str, reason: str) -> None:
        self._event("UPDATE" if name in self.before else "CREATE", "FAILED", name, type_, "", reason)
        prefix = "ROLLBACK" if self.verb == "CREATE" else "UPDATE_ROLLBACK"
        self._event_of_stack(f"{prefix}_IN_PROGRESS", f"The following resource(s) failed: [{name}]. {reason}")
        state = "COMPLETE" if all(self._put_back(old, new) for old, new in reversed(self.updated)) else "FAILED"
        for resource in reversed(self.created):
            self._drop(resource, resource.policies["DeletionPolicy"] == "Retain")
        self.stack.status = f"{prefix}_{state}"
        self._event_of_stack(self.stack.status)

    def _put_back(self, old: Resource, new: Resource) -> bool:
        known = SUPPORTED[old.cf_resource_type]
        what = old.logical_resource_id, old.cf_resource_type, old.physical_resource_id
        try:
            known.update(context(self.endpoint, self.stack, old.generated_name), new, known.modelled(old.properties))
        except FAILURES as error:
            self._event("UPDATE", "FAILED", *what, reason=reason_of(error))
            return False
        self._event("UPDATE", "COMPLETE", *what)
        return True

    def _event(self, verb: str, state: str, name: str, type_: str, physical: str, reason: str | None = None) -> None:
        event(self.stack, f"{verb}_{state}", name, type_, physical, reason)

    def _event_of_stack(self, status: str, reason: str | None = None) -> None:
        self.stack._add_stack_event(status, resource_status_reason=reason)


def delete_all(endpoint: Endpoint, stack: Stack) -> None:
    """Delete a stack's resources, those that depend on others first; retained ones stay and leave the stack."""
    stack._add_stack_event("DELETE_IN_PROGRESS", resource_status_reason="User Initiated")
    resources = dict(made_in(stack.resource_map))
    order = [name for name in template.in_order(stack.template_dict) if name in resources]
    for name in reversed(order):
        resource = resources[name]
        what = name, resource.cf_resource_type, resource.physical_resource_id
        if resource.policies["DeletionPolicy"] in RETAINED:
            event(stack, "DELETE_SKIPPED", *what)
            continue
        try:
            delete(endpoint, stack, resource)
        except FAILURES as error:
            event(stack, "DELETE_FAILED", *what, reason_of(error))
            stack.status = "DELETE_FAILED"
            stack._add_stack_event("DELETE_FAILED", f"The following resource(s) failed to delete: [{name}].")
            raise StackFailedError(f"{resource.cf_resource_type} '{name}': {reason_of(error)}") from error
        stack.resource_map._parsed_resources.pop(name)
        event(stack, "DELETE_COMPLETE", *what)
    stack.status = "DELETE_COMPLETE"
    stack._add_stack_event("DELETE_COMPLETE")


def delete(endpoint: Endpoint, stack: Stack, resource: Resource) -> None:
    """Delete a resource; one that is gone already is as good as deleted."""
    try:
        SUPPORTED[resource.cf_resource_type].delete(context(endpoint, stack, resource.generated_name), resource)
    except ClientError as error:
        code = error.response["Error"]["Code"]
        if not any(word in code for word in ("NotFound", "NoSuch", "NonExistent", "DoesNotExist")):
            raise


def context(endpoint: Endpoint, stack: Stack, name: str) -> Context:
    return Context(stack.account_id, stack.region_name, name, functools.partial(Endpoint.client, endpoint))


def made_in(resources: ResourceMap) -> Iterator[tuple[str, Resource]]:
    yield from ((name, each) for name, each in resources._parsed_resources.items() if isinstance(each, Resource))


def made_names(resources: ResourceMap, definitions: dict[str, Any]) -> set[str]:
    """The resources that a template wants, those of a false condition left out."""
    conditions = resources.lazy_condition_map
    return {name for name, each in definitions.items() if "Condition" not in each or conditions[each["Condition"]]}


def event(stack: Stack, status: str, name: str, type_: str, physical: str, reason: str | None = None) -> None:
    stack.events.append(
        Event(
            stack_id=stack.stack_id,
            stack_name=stack.name,
            logical_resource_id=name,
            physical_resource_id=physical,
            resource_type=type_,
            resource_status=status,
            resource_status_reason=reason,
            resource_properties=None,
        )
    )


def reason_of(error: BaseException) -> str:
    """A failure in words; a missing property comes as a KeyError of its name."""
    if isinstance(error, KeyError):
        return f"The property {error} is missing: it is required."
    return str(error)
