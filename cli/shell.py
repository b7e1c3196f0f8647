"""`shell`: an interactive prompt for Athena, with completion of tables and columns."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

from cli.assumed import AsOption
from cli.bi import TeamOption, UserOption
from cli.errors import CommandError, said
from cli.target import EnvOption

if TYPE_CHECKING:
    from prompt_toolkit import PromptSession
    from prompt_toolkit.key_binding import KeyBindings

    from cli.athena import Session
    from cli.completion import LakeCatalog

HELP = r"""End a statement with `;`. Tab completes, Ctrl-C stops a query, Ctrl-D leaves.
  \d            tables of gold        \d TABLE      its columns
  \f FORMAT     table, csv or json    \q            leave"""
FORMATS = ("table", "csv", "json")
LEAVE = (r"\q", "exit", "quit")
ASK = ("help", "?")


def shell(as_: AsOption = "", env: EnvOption = "local", team: TeamOption = "", user: UserOption = "") -> None:
    """Ask Athena at a prompt that knows the lake's tables and columns."""
    from cli.completion import LakeCatalog
    from cli.console import console
    from cli.query import session

    where = session(env, team, user, as_)
    catalog = LakeCatalog(where.lake)
    who = f", as {as_}" if as_ else ""
    console.print(f"Athena of '{where.lake.environment.name}', workgroup {where.workgroup}{who}.", soft_wrap=True)
    console.print(HELP, markup=False)
    Shell(where, catalog).loop(_prompt(where, catalog, f" as {as_}" if as_ else ""))


class Shell:
    """The statements and commands of one sitting."""

    def __init__(self, where: Session, catalog: LakeCatalog) -> None:
        self._where, self._catalog, self._format = where, catalog, "table"

    def loop(self, prompt: PromptSession[str]) -> None:
        while True:
            try:
                text = prompt.prompt()
            except KeyboardInterrupt:
                continue  # the line is given up, not the shell
            except EOFError:
                return
            if text.strip().rstrip(";").strip().lower() in LEAVE:
                return
            self.answer(text)

    def answer(self, text: str) -> None:
        """Do what a line asks for; what goes wrong is told, and the shell goes on."""
        from cli.console import progress

        try:
            self._do(text.strip())
        except KeyboardInterrupt:
            progress.print("Stopped.")
        except Exception as error:
            sentence = said(error)
            if sentence is None:
                raise
            progress.print(sentence, style="red", markup=False, soft_wrap=True)

    def _do(self, text: str) -> None:
        if text.startswith("\\") or text.rstrip(";").strip().lower() in ASK:
            self._command(*text.rstrip(";").split())
            return
        from cli import results, statements
        from cli.query import tell

        for each in statements.split(text):
            result = self._where.run(each)
            tell(result, results.show(result, self._format, None))
            if result.execution.get("StatementType") != "DML":
                self._catalog.forget()

    def _command(self, command: str, *given: str) -> None:
        from cli.console import console, table

        if command == r"\d" and not given:
            names = self._catalog.tables(self._catalog.home)
            table("", ("table", "columns"), [(name, len(columns)) for name, columns in sorted(names.items())])
        elif command == r"\d":
            columns = self._catalog.columns(given[0])
            if not columns:
                raise CommandError(rf"The table '{given[0]}' is not there. `\d` lists tables.")
            table("", ("column", "type", "meaning"), columns)
        elif command == r"\f" and given:
            if given[0] not in FORMATS:
                raise CommandError(f"The format '{given[0]}': expected one of {', '.join(FORMATS)}. Name one of them.")
            self._format = given[0]
        else:
            console.print(HELP, markup=False)


def _prompt(where: Session, catalog: LakeCatalog, who: str) -> PromptSession[str]:
    from prompt_toolkit import PromptSession
    from prompt_toolkit.history import FileHistory
    from prompt_toolkit.lexers import PygmentsLexer
    from pygments.lexers.sql import SqlLexer

    from cli.completion import SqlCompleter

    history = _state_folder() / "shell_history"
    history.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    history.touch(mode=0o600)  # SQL can hold values of rows
    return PromptSession(
        f"{where.lake.environment.name}{who}> ",
        multiline=True,
        key_bindings=_enter_after_semicolon(),
        prompt_continuation="  > ",
        completer=SqlCompleter(catalog),
        complete_while_typing=False,
        complete_in_thread=True,
        history=FileHistory(str(history)),
        lexer=PygmentsLexer(SqlLexer),
    )


def _state_folder() -> Path:
    """Where programs of a person keep such things (XDG)."""
    return Path(os.environ.get("XDG_STATE_HOME") or Path.home() / ".local" / "state") / "headwater"


def _enter_after_semicolon() -> KeyBindings:
    """Enter hands over what is whole: a statement with its `;`, a command, or nothing at all."""
    from prompt_toolkit.key_binding import KeyBindings, KeyPressEvent

    from cli import statements

    bindings = KeyBindings()

    @bindings.add("enter")
    def enter(event: KeyPressEvent) -> None:
        buffer = event.current_buffer
        text = buffer.text.strip()
        found = statements.parts(text)
        whole = text.startswith("\\") or text.lower() in (*LEAVE, *ASK) or not found or found[-1][1]
        if whole:
            buffer.validate_and_handle()
        else:
            buffer.insert_text("\n")

    return bindings
