"""Permissions of templates, which are those of the files they make, outlive git."""

import pytest

from ngcpcfg.permissions import FILE
from temporary_node import RELAY, RELAY_ENV, TemporaryNode

TARGET = "etc/default/ngcp-rtpengine-daemon"
NEWER = {RELAY_ENV: RELAY + "TIMEOUT=60\n"}


def mode(node: TemporaryNode, name: str = RELAY_ENV) -> int:
    return (node.main / name).stat().st_mode & 0o7777


@pytest.fixture
def secretive(node: TemporaryNode) -> TemporaryNode:
    """A node whose operator has closed a template to others."""
    (node.main / RELAY_ENV).chmod(0o640)
    node.edit("config.yml", "tos_rtp: 184", "tos_rtp: 96")
    assert node.run("apply", "nobody else may read it").status == 0
    return node


def test_they_are_written_down_with_a_commit(secretive: TemporaryNode) -> None:
    assert (secretive.main / FILE).read_text() == f"chmod 0640 -- {RELAY_ENV} || true\n"
    assert mode(secretive, FILE) == 0o700
    assert (secretive.output / TARGET).stat().st_mode & 0o777 == 0o440
    assert secretive.git("status", "--porcelain") == ""


def test_where_all_are_as_git_makes_them_nothing_is(node: TemporaryNode) -> None:
    node.edit("config.yml", "tos_rtp: 184", "tos_rtp: 96")
    node.run("apply", "lower")

    assert not (node.main / FILE).exists()


def test_a_new_version_of_the_template_keeps_them(secretive: TemporaryNode) -> None:
    assert secretive.deploy(NEWER).status == 0

    assert "TIMEOUT" in (secretive.main / RELAY_ENV).read_text()
    assert mode(secretive) == 0o640


def test_a_new_version_brings_those_that_ansible_gave_it(node: TemporaryNode) -> None:
    node.write(node.vendor, NEWER)
    (node.vendor / RELAY_ENV).chmod(0o600)

    node.run("vendor", "a new version")

    assert mode(node) == 0o600


@pytest.mark.parametrize("command", ["checkout", "merge", "conflict"])
def test_who_works_with_git_by_hand_keeps_them(secretive: TemporaryNode, command: str) -> None:
    node = secretive
    if command == "checkout":
        (node.main / RELAY_ENV).unlink()
        node.git("checkout", "--quiet", "HEAD", "--", RELAY_ENV)
        node.git("checkout", "--quiet", "-B", "master")
    else:
        if command == "conflict":
            node.edit(RELAY_ENV, "TOS=", "MARK=")
            node.run("commit", "mine")
        node.write(node.vendor, {RELAY_ENV: RELAY.replace("TOS=", "DSCP=")})
        node.call("git", "-C", str(node.vendor), "commit", "--quiet", "-am", "theirs")
        node.call("git", "-C", str(node.main), "merge", "--quiet", "--no-edit", "vendor")
        if command == "conflict":
            assert mode(node) != 0o640
            node.write(node.main, {RELAY_ENV: RELAY.replace("TOS=", "BOTH=")})
            node.git("commit", "--quiet", "-am", "merged")

    assert mode(node) == 0o640


def test_what_was_never_committed_is_undone_with_them(secretive: TemporaryNode) -> None:
    secretive.edit(RELAY_ENV, "TOS=", "MARK=")
    (secretive.main / RELAY_ENV).chmod(0o644)

    secretive.run("clean", "--force", "--tracked-files")

    assert mode(secretive) == 0o640


def test_a_change_of_permissions_alone_is_a_change(secretive: TemporaryNode) -> None:
    (secretive.main / RELAY_ENV).chmod(0o644)

    assert secretive.run("apply", "everybody may").last == "Changed: 1 file, 1 service action, committed."
    assert (secretive.main / FILE).read_text() == ""
    assert (secretive.output / TARGET).stat().st_mode & 0o777 == 0o444


@pytest.mark.parametrize("variable", ["SKIP_UPDATE_PERMS", "SKIP_RESTORE_PERMS"])
def test_the_environment_may_forbid_it(node: TemporaryNode, variable: str) -> None:
    node.environment[variable] = "1"
    (node.main / RELAY_ENV).chmod(0o640)
    node.edit("config.yml", "tos_rtp: 184", "tos_rtp: 96")
    node.run("apply", "lower")
    node.deploy(NEWER)

    assert (node.main / FILE).exists() == (variable == "SKIP_RESTORE_PERMS")
    assert mode(node) == 0o644
