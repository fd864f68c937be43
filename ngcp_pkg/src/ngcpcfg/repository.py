"""The git repository of the configuration, by git itself."""

import os
import subprocess
from collections.abc import Mapping
from pathlib import Path

from ngcpcfg.problems import RefusedError


class Repository:
    """One working tree: /etc/ngcp-config on branch `master`, or the one of branch `vendor`."""

    def __init__(self, tree: Path) -> None:
        self.tree = tree

    def git(self, *arguments: str, environment: Mapping[str, str] | None = None) -> str:
        """Run git; its output, or RefusedError with what it complained of."""
        done = self.attempt(*arguments, environment=environment)
        if done.returncode != 0:
            complaint = (done.stderr or done.stdout).strip()
            raise RefusedError(f"git {arguments[0]} in {self.tree} failed: {complaint}")
        return done.stdout

    def attempt(
        self, *arguments: str, environment: Mapping[str, str] | None = None
    ) -> "subprocess.CompletedProcess[str]":
        """Run git whatever comes of it, untouched by what the operator's own git is set to."""
        user = os.environ.get("SUDO_USER", "root")
        settings = {
            "user.name": user,
            "user.email": f"{user}@localhost",
            "commit.gpgsign": "false",
            "core.quotepath": "false",
        }
        options = [option for key, value in settings.items() for option in ("-c", f"{key}={value}")]
        return subprocess.run(
            ["git", "-C", str(self.tree), *options, *arguments],
            capture_output=True,
            text=True,
            check=False,
            env={**os.environ, "LC_ALL": "C.UTF-8", **(environment or {})},
        )

    def is_initialised(self) -> bool:
        """Tell whether there is a repository with a first commit."""
        return (self.tree / ".git").exists() and self.attempt("rev-parse", "--verify", "HEAD").returncode == 0

    def require_initialised(self) -> None:
        """Refuse to go on without a repository."""
        if not self.is_initialised():
            raise RefusedError(f"{self.tree} has not been initialised yet; run ngcpcfg initialise")

    def head(self) -> str:
        """Give the id of the current commit."""
        return self.git("rev-parse", "HEAD").strip()

    def branch(self) -> str:
        """Give the name of the current branch."""
        return self.git("rev-parse", "--abbrev-ref", "HEAD").strip()

    def is_merging(self) -> bool:
        """Tell whether a merge was begun by hand and is not finished."""
        return self.attempt("rev-parse", "--verify", "MERGE_HEAD").returncode == 0

    def changes(self) -> list[tuple[str, str]]:
        """List what is not committed: two letters of `git status` and the file."""
        lines = self.git("status", "--porcelain", "--untracked-files=all", "-z").split("\0")
        return [(line[:2], line[3:]) for line in lines if line[2:3] == " "]

    def commit(self, message: str) -> bool:
        """Commit everything; False if there is nothing to commit."""
        self.git("add", "--all")
        if not self.changes():
            return False
        self.git("commit", "--quiet", "--message", message)
        return True
