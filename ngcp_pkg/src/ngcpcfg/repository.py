"""The git repository of the configuration, by git itself."""

import os
import subprocess
import tempfile
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

from ngcpcfg import messages, permissions
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
        messages.debug(f"git {' '.join(arguments)}")
        messages.debug(f"git {' '.join(arguments)}")
        return subprocess.run(
            ["git", "-C", str(self.tree), *options, *arguments],
            capture_output=True,
            text=True,
            check=False,
            close_fds=False,  # the lock is held until git has ended, although this process be killed
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
        """Give the name of the current branch; HEAD if there is none."""
        head = (self._own() / "HEAD").read_text().strip()
        return head.removeprefix("ref: refs/heads/") if head.startswith("ref: ") else "HEAD"

    def is_merging(self) -> bool:
        """Tell whether a merge was begun by hand and is not finished."""
        return (self._own() / "MERGE_HEAD").exists()

    def outlive_a_killed_git(self) -> None:
        """Remove the lock that a killed git has left; refuse to go on beside one that is at work."""
        lock = self.tree / ".git/index.lock"
        if not lock.exists():
            return
        if (process := self._git_at_work()) is not None:
            raise RefusedError(f"git (process {process}) is at work in {self.tree}")
        lock.unlink(missing_ok=True)
        messages.warn(f"removed {lock}, which a git that was killed had left")

    def _git_at_work(self) -> int | None:
        for process in Path("/proc").glob("[0-9]*"):
            with suppress(OSError):
                program, directory = (process / "exe").readlink(), (process / "cwd").readlink()
                if program.name == "git" and directory.is_relative_to(self.tree.resolve()):
                    return int(process.name)
        return None

    def _own(self) -> Path:
        """Give the directory in which git keeps what is this working tree's own."""
        git = self.tree / ".git"
        return git if git.is_dir() else Path(git.read_text().strip().removeprefix("gitdir: "))

    def changes(self) -> list[tuple[str, str]]:
        """List what is not committed: two letters of `git status` and the file."""
        lines = self.git("status", "--porcelain", "--untracked-files=all", "-z").split("\0")
        return [(line[:2], line[3:]) for line in lines if line[2:3] == " "]

    def snapshot(self) -> str:
        """Give the id of the tree that a commit of everything would have; nothing is touched."""
        with tempfile.TemporaryDirectory() as directory:
            index = {"GIT_INDEX_FILE": f"{directory}/index"}
            self.git("read-tree", "HEAD", environment=index)
            self.git("add", "--all", environment=index)
            return self.git("write-tree", environment=index).strip()

    def commit(self, message: str) -> bool:
        """Commit everything; False if there is nothing to commit."""
        self.git("add", "--all")
        if (self.tree / ".git").is_dir():  # not the tree of vendor, where Ansible gives them
            permissions.save(self.tree, self.git("ls-files", "-z").split("\0"))
            self.git("add", "--all")
        if not self.changes():
            return False
        self.git("commit", "--quiet", "--message", message)
        return True
