"""An execution: moto's, which can be stopped, timed out and redriven as on AWS, and reports each change."""

from __future__ import annotations

import json
import threading
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from moto.core.exceptions import AWSError
from moto.stepfunctions.parser.api import ExecutionStatus, HistoryEventType
from moto.stepfunctions.parser.asl.eval.program_state import ProgramEnded, ProgramError
from moto.stepfunctions.parser.backend.execution import Execution

from local.services.stepfunctions_attempt import Attempt, Beginning

if TYPE_CHECKING:
    from local.services.stepfunctions_status import StatusReports

UNSUCCESSFUL = (ExecutionStatus.FAILED, ExecutionStatus.TIMED_OUT, ExecutionStatus.ABORTED)
REDRIVABLE_DAYS = 14
LARGEST_HISTORY = 24_999
NOT_TRUNCATED = {"truncated": False}


class ExecutionNotRedrivableError(AWSError):
    """The execution's status or age does not allow a redrive."""

    TYPE = "ExecutionNotRedrivable"
    STATUS = 400


class Run(Execution):
    """`start` begins it, `redrive` begins it again at the state that failed; exactly one end counts for each."""

    def __init__(self, reports: StatusReports, **details: Any) -> None:
        super().__init__(**details)
        self.reports = reports
        self.redrive_count = 0
        self.redrive_date: datetime | None = None
        self._redrive_token: str | None = None
        self._lock = threading.RLock()

    @property
    def attempt(self) -> Attempt:
        return self.exec_worker  # type: ignore[return-value]

    def start(self) -> None:
        self._begin(Beginning(None, self.input_data, []))
        given = json.dumps(self.input_data)
        started = {"input": given, "inputDetails": NOT_TRUNCATED, "roleArn": self.role_arn}
        self.attempt.env.event_manager.add_event(
            self.attempt.env.event_history_context,
            HistoryEventType.ExecutionStarted,
            {"executionStartedEventDetails": started},  # type: ignore[arg-type]
            update_source_event_id=False,
        )
        self._go()

    def redrive(self, token: str | None) -> datetime:
        """Begin again where it failed; the same token twice is one redrive."""
        with self._lock:
            if token and token == self._redrive_token and self.redrive_date:
                return self.redrive_date
            if reason := self.why_not_redrivable():
                raise ExecutionNotRedrivableError(reason)
            beginning = self._where_it_failed()
            self.redrive_count += 1
            self.redrive_date, self._redrive_token = self.reports.now(), token
            self.stop_date = self.error = self.cause = self.output = None
            self._begin(beginning)
            self.attempt.add_event(
                HistoryEventType.ExecutionRedriven,
                executionRedrivenEventDetails={"redriveCount": self.redrive_count},
            )
            self._go()
            return self.redrive_date

    def why_not_redrivable(self) -> str | None:
        """The reason in AWS's words; None when it can be redriven."""
        if self.exec_status not in UNSUCCESSFUL:
            return f"Execution is {self.status} and cannot be redriven"
        if self.stop_date and self.reports.now() - self.stop_date > timedelta(days=REDRIVABLE_DAYS):
            return "Execution redrivable period exceeded"
        if len(self.attempt.events()) >= LARGEST_HISTORY:
            return "Execution history event limit exceeded"
        return None

    def stop(self, stop_date: datetime, error: str | None, cause: str | None) -> None:
        with self._lock:
            if self.exec_status != ExecutionStatus.RUNNING:
                return
            self.attempt.stop(stop_date, error, cause)
            if self._inside_a_task():
                self.attempt.add_event(HistoryEventType.TaskStateAborted)
            told = {name: text for name, text in (("error", error), ("cause", cause)) if text is not None}
            self.attempt.add_event(HistoryEventType.ExecutionAborted, executionAbortedEventDetails=told)
            self._conclude(ExecutionStatus.ABORTED, error, cause)

    def ended(self, attempt: Attempt) -> None:
        """The interpreter is through with an attempt."""
        with self._lock:
            if attempt is not self.attempt or self.exec_status != ExecutionStatus.RUNNING:
                return
            state = attempt.env.program_state()
            if isinstance(state, ProgramEnded):
                self.output = attempt.env.states.get_input()
                self._conclude(ExecutionStatus.SUCCEEDED)
            elif isinstance(state, ProgramError):
                told: dict[str, Any] = dict(state.error or {})
                self._conclude(ExecutionStatus.FAILED, told.get("error"), told.get("cause"))
            else:
                attempt.add_event(HistoryEventType.ExecutionTimedOut, executionTimedOutEventDetails={})
                self._conclude(ExecutionStatus.TIMED_OUT)

    def to_history_output(self) -> Any:
        return {"events": self.attempt.events()}

    def _begin(self, beginning: Beginning) -> None:
        self.exec_worker = Attempt(self, beginning, self.reports.log_of(self))  # type: ignore[assignment]

    def _go(self) -> None:
        self.exec_status = ExecutionStatus.RUNNING
        self.reports.changed(self)
        self.attempt.start()

    def _conclude(self, status: ExecutionStatus, error: str | None = None, cause: str | None = None) -> None:
        self.error, self.cause = error, cause
        self.stop_date = self.reports.now()
        self.exec_status = status
        self.reports.changed(self)

    def _where_it_failed(self) -> Beginning:
        """The last state of the machine itself that was entered, with the input that it had then."""
        events = self.attempt.events()
        own = json.loads(self.state_machine.definition)["States"]
        for event in reversed(events):
            entered = event.get("stateEnteredEventDetails")
            if entered and entered["name"] in own:
                return Beginning(entered["name"], json.loads(entered["input"]), events)
        return Beginning(None, self.input_data, events)

    def _inside_a_task(self) -> bool:
        kinds = [str(getattr(event["type"], "value", event["type"])) for event in self.attempt.events()]
        return kinds.count("TaskStateEntered") > kinds.count("TaskStateExited") + kinds.count("TaskStateAborted")
