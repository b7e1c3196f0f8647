"""What a stream's consumer counts, each with the dimension Dataset: the consumer measures it, alarms watch it."""

from __future__ import annotations

NAMESPACE = "Headwater/Streams"
RECORDS = "Records"
DEAD_LETTERS = "DeadLetters"
EVENT_TO_BRONZE = "EventToBronzeSeconds"  # of a sample of each batch
FAILED_BATCHES = "FailedBatches"  # S3 did not take them; Lambda hands them in again
