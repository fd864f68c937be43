"""Operators' templates that a new version of the platform has left behind."""

from temporary_node import RELAY, RELAY_ENV, TemporaryNode

CUSTOM = RELAY_ENV.replace(".j2", ".customtt.j2")
NEWER = {RELAY_ENV: RELAY + "TIMEOUT=60\n"}


def customise(node: TemporaryNode, name: str = CUSTOM) -> None:
    node.write(node.main, {name: RELAY + "# mine\n"})
    assert node.run("apply", "my own template").status == 0


def test_an_override_of_what_an_upgrade_changed_is_reported_until_it_is_looked_after(
    node: TemporaryNode,
) -> None:
    customise(node)

    upgrade = node.deploy(NEWER)

    warning = f"Warning: {node.main / CUSTOM} stands in for ngcp-rtpengine-daemon.j2, which has changed since"
    assert upgrade.err.startswith(warning)
    assert node.run("build").err.startswith(warning)
    assert node.run("apply", "--dry-run").err.startswith(warning)
    assert "ACTION_NEEDED: the platform's have changed since:\n" in node.run("status").out
    node.write(node.main, {CUSTOM: RELAY + "TIMEOUT=60\n# mine\n"})
    assert node.run("build").err == ""
    assert node.run("apply", "as the new version").err == ""
    assert "operator's templates" not in node.run("status").out


def test_a_fresh_override_is_not(node: TemporaryNode) -> None:
    node.deploy(NEWER)
    customise(node)

    assert node.run("build").err == ""


def test_an_upgrade_of_another_template_concerns_none(node: TemporaryNode) -> None:
    customise(node)

    assert node.deploy({"templates/etc/motd.j2": "hello\n"}).err == ""


def test_an_override_that_a_patch_makes_follows_by_itself(node: TemporaryNode) -> None:
    customise(node)
    node.run("patch", "--from-customtt")
    node.run("apply", "as a patch")

    assert node.deploy({RELAY_ENV: "# new\n" + RELAY}).err == ""
    assert node.run("apply", "patched anew").err == ""


def test_an_override_in_template_toolkit_of_a_template_in_jinja_is_reported_too(node: TemporaryNode) -> None:
    custom = CUSTOM.replace(".j2", ".tt2")
    node.write(node.main, {custom: "mine\n"})
    node.run("commit", "my own template")

    assert f"{node.main / custom} stands in for ngcp-rtpengine-daemon.j2" in node.deploy(NEWER).err
