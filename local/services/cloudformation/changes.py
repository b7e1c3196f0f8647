"""The change set calls of CloudFormation.

moto finds change sets by name over all stacks (the CDK CLI gives all the same one), and answers a missing one with a
code that the CLI takes for "wait".
"""

from __future__ import annotations

import threading
from typing import Any

from moto.cloudformation import utils
from moto.cloudformation.exceptions import ValidationError
from moto.cloudformation.models import ChangeSet, CloudFormationBackend
from moto.cloudformation.responses import CloudFormationResponse

from local.services.cloudformation import template
from local.services.cloudformation.stacks import Stacks, empty_stack, method, unchanged
from local.services.seams import patch

NO_CHANGES = "The submitted information didn't contain changes. Submit different information to create a change set."
asked = threading.local()  # the stack that the present request names: moto does not hand it down


class ChangeSetNotFoundError(ValidationError):
    """No change set of that name; the CDK CLI waits for this code before it makes one."""

    code = "ChangeSetNotFound"


class ChangeSets:
    """What replaces the change set methods of moto's backend."""

    def __init__(self, stacks: Stacks) -> None:
        self.stacks = stacks

    def create_change_set(self, backend: CloudFormationBackend, **options: Any) -> tuple[str, str]:
        utils.validate_create_change_set(options["change_set_name"])
        name, text, parameters = options["stack_name"], options["template"], options["parameters"]
        template.check(template.parse(text))
        stack = next((stack for stack in backend.stacks.values() if stack.name == name), None)
        if stack is None or stack.status == "REVIEW_IN_PROGRESS":
            stack = stack or empty_stack(backend, name, options)
            stack.status = "REVIEW_IN_PROGRESS"
            stack._add_stack_event("REVIEW_IN_PROGRESS", "User Initiated")
            backend.stacks[stack.stack_id] = stack
        elif options["change_set_type"] == "CREATE":
            raise ValidationError(
                message=f"Stack [{name}] already exists and cannot be created again with the changeSet"
            )
        identity = utils.generate_changeset_id(options["change_set_name"], backend.region_name, backend.account_id)
        change_set = ChangeSet(change_set_id=identity, stack=stack, **without_stack(options))
        same = options["change_set_type"] == "UPDATE" and unchanged(stack, text, parameters)
        change_set.status = "FAILED" if same else "CREATE_COMPLETE"
        change_set.execution_status = "UNAVAILABLE" if same else "AVAILABLE"
        change_set.status_reason = NO_CHANGES if same else None
        backend.change_sets[identity] = change_set
        return identity, stack.stack_id

    def describe_change_set(self, backend: CloudFormationBackend, change_set_name: str) -> ChangeSet:
        return find(backend, change_set_name)

    def delete_change_set(self, backend: CloudFormationBackend, change_set_name: str) -> None:
        try:
            del backend.change_sets[find(backend, change_set_name).change_set_id]
        except ChangeSetNotFoundError:
            return  # AWS answers a deletion of none with success

    def execute_change_set(
        self, backend: CloudFormationBackend, change_set_name: str, stack_name: str | None = None
    ) -> None:
        change_set = find(backend, change_set_name)
        stack = backend.stacks[change_set.stack_id]
        if change_set.tags:
            stack.tags = change_set.tags
        self.stacks.change(backend, stack, change_set.template, change_set.parameters, change_set.change_set_type)
        change_set.execution_status = "EXECUTE_COMPLETE"


def without_stack(options: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in options.items() if name != "stack_name"}


def find(backend: CloudFormationBackend, name: str) -> ChangeSet:
    stack = getattr(asked, "stack", None)
    for identity, change_set in backend.change_sets.items():
        if name == identity or (
            name == change_set.change_set_name and stack in (None, change_set.stack_name, change_set.stack_id)
        ):
            return change_set
    raise ChangeSetNotFoundError(message=f"ChangeSet [{name}] does not exist")


def remembering_stack(action: Any) -> Any:
    def remember(response: CloudFormationResponse) -> Any:
        asked.stack = response._get_param("StackName")
        try:
            return action(response)
        finally:
            asked.stack = None

    return remember


def parse_change_set(change_set: ChangeSet) -> None:
    change_set.template_dict = template.parse(change_set.template)


def install(stacks: Stacks) -> None:
    change_sets = ChangeSets(stacks)
    for name in ("create_change_set", "describe_change_set", "delete_change_set", "execute_change_set"):
        patch(f"moto.cloudformation.models:CloudFormationBackend.{name}", method(getattr(change_sets, name)))
    for name in ("describe_change_set", "delete_change_set", "execute_change_set"):
        action = f"moto.cloudformation.responses:CloudFormationResponse.{name}"
        patch(action, remembering_stack(getattr(CloudFormationResponse, name)))
    patch("moto.cloudformation.models:ChangeSet._parse_template", parse_change_set)
