"""A configuration under lock: nobody can read or change it without the password, and the node goes on."""

import os
import pty
import select
import signal
from pathlib import Path

import pytest

from ngcpcfg.locker import PROGRAMS
from temporary_node import CONFIG, Result, TemporaryNode

SSL = "shared-files/ssl/myserver.key"
PATIENCE = 60.0


def at_terminal(node: TemporaryNode, command: str, *lines: str) -> Result:
    """Run a command at a terminal at which these lines are typed, each when it is asked for."""
    child, terminal = pty.fork()
    if child == 0:
        os.environ.clear()
        os.environ.update(node.environment)
        os.execvp("ngcpcfg", ["ngcpcfg", command])
    said = b""
    typed = list(lines)
    while select.select([terminal], [], [], PATIENCE)[0]:
        try:
            said += os.read(terminal, 4096)
        except OSError:  # the other end is closed
            break
        if typed and said.endswith((b"assword: ", b"[y/N] ")):
            os.write(terminal, f"{typed.pop(0)}\n".encode())
    else:
        os.kill(child, signal.SIGKILL)
    status = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    os.close(terminal)
    return Result(status, said.decode().replace("\r\n", "\n"), "")


def lock(node: TemporaryNode) -> Path:
    node.write(node.main, {SSL: "key", "config.d/mine.yml": "---\nmine:\n  a: 1\n"})
    (node.main / "config.yml").chmod(0o660)
    assert at_terminal(node, "encrypt", "secret", "secret", "y").status == 0
    return node.root / "ngcp-config.tgz.pgp"


def test_a_locked_configuration_is_gone_and_comes_back_as_it_was(node: TemporaryNode) -> None:
    archive = lock(node)

    assert [str(p.relative_to(node.main)) for p in node.main.rglob("*") if p.is_file()] == [SSL]
    assert not node.vendor.exists()
    assert archive.stat().st_mode & 0o777 == 0o600
    assert b"Example Telecom" not in archive.read_bytes()
    assert "TOS=184" in node.rendered("/etc/default/ngcp-rtpengine-daemon")
    for command in (["apply", "x"], ["get", "qos.tos_rtp"], ["status"], ["log"], ["encrypt"], ["initialise"]):
        assert node.run(*command) == (1, "", "Error: Configuration pool locked.\n")

    unlocked = at_terminal(node, "decrypt", "secret")

    assert unlocked.status == 0
    assert unlocked.out.endswith("Now you should be able to run 'ngcpcfg apply' again.\n")
    assert (node.main / "config.yml").read_text() == CONFIG
    assert (node.main / "config.yml").stat().st_mode & 0o777 == 0o660
    assert (node.main / SSL).read_text() == "key"
    assert node.run("apply", "unlocked").last == "Changed: committed."
    assert node.deploy({"templates/etc/motd.j2": "hello\n"}).last == "Changed: 1 file."


def test_a_wrong_password_unlocks_nothing(node: TemporaryNode) -> None:
    lock(node)

    refused = at_terminal(node, "decrypt", "guess")

    assert refused.status == 1
    assert "Error: Error while decrypting: " in refused.out
    assert node.run("check").err == "Error: Configuration pool locked.\n"


def test_passwords_that_differ_lock_nothing(node: TemporaryNode) -> None:
    refused = at_terminal(node, "encrypt", "secret", "sceret")

    assert (refused.status, refused.out.splitlines()[-1]) == (1, "Error: Passwords do not match. Aborting.")
    assert node.run("check").status == 0


def test_an_empty_password_locks_nothing(node: TemporaryNode) -> None:
    assert at_terminal(node, "encrypt", "", "").out.endswith("Error: The password is empty. Aborting.\n")


def test_whoever_thinks_better_of_it_has_a_copy_only(node: TemporaryNode) -> None:
    kept = at_terminal(node, "encrypt", "secret", "secret", "n")

    assert (kept.status, kept.out.splitlines()[-1]) == (1, "Skipping as requested.")
    assert node.run("check").status == 0
    assert at_terminal(node, "decrypt").out.endswith(f"Error: {node.main} is not locked\n")


def test_a_run_that_was_killed_while_it_erased_can_be_undone(node: TemporaryNode) -> None:
    lock(node)
    node.write(node.main, {"config.yml": "half of it", "templates/etc/left.j2": "left"})

    assert node.run("check").err == "Error: Configuration pool locked.\n"
    assert at_terminal(node, "decrypt", "secret").status == 0
    assert (node.main / "config.yml").read_text() == CONFIG
    assert not (node.main / "templates/etc/left.j2").exists()


@pytest.mark.parametrize("command", ["encrypt", "decrypt"])
def test_it_wants_a_terminal(node: TemporaryNode, command: str) -> None:
    if command == "decrypt":
        lock(node)

    assert node.call("ngcpcfg", command).err == (
        "Error: Cannot request OpenPGP password (no tty). Aborting.\n"
    )


def test_without_anything_to_decrypt(node: TemporaryNode) -> None:
    assert "is not there: there is nothing to decrypt" in node.run("decrypt").err


def test_without_a_program_it_says_what_to_install(node: TemporaryNode) -> None:
    (node.root / "bin/git").symlink_to("/usr/bin/git")
    node.environment["PATH"] = str(node.root / "bin")

    assert node.run("encrypt").err == (
        f"Error: Cannot find any SOP implementation (from {' '.join(PROGRAMS)}): install sqop\n"
    )
