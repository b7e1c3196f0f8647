"""EventBridge: moto matches patterns, but delivers in the caller's thread, to queues, logs and buses only, for
disabled rules too, without permissions, retries or dead letters; its rules with a schedule never fire, but match every
event.
"""

from __future__ import annotations

import json
import uuid
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from moto.events.exceptions import ValidationException
from moto.events.models import EventsBackend, Rule, events_backends

from local.services import ticker
from local.services.delivery import Deliveries, Delivery, attributes_of
from local.services.events_input import InputError, check_input, input_for
from local.services.role_clients import RoleClients
from local.services.schedule_expressions import ScheduleExpressionError, schedule
from local.services.seams import patch
from local.services.targets import UnsupportedTargetError, queue_url, send_as_role, send_as_service, service_of

if TYPE_CHECKING:
    from local.endpoint import Endpoint

MODELS = "moto.events.models"
PRINCIPAL = "events.amazonaws.com"
PARAMETERS = {"Arn", "Id", "Input", "InputPath", "InputTransformer", "RoleArn", "RetryPolicy", "DeadLetterConfig",
              "SqsParameters"}  # fmt: skip

FIDELITY = (
    ("EventBridge", "buses, rules, event patterns", "moto", "real"),
    ("EventBridge", "delivery to Lambda, SNS, SQS, Step Functions, buses and log groups, with input, input path and "
     "transformer, retries and dead letters", "ours", "real"),
    ("EventBridge", "permission: the rule's role, or the target's resource policy", "ours", "real"),
    ("EventBridge", "rules with rate() and cron()", "ours, one ticker", "real"),
    ("EventBridge", "events of services: Step Functions only; Glue, S3 and the others send none", "ours", "simulated"),
    ("EventBridge", "other targets, L, W and # in cron()", "", "refused"),
)  # fmt: skip


def emit(
    endpoint: Endpoint, source: str, kind: str, detail: dict[str, Any], resources: list[str], moment: datetime
) -> None:
    """Put a service's own event on the default bus."""
    event = {
        "version": "0",
        "id": str(uuid.uuid4()),
        "detail-type": kind,
        "source": source,
        "account": endpoint.account,
        "time": moment.strftime("%Y-%m-%dT%H:%M:%SZ"),
        "region": endpoint.region,
        "resources": resources,
        "detail": detail,
    }
    for rule in list(events_backends[endpoint.account][endpoint.region].event_buses["default"].rules.values()):
        rule.send_to_targets(event)  # type: ignore[arg-type]


def with_time(event: dict[str, Any]) -> dict[str, Any]:
    """The event as it is sent: moto keeps its time as a number, and a field of its own."""
    sent = {name: value for name, value in event.items() if name != "ingestion-time"}
    if not isinstance(sent["time"], str):
        sent["time"] = datetime.fromtimestamp(float(sent["time"]), UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    return sent


class Rules:
    """Delivers what rules match, and what their schedules bring."""

    def __init__(self, endpoint: Endpoint) -> None:
        self._endpoint = endpoint
        self._clients = RoleClients(endpoint, "events")
        self._deliveries = Deliveries(endpoint)

    def deliver(self, rule: Any, event: dict[str, Any]) -> None:
        for target in list(rule.targets):
            body = input_for(target, event, rule.arn)
            self._deliveries.start(
                Delivery(
                    what=f"event for {target['Arn']}",
                    send=lambda _attempt, target=target, body=body: self._send(rule, target, body),  # type: ignore[misc]
                    bury=self._burial(rule, target, event),
                    retry=target.get("RetryPolicy") or {},
                )
            )

    def schedules(self) -> list[ticker.Entry]:
        return [
            ticker.Entry(
                key=(rule.arn, rule.scheduled_expression),
                schedule=schedule(rule.scheduled_expression),
                fire=lambda moment, rule=rule: self._fire(rule, moment),  # type: ignore[misc]
            )
            for region in events_backends[self._endpoint.account].values()
            for rule in list(region.event_buses["default"].rules.values())
            if rule.scheduled_expression and rule.state == "ENABLED"
        ]

    def _fire(self, rule: Any, moment: datetime) -> None:
        event = {
            "version": "0",
            "id": str(uuid.uuid4()),
            "detail-type": "Scheduled Event",
            "source": "aws.events",
            "account": self._endpoint.account,
            "time": moment.strftime("%Y-%m-%dT%H:%M:%SZ"),
            "region": self._endpoint.region,
            "resources": [rule.arn],
            "detail": {},
        }
        self.deliver(rule, event)

    def _send(self, rule: Any, target: dict[str, Any], body: str) -> None:
        parameters = target.get("SqsParameters") or {}
        if role := target.get("RoleArn"):
            send_as_role(self._clients, role, target["Arn"], body, parameters, rule.arn)
        else:
            send_as_service(self._endpoint, PRINCIPAL, rule.arn, target["Arn"], body, parameters)

    def _burial(self, rule: Any, target: dict[str, Any], event: dict[str, Any]) -> Any:
        queue = (target.get("DeadLetterConfig") or {}).get("Arn")
        if not queue:
            return None

        def bury(attributes: dict[str, str]) -> None:
            sqs = self._endpoint.client("sqs")
            told = attributes_of({**attributes, "RULE_ARN": rule.arn, "TARGET_ARN": target["Arn"]})
            url = queue_url(self._endpoint.client, queue)
            sqs.send_message(QueueUrl=url, MessageBody=json.dumps(event), MessageAttributes=told)

        return bury


def check_target(target: dict[str, Any]) -> None:
    """A ValidationException for a target that could never be delivered to."""
    try:
        service = service_of(target["Arn"])
        check_input(target)
    except (UnsupportedTargetError, InputError) as error:
        raise ValidationException(str(error)) from error
    if unknown := set(target) - PARAMETERS:
        raise ValidationException(
            f"The target's '{sorted(unknown)[0]}': the laptop knows {', '.join(sorted(PARAMETERS))}. Use one of them."
        )
    if service == "states" and not target.get("RoleArn"):
        raise ValidationException(f"RoleArn is required for target {target['Arn']}.")


def install(endpoint: Endpoint) -> None:
    rules, watcher = Rules(endpoint), ticker.of(endpoint)
    by_moto, put_rule, put_targets = Rule.send_to_targets, EventsBackend.put_rule, EventsBackend.put_targets
    put_events = EventsBackend.put_events

    def send_to_targets(self: Any, original_event: Any, transform_input: bool = True) -> None:
        if self.managed_by:  # an archive, which moto fills
            by_moto(self, original_event, transform_input)
            return
        sent = with_time(original_event)
        if self.state == "ENABLED" and self.event_pattern.get_pattern() and self.event_pattern.matches_event(sent):
            rules.deliver(self, sent)

    def checked_rule(self: Any, name: str, *args: Any, **options: Any) -> Any:
        try:
            if options.get("scheduled_expression"):
                schedule(options["scheduled_expression"])
        except ScheduleExpressionError as error:
            raise ValidationException(f"Parameter ScheduleExpression is not valid. {error}") from error
        rule = put_rule(self, name, *args, **options)
        watcher.look()
        return rule

    def checked_targets(self: Any, name: str, event_bus_arn: Any, targets: list[dict[str, Any]]) -> Any:
        for target in targets:
            check_target(target)
        return put_targets(self, name, event_bus_arn, targets)

    def from_users(self: Any, events: list[dict[str, Any]]) -> Any:
        theirs = [event for event in events if not str(event.get("Source", "")).startswith("aws.")]
        answers = iter(put_events(self, theirs))
        denied = {"ErrorCode": "NotAuthorizedForSource", "ErrorMessage": "Not authorized for the source."}
        return [next(answers) if event in theirs else dict(denied) for event in events]

    patch(f"{MODELS}:Rule.send_to_targets", send_to_targets)
    patch(f"{MODELS}:EventsBackend.put_rule", checked_rule)
    patch(f"{MODELS}:EventsBackend.put_targets", checked_targets)
    patch(f"{MODELS}:EventsBackend.put_events", from_users)
    watcher.watch(rules.schedules)
