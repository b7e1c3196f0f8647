"""EventBridge Scheduler: moto keeps schedules but never fires them and does not read their expressions."""

from __future__ import annotations

import uuid
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from moto.scheduler.exceptions import ValidationException
from moto.scheduler.models import EventBridgeSchedulerBackend, scheduler_backends

from local.services import iam_services, ticker
from local.services.delivery import Deliveries, Delivery, attributes_of
from local.services.role_clients import RoleClients
from local.services.schedule_expressions import At, Rate, ScheduleExpressionError, schedule
from local.services.seams import patch
from local.services.targets import UnsupportedTargetError, queue_url, send_as_role, service_of

if TYPE_CHECKING:
    from local.endpoint import Endpoint

BACKEND = "moto.scheduler.models:EventBridgeSchedulerBackend"
PARAMETERS = {"Arn", "RoleArn", "Input", "RetryPolicy", "DeadLetterConfig", "EventBridgeParameters", "SqsParameters"}

FIDELITY = (
    ("Scheduler", "rate(), cron() and at() with time zone, start and end date, state, context attributes in the input",
     "ours, one ticker", "real"),
    ("Scheduler", "targets Lambda, Step Functions, SNS, SQS and buses, called as the schedule's role; retries and dead "
     "letters; deletion after completion", "ours", "real"),
    ("Scheduler", "flexible time window", "fires at its beginning", "simulated"),
    ("Scheduler", "universal targets (aws-sdk), other targets, L, W and # in cron()", "", "refused"),
)  # fmt: skip


class Schedules:
    """Fires moto's schedules."""

    def __init__(self, endpoint: Endpoint) -> None:
        self._endpoint = endpoint
        self._clients = RoleClients(endpoint, "scheduler")
        self._deliveries = Deliveries(endpoint)

    def entries(self) -> list[ticker.Entry]:
        return [
            self._entry(one)
            for region in scheduler_backends[self._endpoint.account].values()
            for group in list(region.schedule_groups.values())
            for one in list(group.schedules.values())
            if one.state == "ENABLED"
        ]

    def _entry(self, one: Any) -> ticker.Entry:
        when = schedule(one.schedule_expression, one.schedule_expression_timezone)
        return ticker.Entry(
            key=(one.arn, one.last_modified_date, one.schedule_expression, one.schedule_expression_timezone),
            schedule=when,
            fire=lambda moment: self._fire(one, when, moment),
            begins=moment_of(one.start_date),
            ends=moment_of(one.end_date),
            at_once=isinstance(when, Rate),
        )

    def _fire(self, one: Any, when: Any, moment: datetime) -> None:
        if one.action_after_completion == "DELETE" and isinstance(when, At):
            scheduler_backends[self._endpoint.account][self._endpoint.region].delete_schedule(one.group_name, one.name)
        target, execution = dict(one.target), str(uuid.uuid4())
        facts = {
            "schedule-arn": one.arn,
            "scheduled-time": moment.strftime("%Y-%m-%dT%H:%M:%SZ"),
            "execution-id": execution,
        }
        self._deliveries.start(
            Delivery(
                what=f"schedule {one.name}",
                send=lambda attempt: self._send(target, filled(target, facts, attempt), group_of(one.arn)),
                bury=self._burial(target, facts),
                retry=target.get("RetryPolicy") or {},
            )
        )

    def _send(self, target: dict[str, Any], body: str, source: str) -> None:
        parameters = {**(target.get("SqsParameters") or {}), **(target.get("EventBridgeParameters") or {})}
        send_as_role(self._clients, target["RoleArn"], target["Arn"], body, parameters, source)

    def _burial(self, target: dict[str, Any], facts: dict[str, str]) -> Any:
        queue = (target.get("DeadLetterConfig") or {}).get("Arn")
        if not queue:
            return None

        def bury(attributes: dict[str, str]) -> None:
            def client_of(service: str) -> Any:
                return self._clients.of(service, target["RoleArn"], group_of(facts["schedule-arn"]))

            told = {
                **attributes,
                "TARGET_ARN": target["Arn"],
                "SCHEDULE_ARN": facts["schedule-arn"],
                "SCHEDULED_TIME": facts["scheduled-time"],
                "EXECUTION_ID": facts["execution-id"],
            }
            client_of("sqs").send_message(
                QueueUrl=queue_url(client_of, queue),
                MessageBody=filled(target, facts, 1),
                MessageAttributes=attributes_of(told),
            )

        return bury


def filled(target: dict[str, Any], facts: dict[str, str], attempt: int) -> str:
    """The target's input with Scheduler's context attributes."""
    text = str(target.get("Input") or "{}")
    for name, value in {**facts, "attempt-number": str(attempt)}.items():
        text = text.replace(f"<aws.scheduler.{name}>", value)
    return text


def group_of(schedule: str) -> str:
    """The ARN of a schedule's group, which Scheduler names where it takes a role."""
    place, _, name = schedule.partition(":schedule/")
    return f"{place}:schedule-group/{name.partition('/')[0]}"


def moment_of(date: Any) -> datetime | None:
    return datetime.fromtimestamp(float(date), UTC) if date else None


def check(options: dict[str, Any]) -> None:
    """A ValidationException for a schedule that could never fire."""
    target = options["target"]
    try:
        schedule(options["schedule_expression"], options.get("schedule_expression_timezone") or "UTC")
        service_of(target["Arn"])
    except (ScheduleExpressionError, UnsupportedTargetError) as error:
        raise ValidationException(f"Invalid Schedule. {error}") from error
    if unknown := set(target) - PARAMETERS:
        raise ValidationException(
            f"The target's '{min(unknown)}': the laptop knows {', '.join(sorted(PARAMETERS))}. Use one of them."
        )


def check_role(options: dict[str, Any], account: str, region: str) -> None:
    group = f"arn:aws:scheduler:{region}:{account}:schedule-group/{options.get('group_name') or 'default'}"
    try:
        iam_services.check(options["target"]["RoleArn"], "scheduler", region, group)
    except iam_services.RoleNotAssumedError as error:
        text = "The execution role you provide must allow AWS EventBridge Scheduler to assume the role."
        raise ValidationException(text) from error


def install(endpoint: Endpoint) -> None:
    watcher = ticker.of(endpoint)
    create, update = EventBridgeSchedulerBackend.create_schedule, EventBridgeSchedulerBackend.update_schedule

    def create_schedule(self: Any, **options: Any) -> Any:
        check(options)
        check_role(options, self.account_id, self.region_name)
        made = create(self, **options)
        watcher.look()
        return made

    def update_schedule(self: Any, **options: Any) -> Any:
        check(options)
        check_role(options, self.account_id, self.region_name)
        changed = update(self, **options)
        watcher.look()
        return changed

    patch(f"{BACKEND}.create_schedule", create_schedule)
    patch(f"{BACKEND}.update_schedule", update_schedule)
    watcher.watch(Schedules(endpoint).entries)
