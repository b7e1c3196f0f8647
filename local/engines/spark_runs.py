"""What a job run has at work in the warm JVM: ended and waited for, since a dead job would otherwise go on committing.

A child marks each of its connections: its JVM thread carries the run's name, and every Spark job started there its tag.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any

POLL_SECONDS = 0.05
THREAD = "headwater run {}"  # spark_child.py names its threads so too


class Runs:
    """The runs of one JVM: `runs.end(run)` answers whether nothing of it is left."""

    def __init__(self, gateway: Any) -> None:
        self._gateway = gateway
        self._jvm = gateway.jvm
        self._context = self._jvm.org.apache.spark.SparkContext.getOrCreate()

    def end(self, run: str, patience: float) -> bool:
        """Cancel and interrupt until no thread and no task of the run is left; False when some still are."""
        end = time.monotonic() + patience
        while True:
            self._context.cancelJobsWithTag(run)
            threads = self._jvm.org.apache.commons.lang3.ThreadUtils.findThreadsByName(THREAD.format(run)).toArray()
            for thread in threads:
                thread.interrupt()  # it may be between two jobs, on its way to a commit
            if not threads and not self._tasks(run):
                return True
            if time.monotonic() > end:
                return False
            time.sleep(POLL_SECONDS)

    def disconnect(self) -> None:
        """The JVM is about to end: objects of it that are still known here are no longer released there."""
        self._gateway._gateway_client.is_connected = False

    def seconds(self, run: str) -> float:
        """The time that executors spent on the run's tasks: Spark-seconds."""
        store, none = self._context.statusStore(), self._gateway.new_array(self._jvm.double, 0)
        statuses = self._jvm.java.util.ArrayList()
        milliseconds = 0
        for stage in self._stages(run):
            attempts = store.stageData(stage, False, statuses, False, none)
            milliseconds += sum(attempts.apply(number).executorRunTime() for number in range(attempts.size()))
        return milliseconds / 1000

    def _tasks(self, run: str) -> int:
        self._context.listenerBus().waitUntilEmpty()
        tracker = self._context.statusTracker()
        if not any(executor.numRunningTasks() for executor in tracker.getExecutorInfos()):
            return 0
        found = (tracker.getStageInfo(stage) for stage in self._stages(run))
        return sum(info.get().numActiveTasks() for info in found if info.isDefined())

    def _stages(self, run: str) -> Iterator[int]:
        self._context.listenerBus().waitUntilEmpty()
        tracker = self._context.statusTracker()
        seen: set[int] = set()
        for job in tracker.getJobIdsForTag(run):
            info = tracker.getJobInfo(job)
            if info.isDefined():
                seen.update(info.get().stageIds())
        return iter(sorted(seen))
