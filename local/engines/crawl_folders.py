"""Which files are one table, and which folders are its partitions, as Glue's S3 crawler groups them."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from urllib.parse import unquote

from local.engines.crawl_formats import UNKNOWN, Form
from local.engines.crawl_types import merged

ALIKE = 0.7  # of two files' columns: below it they are not of one table


@dataclass(frozen=True)
class Object:
    """An object of S3, at `key`."""

    key: str
    size: int


@dataclass(frozen=True)
class Group:
    """A table's files: `place` is the folder (it ends in /) or the one file that they are."""

    place: str
    files: Mapping[str, Form]
    sizes: Mapping[str, int]

    @property
    def classification(self) -> str:
        return next(iter(self.files.values())).classification

    @property
    def keys(self) -> list[str]:
        """The partition columns: named by folders `key=value`, else numbered."""
        depth = len(next(iter(self.partitions()), ()))
        folders = [[folder.partition("=") for folder in self._folders(key)] for key in self.files]
        found = []
        for level in range(depth):
            named = {each[level][0].lower() for each in folders if each[level][1]}
            plain = any(not each[level][1] for each in folders)
            found.append(named.pop() if len(named) == 1 and not plain else f"partition_{level}")
        return found

    def partitions(self) -> dict[tuple[str, ...], str]:
        """The folder of each partition, by its values; nothing where files lie in the table's own folder."""
        found: dict[tuple[str, ...], str] = {}
        for key in self.files:
            folders = self._folders(key)
            if folders:
                values = tuple(unquote(each.rpartition("=")[2] if "=" in each else each) for each in folders)
                found.setdefault(values, f"{self.place}{'/'.join(folders)}/")
        return found

    def _folders(self, key: str) -> list[str]:
        return key[len(self.place) :].split("/")[:-1] if self.place.endswith("/") else []


def wanted(objects: Iterable[Object], exclusions: Sequence[str], prefix: str) -> list[Object]:
    """The objects that hold data: not folders' marks, empty or hidden files, or what the target excludes."""
    excluded = [re.compile(_pattern(glob), re.DOTALL) for glob in exclusions]
    found = []
    for each in objects:
        name = each.key.rpartition("/")[2]
        below = each.key[len(prefix) :].lstrip("/")
        if each.size and name and name[0] not in "._" and not any(each.fullmatch(below) for each in excluded):
            found.append(each)
    return found


def _pattern(glob: str) -> str:
    """A glob as Glue reads it: * stays within a folder, ** does not; {a,b}, [abc], [!a] as in a shell."""
    made, within = "", 0
    for part in re.findall(r"\\.|\*\*|\[[^]]+\]|.", glob, re.DOTALL):
        if part in ("*", "**", "?"):
            made += {"*": "[^/]*", "**": ".*", "?": "[^/]"}[part]
        elif part == "{" or (within and part in ",}"):
            within += {"{": 1, ",": 0, "}": -1}[part]
            made += {"{": "(?:", ",": "|", "}": ")"}[part]
        elif len(part) > 2:
            made += f"[^{part[2:]}" if part[1] == "!" else part
        else:
            made += re.escape(part[-1])
    return made + ")" * within


def roots(objects: Sequence[Object], level: int) -> dict[str, list[Object]]:
    """The objects by the folder that is their table's, at this level of which the bucket is the first."""
    found: dict[str, list[Object]] = {}
    for each in objects:
        folders = each.key.split("/")[:-1]
        if len(folders) >= level - 1:
            found.setdefault("".join(f"{folder}/" for folder in folders[: level - 1]), []).append(each)
    return found


def grouped(place: str, files: Mapping[str, Form], sizes: Mapping[str, int], *, fixed: bool) -> list[Group]:
    """The tables of a folder: one where its files are alike and equally deep, else those of each folder in it.

    A `fixed` folder is a table whatever its files' columns are, as long as they are of one format.
    """
    if not files:
        return []
    depths = {key[len(place) :].count("/") for key in files}
    formats = {form.classification for form in files.values()}
    if len(depths) == len(formats) == 1 and (fixed or _alike(list(files.values()))):
        return [Group(place, files, {key: sizes[key] for key in files})]
    inner: dict[str, dict[str, Form]] = {}
    for key, form in files.items():
        folder, below, _ = key[len(place) :].partition("/")
        inner.setdefault(f"{place}{folder}/" if below else key, {})[key] = form
    found = []
    for inside, its in inner.items():
        deeper = grouped(inside, its, sizes, fixed=False) if inside.endswith("/") else []
        found += deeper or [Group(inside, its, {key: sizes[key] for key in its})]
    return found


def _alike(forms: Sequence[Form]) -> bool:
    if forms[0].classification == UNKNOWN:
        return len(forms) == 1
    columns = [{name.lower() for name in form.schema.names} for form in forms]
    most = set(merged([form.schema for form in forms]).names)
    return all(len(each) >= ALIKE * len(most) for each in columns)
