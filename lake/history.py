"""The history of runs: their plans, and what each step did to each dataset."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import asdict, replace
from datetime import datetime
from typing import Any

from lake.items import Item, Items, make, packed_texts, texts
from lake.records import STEPS, Mode, Outcome, Plan, Run, RunStatus, Step

INDEX = "by_pipeline"
LAST_STEPS: tuple[Step, ...] = ("refine", "mask", "model", "maintain", "forget")  # a dataset of a run is done with
TEXT_LENGTH = 2000  # of a cause or a remedy


class RunNotFoundError(KeyError):
    """A run that the ledger has never seen."""

    __str__ = Exception.__str__


class NotPlannedError(Exception):
    """A step of a run that has no plan."""


class OutcomeConflictError(Exception):
    """An outcome that contradicts the success already recorded for the same step."""


class RunHistory(Items):
    """Runs, their plans and outcomes: `RUN#run / RUN`, `PLAN#attempt`, `A<attempt>#STEP#dataset`."""

    def start(self, run: str, pipeline: str, attempt: int = 0, mode: Mode | None = None) -> None:
        """The run is running, in this attempt; starting it again changes nothing, and a success stays one."""
        now = self._now()
        first = {
            "pipeline": pipeline,
            "mode": mode or "run",
            "status": "running",
            "attempt": attempt,
            "started_at": now,
        }
        first |= {"run": run, "gsi_pk": f"PIPELINE#{pipeline}", "gsi_sk": now}
        if not self._put_new(f"RUN#{run}", "RUN", first):
            again = {"status": "running", "attempt": attempt} | ({"mode": mode} if mode else {})
            when = "#attempt < :attempt AND #status <> :succeeded"
            self._set(f"RUN#{run}", "RUN", again, when, attempt=attempt, succeeded="succeeded")

    def finish(self, run: str, status: RunStatus, attempt: int | None = None) -> None:
        """How the run ended; a success is never taken back, and a later attempt than the failed `attempt` goes on."""
        ended = {"status": status, "finished_at": self._now()}
        when, given = "attribute_exists(pk) AND #status <> :succeeded", {"succeeded": "succeeded"}
        last: Item = {} if attempt is None else {"attempt": attempt}
        done = self._set(
            f"RUN#{run}", "RUN", ended, f"{when} AND #attempt <= :attempt" if last else when, **given, **last
        )
        if done is None and self.run(run) is None:
            raise RunNotFoundError(f"The run '{run}': expected in the ledger. Start it before it is finished.")

    def run(self, run: str) -> Run | None:
        found = self._get(f"RUN#{run}", "RUN")
        return _run(found) if found else None

    def runs(self, pipeline: str, limit: int = 20) -> list[Run]:
        """The latest runs of a pipeline, newest first."""
        return [_run(item) for item in self._newest(INDEX, f"PIPELINE#{pipeline}", limit)]

    def plan(self, run: str, attempt: int, datasets: Iterable[str], models: Iterable[str], **how: Any) -> Plan:
        """Records what an attempt is to do; a second plan for the same attempt gives the first one.

        `how` is the plan's mode, the run that it repeats and its first step.
        """
        plan = Plan(run, attempt, tuple(datasets), tuple(models), self._now(), **how)
        if self._put_new(f"RUN#{run}", f"PLAN#{attempt:03}", asdict(plan)):
            return plan
        planned = self.planned(run, attempt)
        assert planned is not None  # plans are never deleted
        return planned

    def planned(self, run: str, attempt: int) -> Plan | None:
        """The latest plan that holds for this attempt."""
        plans = [plan for plan in self._plans(run) if plan.attempt <= attempt]
        return plans[-1] if plans else None

    def whole(self, run: str) -> Plan:
        """The whole run, as first planned."""
        plans = self._plans(run)
        if not plans:
            raise NotPlannedError(f"The run '{run}': expected a plan in the ledger. Redrive it from Plan.")
        return plans[0]

    def reads_as(self, run: str) -> Mode:
        """The mode by which the run reads its sources: a rerun as the run that it repeats did."""
        plan = self.whole(run)
        while plan.mode == "rerun":
            plan = self.whole(plan.repeats)
        return plan.mode

    def remaining(self, run: str) -> Plan:
        """What of the whole run, as first planned, has not succeeded in any attempt at the last step it came to."""
        ended: dict[str, dict[int, set[str]]] = {}
        for each in self.outcomes(run):
            if each.step in LAST_STEPS:
                ended.setdefault(each.dataset, {}).setdefault(STEPS.index(each.step), set()).add(each.status)
        whole, done = self.whole(run), {name for name, steps in ended.items() if "succeeded" in steps[max(steps)]}
        datasets = tuple(each for each in whole.datasets if each not in done)
        models = tuple(each for each in whole.models if each not in done)
        return replace(whole, datasets=datasets, models=models)

    def record(self, outcome: Outcome) -> Outcome:
        """Records an outcome. A failure may be replaced in its attempt; a success stands, and may be said twice."""
        cause, remedy = outcome.cause[:TEXT_LENGTH], outcome.remedy[:TEXT_LENGTH]
        made = replace(outcome, cause=cause, remedy=remedy, at=outcome.at or self._now())
        sk = f"A{made.attempt:03}#{made.step}#{made.dataset}"
        item = _outcome_item(made)
        if self._put(f"RUN#{made.run}", sk, item, "attribute_not_exists(pk) OR #status = :failed", failed="failed"):
            return made
        stored = self._get(f"RUN#{made.run}", sk)
        assert stored is not None  # outcomes are never deleted
        told = _outcome(stored)
        if replace(made, at=told.at, seconds=told.seconds) != told:
            raise OutcomeConflictError(
                f"The {made.step} of {made.dataset} in {made.run}, attempt {made.attempt}: it succeeded at {told.at}"
                " with another result. Two jobs worked on it: look for the one that should have stopped."
            )
        return told

    def outcomes(self, run: str) -> list[Outcome]:
        """Every outcome of every attempt, oldest first."""
        found = (_outcome(item) for item in self._query(f"RUN#{run}", "A"))
        return sorted(found, key=lambda each: (each.attempt, each.at, STEPS.index(each.step), each.dataset))

    def succeeded(self, run: str, step: Step) -> set[str]:
        return {each.dataset for each in self.outcomes(run) if each.step == step and each.status == "succeeded"}

    def failed(self, run: str) -> list[Outcome]:
        """For each dataset whose latest step failed, that failure."""
        latest: dict[str, dict[Step, Outcome]] = {}
        for each in self.outcomes(run):
            latest.setdefault(each.dataset, {})[each.step] = each
        failures = ([each for each in steps.values() if _lasts(each, steps.values())] for steps in latest.values())
        return [max(each, key=lambda one: (one.attempt, STEPS.index(one.step))) for each in failures if each]

    def _plans(self, run: str) -> list[Plan]:
        return [make(Plan, item) for item in self._query(f"RUN#{run}", "PLAN#")]


def _lasts(outcome: Outcome, others: Iterable[Outcome]) -> bool:
    """Whether it failed, and no later attempt has come past it: what was cured by hand has no success of its own."""
    passed = (each for each in others if each.status == "succeeded" and each.attempt > outcome.attempt)
    return outcome.status == "failed" and not any(STEPS.index(each.step) > STEPS.index(outcome.step) for each in passed)


def _run(item: Item) -> Run:
    times: Item = {name: datetime.fromisoformat(item[name]) for name in ("started_at", "finished_at") if name in item}
    if item["status"] == "running":  # a redriven run still has the time at which it failed
        times["finished_at"] = None
    return make(Run, {**item, **times})


def _outcome_item(outcome: Outcome) -> Item:
    # Gates may hold any JSON value, also ones that DynamoDB's numbers cannot.
    return {**asdict(outcome), "gates": json.dumps(outcome.gates), "files": packed_texts(outcome.files)}


def _outcome(item: Item) -> Outcome:
    stored = {"gates": tuple(json.loads(item["gates"])), "files": texts(item["files"])}
    return make(Outcome, {**item, **stored, "seconds": float(item["seconds"])})
