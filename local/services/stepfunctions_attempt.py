"""One attempt of an execution in moto's interpreter: the first from StartAt, a redrive from the state that failed."""

from __future__ import annotations

import threading
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any, cast

from moto.stepfunctions.parser.api import HistoryEventType
from moto.stepfunctions.parser.asl.component.common.flow.start_at import StartAt
from moto.stepfunctions.parser.asl.eval.environment import Environment
from moto.stepfunctions.parser.asl.eval.evaluation_details import AWSExecutionDetails
from moto.stepfunctions.parser.asl.eval.event.event_manager import EventHistoryContext, EventManager
from moto.stepfunctions.parser.asl.eval.program_state import ProgramRunning
from moto.stepfunctions.parser.asl.eval.states import ContextObjectData
from moto.stepfunctions.parser.asl.parse.asl_parser import AmazonStateLanguageParser

from local.services.stepfunctions_definition import prepared

if TYPE_CHECKING:
    from local.services.stepfunctions_execution import Run

LAST_EVENTS = {"ExecutionSucceeded", "ExecutionFailed", "ExecutionAborted", "ExecutionTimedOut"}


def iso(moment: datetime) -> str:
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")


@dataclass(frozen=True)
class Beginning:
    """Where an attempt starts: the state, its input, and the history before it."""

    state: str | None
    input: Any
    events: list[dict[str, Any]]


class History(EventManager):
    """The events of all attempts; nothing comes after the event that ends one, and nothing from a task given up."""

    def __init__(self, log: Any, earlier: list[dict[str, Any]]) -> None:
        super().__init__(cloud_watch_logging_session=log)
        self._history_event_list.extend(earlier)  # type: ignore[arg-type]
        self._event_id_gen._next_id = len(earlier) + 1
        self._ended = False

    def add_event(self, context: Any, event_type: Any, *details: Any, **options: Any) -> int:
        if self._ended or getattr(context, "given_up", False):
            return int(context.last_published_event_id)
        self._ended = str(getattr(event_type, "value", event_type)) in LAST_EVENTS
        return int(super().add_event(context, event_type, *details, **options))


class AttemptEnvironment(Environment):
    """moto's environment in which the first end stands: a stopped execution cannot fail afterwards."""

    @classmethod
    def as_frame_of(cls, env: Environment, event_history_frame_cache: EventHistoryContext | None = None) -> Environment:
        return cls.as_inner_frame_of(env, env.variable_store, event_history_frame_cache)

    def set_error(self, error: Any) -> None:
        if self._may_end():
            super().set_error(error)

    def set_timed_out(self) -> None:
        if self._may_end():
            super().set_timed_out()

    def close_frame(self, frame: Environment) -> None:
        super().close_frame(frame)
        frame.event_history_context.given_up = True  # type: ignore[attr-defined]

    def _may_end(self) -> bool:
        return self._program_state is None or isinstance(self._program_state, ProgramRunning)


class Attempt:
    """Runs the definition in a thread and tells the run how it ended, unless the run was ended meanwhile."""

    def __init__(self, run: Run, beginning: Beginning, log: Any) -> None:
        self._run = run
        self._program = AmazonStateLanguageParser.parse(prepared(run.state_machine.definition))[0]
        if beginning.state is not None:
            self._program.start_at = StartAt(beginning.state)  # type: ignore[attr-defined]
        self.env = self._environment(beginning, log)

    def start(self) -> None:
        threading.Thread(target=self._work, name=f"execution {self._run.name}", daemon=True).start()

    def stop(self, stop_date: datetime, error: str | None, cause: str | None) -> None:
        self.env.set_stop(stop_date=stop_date, cause=cause, error=error)

    def add_event(self, kind: HistoryEventType, **details: Any) -> None:
        self.env.event_manager.add_event(self.env.event_history_context, kind, details or None)  # type: ignore[arg-type]

    def events(self) -> list[dict[str, Any]]:
        return [dict(event) for event in self.env.event_manager.get_event_history()]

    def _work(self) -> None:
        self._program.eval(self.env)
        self._run.ended(self)

    def _environment(self, beginning: Beginning, log: Any) -> AttemptEnvironment:
        run = self._run
        last = beginning.events[-1]["id"] if beginning.events else 0
        environment = AttemptEnvironment(
            aws_execution_details=AWSExecutionDetails(
                account=run.account_id, region=run.region_name, role_arn=run.role_arn
            ),
            execution_type=run.sm_type,
            context=self._context(),
            event_history_context=EventHistoryContext(last),
            cloud_watch_logging_session=None,
            activity_store={},
        )
        environment.event_manager = History(log, beginning.events)
        environment.states.reset(input_value=beginning.input)
        return environment

    def _context(self) -> ContextObjectData:
        run = self._run
        execution: dict[str, Any] = {
            "Id": run.exec_arn,
            "Input": run.input_data,
            "Name": run.name,
            "RoleArn": run.role_arn,
            "StartTime": iso(run.start_date),
            "RedriveCount": run.redrive_count,
        }
        if run.redrive_date:
            execution["RedriveTime"] = iso(run.redrive_date)
        machine = {"Id": run.state_machine.arn, "Name": run.state_machine.name}
        return cast(ContextObjectData, {"Execution": execution, "StateMachine": machine})
