"""PyIceberg's way to files, with a list of those that it writes."""

from __future__ import annotations

from pyiceberg.io import FileIO, InputFile, OutputFile


class RecordedIO(FileIO):
    """Another FileIO, of which every new file goes to the list `written`."""

    def __init__(self, io: FileIO, written: list[str]) -> None:
        super().__init__(io.properties)
        self._io, self._written = io, written

    def new_input(self, location: str) -> InputFile:
        return self._io.new_input(location)

    def new_output(self, location: str) -> OutputFile:
        self._written.append(location)
        return self._io.new_output(location)

    def delete(self, location: str | InputFile | OutputFile) -> None:
        self._io.delete(location)
