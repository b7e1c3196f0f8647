"""The plan of an environment, of its files as they are or as they were at a commit, and who sees what by it."""

from __future__ import annotations

import io
import subprocess
import tarfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import config
import contracts
from cli.errors import CommandError
from cli.lake_tables import LakeTable, tables
from cli.sights import Judge, Sight
from config import Environment
from config.positions import FileError, suggestion
from contracts import queries
from contracts.compile import describe
from lake.governance import plan, readable_whole
from lake.masking import with_masked
from lake.parts import GOVERNED, Dataset
from lake.rights import Plan
from lake.roles import Role
from lake.views import View

PARTS = ("config", "contracts", "models", "queries")


@dataclass(frozen=True)
class Rights:
    """The plan of an environment as its files say it, and what it is made from."""

    environment: Environment
    datasets: Mapping[str, Dataset]
    views: tuple[View, ...]
    plan: Plan
    root: Path

    @cached_property
    def tables(self) -> dict[str, LakeTable]:
        """By LAYER.NAME."""
        databases = describe(self.environment).databases
        return tables(self.datasets, self.views, {layer: databases[layer] for layer in GOVERNED})

    @cached_property
    def judge(self) -> Judge:
        roles = self.environment.roles.values()
        whole = {each.name: readable_whole(each, self.datasets.values()) for each in roles}
        return Judge(describe(self.environment), self.plan, self.tables, whole)

    def role(self, name: str) -> Role:
        """Raises CommandError where the environment has none of that name."""
        known = self.environment.roles
        if name not in known:
            raise CommandError(
                f"The role '{name}': expected one of config/{self.environment.name}.yaml. {suggestion(name, known)}"
            )
        return known[name]

    def sights(self, only: str = "") -> Iterator[Sight]:
        """By role and table."""
        roles = [self.role(only)] if only else self.environment.roles.values()
        for role in sorted(roles, key=lambda each: each.name):
            yield from self.judge.sights(role)


def rights(env: str, root: Path = contracts.ROOT) -> Rights:
    """Of the files below root; a folder of an earlier revision has its own environments too."""
    environment = config.load(env) if root == contracts.ROOT else config.load_file(root / "config" / f"{env}.yaml")
    datasets, described = with_masked(contracts.load_all(root)), describe(environment)
    views = queries.load_all(root, datasets, described.databases).views
    return Rights(environment, datasets, views, plan(described, datasets.values(), views), root)


def at_revision(env: str, revision: str, folder: Path) -> Rights:
    """The same as of a commit, whose files are laid into the folder."""
    git = ["git", "-C", str(contracts.ROOT)]
    listed = subprocess.run([*git, "ls-tree", "--name-only", revision, "--", *PARTS], capture_output=True, text=True)
    done = subprocess.run([*git, "archive", revision, "--", *listed.stdout.split()], capture_output=True)
    if listed.returncode or done.returncode:
        raise CommandError(f"The revision '{revision}': expected one that git knows. Fetch it, or name another.")
    with tarfile.open(fileobj=io.BytesIO(done.stdout)) as archive:
        archive.extractall(folder, filter="data")
    try:
        return rights(env, folder)
    except (FileError, FileNotFoundError) as error:
        raise CommandError(
            f"The revision '{revision}': expected contracts and roles that this version reads. {error}"
        ) from error


def changes(before: Rights, after: Rights) -> list[tuple[str, Sight]]:
    """`-` for what is seen no more, `+` for what is seen anew."""
    old, new = set(before.sights()), set(after.sights())
    marked = [("-", each) for each in old - new] + [("+", each) for each in new - old]
    return sorted(marked, key=lambda each: (each[1].role, each[1].table, each[0] == "+"))
