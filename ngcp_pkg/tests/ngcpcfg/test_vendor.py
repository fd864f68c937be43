"""A new version of the configuration meets what the operator has changed."""

import shutil

from temporary_node import CONFIG, FILES, RELAY, RELAY_ENV, TemporaryNode


def test_a_repository_is_made_once(empty_node: TemporaryNode) -> None:
    assert empty_node.run("initialise").out == "OK:   has been initialised\n"
    assert empty_node.run("initialise").out == "OK:   has been initialised already\n"

    assert (empty_node.main / ".git").stat().st_mode & 0o777 == 0o700
    assert empty_node.git("branch", "--format=%(refname:short)").split() == ["master", "vendor"]


def test_files_that_were_there_before_the_repository_are_kept(empty_node: TemporaryNode) -> None:
    empty_node.write(empty_node.main, FILES)

    assert empty_node.run("initialise").status == 0
    assert "config.yml" in empty_node.git("ls-files")
    assert (empty_node.vendor / "config.yml").read_text() == CONFIG


def test_a_vendor_tree_of_another_repository_is_not_taken_for_ours(fresh_node: TemporaryNode) -> None:
    shutil.rmtree(fresh_node.main)

    result = fresh_node.run("initialise")

    assert result.status == 1
    assert f"'{fresh_node.vendor}' already exists" in result.err


def test_a_lost_vendor_tree_is_made_again(fresh_node: TemporaryNode) -> None:
    shutil.rmtree(fresh_node.vendor)

    assert "run ngcpcfg initialise" in fresh_node.run("vendor", "x").err
    assert fresh_node.run("initialise").out == "OK:   has been initialised\n"
    assert fresh_node.deploy({RELAY_ENV: RELAY}).out == "Nothing changed.\n"


def test_a_new_version_is_merged_and_then_applied(node: TemporaryNode) -> None:
    result = node.deploy({RELAY_ENV: RELAY + "TIMEOUT=60\n"})

    assert result.out == f"Merging {RELAY_ENV}: OK\nChanged: 1 file.\n"
    assert node.run("apply", "site.yml").last == "Changed: 1 file, 1 service action."
    assert node.deploy({RELAY_ENV: RELAY + "TIMEOUT=60\n"}).out == "Nothing changed.\n"


def test_the_operators_edit_survives_a_new_version(node: TemporaryNode) -> None:
    node.run("set", "config.yml", "qos.tos_rtp=96")
    node.run("apply", "mine")

    assert node.deploy({"config.yml": CONFIG.replace("5060", "5070")}).status == 0
    assert node.deploy({"config.yml": CONFIG.replace("5060", "5080")}).status == 0

    assert node.run("get", "qos.tos_rtp").out == "96\n"
    assert node.run("get", "kamailio.lb.port").out == "5080\n"


def test_an_edit_that_was_never_committed_survives_too(node: TemporaryNode) -> None:
    node.edit("config.yml", "tos_rtp: 184", "tos_rtp: 96")
    node.write(node.main, {"templates/etc/mine.j2": "mine\n"})

    assert node.deploy({"config.yml": CONFIG.replace("5060", "5070")}).status == 0

    assert node.run("get", "qos.tos_rtp").out == "96\n"
    assert node.git("log", "-2", "--format=%s", "--first-parent") == (
        "a new version\nChanges made before: a new version\n"
    )
    assert node.git("status", "--porcelain") == ""


def test_a_contradiction_changes_nothing_and_shows_both_sides(node: TemporaryNode) -> None:
    node.edit("config.yml", "minport: 30000", "minport: 32000")
    head, before, status = node.git("rev-parse", "HEAD"), node.snapshot(), node.git("status", "--porcelain")

    result = node.deploy({"config.yml": CONFIG.replace("minport: 30000", "minport: 34000")})

    assert result.status == 1
    assert (
        f"{node.main}/config.yml: both sides have changed the same lines:\n"
        "<<<<<<< master (the operator)\n"
        "  minport: 32000\n"
        "=======\n"
        "  minport: 34000\n"
        ">>>>>>> vendor (the new version)\n"
    ) in result.err
    assert "the new version contradicts the operator's changes; nothing was merged" in result.err
    assert node.git("rev-parse", "HEAD") == head
    assert node.snapshot() == before
    assert node.git("status", "--porcelain") == status


def test_a_contradiction_is_told_again_until_it_is_resolved(node: TemporaryNode) -> None:
    node.edit("config.yml", "minport: 30000", "minport: 32000")
    newer = {"config.yml": CONFIG.replace("minport: 30000", "minport: 34000")}
    assert [node.deploy(newer).status, node.deploy(newer).status] == [1, 1]

    node.run("commit", "mine")
    merge = node.call("git", "-C", str(node.main), "merge", "vendor")
    assert "Automatic merge failed" in merge.out
    assert "a merge in" in node.run("apply", "x").err
    node.git("checkout", "--ours", "config.yml")
    node.git("commit", "--quiet", "--all", "--message", "resolved")

    assert node.deploy(newer).out == "Nothing changed.\n"
    assert node.run("get", "rtpproxy.minport").out == "32000\n"


def test_what_one_side_removed_and_the_other_changed_contradicts(node: TemporaryNode) -> None:
    (node.main / RELAY_ENV).unlink()

    result = node.deploy({RELAY_ENV: RELAY + "TIMEOUT=60\n"})

    assert result.status == 1
    assert f"CONFLICT (modify/delete): {RELAY_ENV}" in result.err
    assert not (node.main / RELAY_ENV).exists()
