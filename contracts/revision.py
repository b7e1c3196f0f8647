"""The contracts as git has them in an earlier revision."""

from __future__ import annotations

import subprocess
from dataclasses import dataclass
from pathlib import Path

MAIN = "origin/main"


class NoRevisionError(Exception):
    """There is nothing to compare with."""


@dataclass(frozen=True)
class Revision:
    """A commit that the files under `root` are compared with; `name` is what a person calls it."""

    root: Path
    commit: str
    name: str

    def changed(self, folder: str) -> list[str]:
        """The files below a folder that are not as they were, are gone, or are new."""
        differ = _git(self.root, "diff", "--name-only", "--no-renames", "--relative", self.commit, "--", folder)
        unknown = _git(self.root, "ls-files", "--others", "--exclude-standard", "--", folder)
        return sorted([*(differ or "").splitlines(), *(unknown or "").splitlines()])

    def text(self, file: str) -> str | None:
        """A file as it was; None for one that was not there."""
        return _git(self.root, "show", f"{self.commit}:./{file}")


def find(root: Path, against: str | None = None) -> Revision:
    """`against`, or else where this branch left main, or else the last commit."""
    if not any((folder / ".git").exists() for folder in (root, *root.resolve().parents)):
        raise NoRevisionError(f"The folder '{root}': expected a git repository to compare with. Nothing was compared.")
    if against is not None:
        commit = _git(root, "rev-parse", "--verify", "--quiet", f"{against}^{{commit}}")
        if commit is None:
            raise NoRevisionError(f"The revision '{against}': expected one that git knows. Fetch it, or name another.")
        return Revision(root, commit.strip(), against)
    if base := _git(root, "merge-base", MAIN, "HEAD"):
        return Revision(root, base.strip(), f"{base[:10]}, where this branch left {MAIN}")
    if (head := _git(root, "rev-parse", "--verify", "--quiet", "HEAD")) is None:
        raise NoRevisionError(f"The repository of '{root}': expected a commit to compare with. Nothing was compared.")
    return Revision(root, head.strip(), f"HEAD, since {MAIN} is not here")


def _git(root: Path, *arguments: str) -> str | None:
    """What git says; None where it cannot, or is not installed."""
    try:
        done = subprocess.run(["git", "-C", str(root), *arguments], capture_output=True, text=True, check=False)
    except FileNotFoundError:
        return None
    return done.stdout if done.returncode == 0 else None
