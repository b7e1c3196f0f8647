"""PREPARE, EXECUTE and DEALLOCATE PREPARE, read: the statements that they name are kept with the workgroup."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from local.engines.athena_session import Done, Session
from local.engines.athena_words import Words


@dataclass(frozen=True)
class Prepare:
    """PREPARE name FROM statement."""

    verb: ClassVar[str] = "prepare"
    name: str
    sql: str

    def run(self, session: Session) -> Done:
        return Done()  # the workgroup's keeper does it


@dataclass(frozen=True)
class Execute:
    """EXECUTE name [USING value, …]; the statement that it names runs in its place."""

    verb: ClassVar[str] = "execute"
    name: str
    parameters: tuple[str, ...]

    def run(self, session: Session) -> Done:
        raise AssertionError("the statement that it names runs in its place")


@dataclass(frozen=True)
class Deallocate:
    """DEALLOCATE PREPARE name."""

    verb: ClassVar[str] = "deallocate_prepare"
    name: str

    def run(self, session: Session) -> Done:
        return Done()  # the workgroup's keeper does it


def read_prepare(words: Words) -> Prepare:
    name = words.name()
    words.expect("FROM")
    return Prepare(name, words.text())


def read_execute(words: Words) -> Execute:
    name, parameters = words.name(), []
    if words.accept("USING"):
        parameters = words.listed(Words.written)
    words.end()
    return Execute(name, tuple(parameters))


def read_deallocate(words: Words) -> Deallocate:
    found = Deallocate(words.name())
    words.end()
    return found
