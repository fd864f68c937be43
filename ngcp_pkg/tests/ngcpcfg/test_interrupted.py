"""An apply that is killed: at whatever moment, all files are old or all new, and the next one finishes it."""

import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from ngcpcfg import transaction
from ngcpcfg.lock import exclusive
from ngcpcfg.problems import RefusedError
from ngcpcfg.writer import File
from temporary_node import TemporaryNode

LB = "/etc/kamailio/lb/lb.yml"
RELAY = "/etc/default/ngcp-rtpengine-daemon"
RESTARTS = ["restart kamailio-lb", "restart ngcp-rtpengine-daemon"]
#: What Python tells of before it does it, as far as others can see it.
STEPS = ("os.rename", "os.remove")
CHANGING_PROGRAMS = {"add", "commit", "restart", "sh"}


def is_step(event: str, arguments: tuple[Any, ...]) -> bool:
    """Tell whether this changes something that others can see."""
    if event == "open":
        return str(arguments[0]).endswith(".ngcpcfg-new") and "root/etc" in str(arguments[0])
    if event == "subprocess.Popen":
        return bool(CHANGING_PROGRAMS.intersection(arguments[1]))
    return event in STEPS


def apply_killed(node: TemporaryNode, step: int) -> bool:
    """Apply in a process that is killed just before its step of this number; False if it had fewer."""
    child = os.fork()
    if child == 0:
        count = 0
        process = os.getpid()

        def kill_in_time(event: str, arguments: tuple[Any, ...]) -> None:
            nonlocal count
            if os.getpid() == process and is_step(event, arguments):
                count += 1
                if count == step:
                    os.kill(process, signal.SIGKILL)

        sys.addaudithook(kill_in_time)
        try:
            node.run("apply", "another value")
        finally:
            os._exit(0)
    return os.WIFSIGNALED(os.waitpid(child, 0)[1])


def change(node: TemporaryNode, value: int) -> None:
    """Let both files differ."""
    text = (node.main / "config.yml").read_text().splitlines(keepends=True)
    changed = [
        f"    port: {6000 + value}\n"
        if line.startswith("    port: ")
        else f"  tos_rtp: {value}\n"
        if "tos_rtp" in line
        else line
        for line in text
    ]
    (node.main / "config.yml").write_text("".join(changed))


def made_of(node: TemporaryNode) -> tuple[str, str]:
    """Say which value each of the two files was made of."""
    port = node.rendered(LB).split("port: ")[1].splitlines()[0]
    return str(int(port) - 6000), node.rendered(RELAY).split("TOS=")[1].strip()


def test_killed_at_each_step_it_leaves_old_or_new_files_and_is_finished_by_the_next(
    node: TemporaryNode,
) -> None:
    before, step = 60, 0
    change(node, before)
    node.run("apply", "a first value")
    node.actions()
    seen = set()
    while True:
        step += 1
        value = before + 1
        change(node, value)
        if not apply_killed(node, step):
            break
        with exclusive(node.root / "run"):  # whatever the killed run has started has ended then
            made = made_of(node)
        assert made in {(str(before), str(before)), (str(value), str(value))}, f"a mix after step {step}"
        seen.add(made == (str(value), str(value)))
        finished = node.run("apply", "another value")
        assert finished.status == 0, f"step {step}: {finished.err}"
        assert made_of(node) == (str(value), str(value))
        assert set(RESTARTS) <= set(node.actions()), f"a service was forgotten after step {step}"
        assert node.git("status", "--porcelain") == ""
        assert not list(node.output.rglob("*.ngcpcfg-new"))
        before = value
    assert seen == {True, False}
    assert step > 15, step


def test_killed_while_it_goes_back_it_leaves_old_or_new_files(node: TemporaryNode) -> None:
    """The steps behind the failure: the first of them is the restart of what fails."""
    (node.root / "failing").write_text("ngcp-rtpengine-daemon\n")
    before = made_of(node)
    change(node, 61)
    for step in range(18, 44, 2):
        if not apply_killed(node, step):
            break
        with exclusive(node.root / "run"):
            assert made_of(node) in {before, ("61", "61")}, f"a mix after step {step}"
    assert node.run("apply", "once more").status == 1
    assert made_of(node) == before


@pytest.mark.parametrize("phase", ["staging", "replacing"])
def test_after_a_power_cut_the_next_run_makes_it_whole(tmp_path: Path, phase: str) -> None:
    state, files = tmp_path / "state", [tmp_path / name for name in ("one", "two", "three")]
    for file in files:
        file.write_text("old")
        File(file, b"", 0).beside.write_text("new")
    (tmp_path / "gone").write_text("old")
    if phase == "replacing":  # the first one is in place already
        File(files[0], b"", 0).beside.replace(files[0])
    transaction.note(
        state / "transaction.json", phase, [File(file, b"", 0o644) for file in files], [tmp_path / "gone"]
    )

    transaction.recover(state)

    assert {file.read_text() for file in files} == {"new" if phase == "replacing" else "old"}
    assert (tmp_path / "gone").exists() == (phase == "staging")
    assert sorted(path.name for path in tmp_path.rglob("*.ngcpcfg-new")) == []
    assert not list(state.iterdir())


def test_a_child_that_is_killed_is_replaced_by_its_parent(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("os.setsid", lambda: os.kill(os.getpid(), signal.SIGKILL))

    transaction.replace(tmp_path / "state", [File(tmp_path / "file", b"new", 0o444)])

    assert (tmp_path / "file").read_text() == "new"


def test_a_disk_that_is_full_leaves_no_journal(tmp_path: Path) -> None:
    (tmp_path / "file").mkdir()

    with pytest.raises(RefusedError, match="file: cannot be written: Is a directory"):
        transaction.replace(tmp_path / "state", [File(tmp_path / "file", b"new", 0o444)])

    assert not list((tmp_path / "state").iterdir())


def test_the_lock_of_a_git_that_was_killed_is_removed(node: TemporaryNode) -> None:
    change(node, 61)
    (node.main / ".git/index.lock").touch()

    result = node.run("apply", "another value")

    assert result.status == 0
    assert result.err.startswith(f"Warning: removed {node.main}/.git/index.lock, which a git that was killed")
    assert node.git("status", "--porcelain") == ""


def test_a_git_that_is_at_work_is_not_disturbed(node: TemporaryNode) -> None:
    change(node, 61)
    command = ["git", "-c", "alias.work=!echo begun; read end", "work"]
    with subprocess.Popen(
        command, cwd=node.main, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as git:
        assert git.stdout is not None
        assert git.stdout.readline() == "begun\n"
        (node.main / ".git/index.lock").touch()
        refused = node.run("apply", "another value")
        git.communicate("\n")

    assert (refused.status, refused.err) == (1, f"Error: git (process {git.pid}) is at work in {node.main}\n")
