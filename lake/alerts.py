"""What people are told when a run goes wrong: which run, which datasets, why, and what to do."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from lake.gates import not_met, told
from lake.records import Outcome

_SUBJECT_LENGTH = 100  # of an SNS message, in ASCII
_TELL = 25  # failed datasets named in one message
_CAUSE_LENGTH = 500
_SECRET = re.compile(r"(?i)\b(password|passwd|pwd|secret|token|access_?key(?:_?id)?)(\"?\s*[=:]\s*\"?)[^\s\",;&]+")
_LOGIN = re.compile(r"(://[^\s/:@]+:)[^\s/@]+@")

# How late the latest pipeline or dataset is: the freshness function measures it, an alarm watches it.
LATE_NAMESPACE, LATE_METRIC = "Headwater", "MinutesOverdue"

# The runbook's anchors: docs/runbook.md has a heading for each.
DATASET_FAILED = "a-dataset-failed"
EXECUTION_FAILED = "an-execution-failed"
NEVER_STARTED = "a-run-never-started"
LATE = "a-run-is-late"
WARNED = "a-run-warned"
PAGES = (DATASET_FAILED, EXECUTION_FAILED, NEVER_STARTED, LATE, WARNED)


@dataclass(frozen=True)
class Failure:
    """One thing that failed: a dataset in a step, or a whole step where `dataset` is empty."""

    dataset: str
    step: str
    cause: str
    remedy: str


@dataclass(frozen=True)
class Alert:
    """A message about one run; `status`: FAILED, TIMED_OUT, ABORTED, NEVER STARTED or LATE, SUCCEEDED if it warned."""

    pipeline: str
    run: str
    status: str
    failures: tuple[Failure, ...]
    runbook: str
    environment: str
    in_ledger: bool = True  # crawls have no run there
    warnings: tuple[str, ...] = ()

    @property
    def subject(self) -> str:
        names = ", ".join(each.dataset for each in self.failures if each.dataset)
        text = f"{self.pipeline} {self.status}: {self.run}" + (f" ({names})" if names else "")
        return text.encode("ascii", "replace").decode()[:_SUBJECT_LENGTH]

    @property
    def text(self) -> str:
        lines = [f"Pipeline {self.pipeline}, run {self.run}: {self.status}.", ""]
        for each in self.failures[:_TELL]:
            lines += [f"{each.dataset or 'The run'} failed in {each.step}: {each.cause}", f"  To do: {each.remedy}", ""]
        if len(self.failures) > _TELL:
            lines += [f"And {len(self.failures) - _TELL} more.", ""]
        if self.warnings:
            lines += [*(f"Warning: {each}" for each in self.warnings[:_TELL]), ""]
        if self.in_ledger:
            lines.append(f"All that the ledger knows: ./headwater explain {self.run} --env {self.environment}")
        lines.append(f"Runbook: {self.runbook}")
        return "\n".join(lines)


def failures_of(outcomes: Iterable[Outcome]) -> tuple[Failure, ...]:
    redrive = "Mend the cause, then redrive the execution."
    return tuple(
        Failure(each.dataset, each.step, clean(each.cause), clean(each.remedy) or redrive) for each in outcomes
    )


def warnings_of(outcomes: Iterable[Outcome]) -> tuple[str, ...]:
    """The gates of severity warn that are not met, as the latest attempt at each dataset found them."""
    latest = {(each.dataset, each.step): each for each in outcomes}.values()
    return tuple(
        f"{each.dataset}: the gate {clean(told(gate))}" for each in latest for gate in not_met(each.gates, "warn")
    )


def clean(text: str) -> str:
    """One line, short, without passwords: what a message may carry."""
    line = _LOGIN.sub(r"\1***@", _SECRET.sub(r"\1\2***", " ".join(text.split())))
    return line if len(line) <= _CAUSE_LENGTH else f"{line[: _CAUSE_LENGTH - 1]}…"


def publish(alert: Alert, topic_arn: str, sns: Any) -> None:
    """Sends the alert, and prints it as one line for CloudWatch Logs."""
    sns.publish(TopicArn=topic_arn, Subject=alert.subject, Message=alert.text)
    print(json.dumps({"alert": alert.subject, **asdict(alert)}))


def named(items: Sequence[str], limit: int = 10) -> str:
    return ", ".join(items[:limit]) + (f" and {len(items) - limit} more" if len(items) > limit else "")
