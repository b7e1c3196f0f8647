"""What is said of an error that nobody expected."""

from __future__ import annotations

from glue_jobs.causes import explain
from lake.parts import Dataset


def test_an_unexpected_error_is_told_in_one_line_without_its_password() -> None:
    users = Dataset("saas.users", "saas", "users", "silver", "1.0.0", "h", (), ())
    error = ValueError("no route to jdbc:postgresql://reader:hunter2@db/saas?password=hunter3\nand more")
    cause = explain(error, users).cause
    assert cause == "ValueError: no route to jdbc:postgresql://reader:***@db/saas?password=***"
