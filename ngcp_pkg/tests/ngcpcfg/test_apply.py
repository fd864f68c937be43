"""An operator changes the configuration and applies it."""

import pytest

from temporary_node import LB_YML, RELAY_ENV, TemporaryNode

LB = "/etc/kamailio/lb/lb.yml"
RELAY = "/etc/default/ngcp-rtpengine-daemon"


def test_first_apply_makes_every_file_and_starts_what_reads_it(fresh_node: TemporaryNode) -> None:
    result = fresh_node.run("apply", "first")

    assert result.status == 0
    assert result.last == "Changed: 2 files, 2 service actions."
    assert fresh_node.rendered(LB) == "address: 192.0.2.10\nport: 5060\ntls_port: 5061\n"
    assert fresh_node.rendered(RELAY) == "PORT_MIN=30000\nPORT_MAX=40000\nTOS=184\n"
    assert sorted(fresh_node.actions()) == ["restart kamailio-lb", "restart ngcp-rtpengine-daemon"]


def test_applying_again_changes_nothing(node: TemporaryNode) -> None:
    result = node.run("apply", "again")

    assert (result.status, result.out) == (0, "Nothing changed.\n")
    assert node.actions() == []


def test_a_changed_value_rewrites_and_restarts_only_what_uses_it(node: TemporaryNode) -> None:
    node.edit("config.yml", "tos_rtp: 184", "tos_rtp: 96")

    result = node.run("apply", "lower", "priority", "for", "media")

    assert f"Generating {RELAY}: OK" in result.out
    assert LB not in result.out
    assert result.last == "Changed: 1 file, 1 service action, committed."
    assert "TOS=96\n" in node.rendered(RELAY)
    assert node.actions() == ["restart ngcp-rtpengine-daemon"]
    assert node.git("log", "-1", "--format=%s") == "lower priority for media\n"


def test_a_change_must_be_described(node: TemporaryNode) -> None:
    node.edit("config.yml", "tos_rtp: 184", "tos_rtp: 96")

    result = node.run("apply")

    assert result.status == 1
    assert result.err == "Error: Uncommitted configuration files found.\n"
    assert result.out == "Please provide commit message, like: ngcpcfg apply 'summary of your changes'\n"
    assert "TOS=184" in node.rendered(RELAY)


def test_a_file_has_the_permissions_of_its_template_but_nobody_may_write_it(node: TemporaryNode) -> None:
    node.write(node.main, {"templates/etc/cron.daily/report.j2": "#!/bin/sh\n"})
    (node.main / "templates/etc/cron.daily/report.j2").chmod(0o755)

    node.run("apply", "daily report")

    assert (node.output / "etc/cron.daily/report").stat().st_mode & 0o7777 == 0o555
    assert (node.output / LB.lstrip("/")).stat().st_mode & 0o7777 == 0o444


def test_somebody_elses_hand_on_a_rendered_file_is_undone(node: TemporaryNode) -> None:
    path = node.output / LB.lstrip("/")
    path.chmod(0o644)
    path.write_text("port: 1\n")

    assert node.run("apply", "as it was").last == "Changed: 1 file, 1 service action."
    assert "port: 5060\n" in node.rendered(LB)


def test_a_symbolic_link_stays_and_its_target_is_replaced(node: TemporaryNode) -> None:
    link = node.output / LB.lstrip("/")
    elsewhere = node.output / "srv/lb.yml"
    elsewhere.parent.mkdir()
    link.rename(elsewhere)
    link.symlink_to(elsewhere)
    node.edit("config.yml", "port: 5060", "port: 5070")

    node.run("apply", "another port")

    assert link.is_symlink()
    assert "port: 5070\n" in elsewhere.read_text()


def test_the_operators_template_is_used_instead(node: TemporaryNode) -> None:
    override = RELAY_ENV.replace(".j2", ".customtt.j2")
    node.write(node.main, {override: "TOS=[%= qos.tos_rtp + 1 %]\n"})

    node.run("apply", "my own")

    assert node.rendered(RELAY) == "TOS=185\n"


def test_files_whose_pattern_is_named_are_built_alone(fresh_node: TemporaryNode) -> None:
    result = fresh_node.run("build", "kamailio/lb")

    assert result.out == f"Generating {LB}: OK\nChanged: 1 file.\n"
    assert not (fresh_node.output / RELAY.lstrip("/")).exists()
    assert fresh_node.run("build", "*.yml").out == "Nothing changed.\n"
    assert fresh_node.run("build", RELAY).last == "Changed: 1 file."
    assert fresh_node.run("build", "asterisk").err == "Error: no template matches asterisk\n"


def test_a_dry_run_shows_the_difference_and_makes_none(node: TemporaryNode) -> None:
    node.edit("config.yml", "tos_rtp: 184", "tos_rtp: 96")
    before = node.snapshot()

    result = node.run("apply", "--dry-run", "lower")

    assert "-TOS=184\n+TOS=96\n" in result.out
    assert "Would execute action for /etc/default/ngcp-rtpengine-daemon.services\n" in result.out
    assert "Would execute enqueued services actions: ngcp-rtpengine-daemon restart\n" in result.out
    assert result.last == "Would change: 1 file, 1 service action."
    assert node.snapshot() == before
    assert node.actions() == []
    assert node.run("apply", "lower").last == "Changed: 1 file, 1 service action, committed."


def test_build_of_a_dry_run_makes_no_file(fresh_node: TemporaryNode) -> None:
    before = fresh_node.snapshot()

    assert fresh_node.run("build", "--dry-run").last == "Would change: 2 files."
    assert fresh_node.snapshot() == before


def test_another_branch_is_not_applied(node: TemporaryNode) -> None:
    node.git("checkout", "--quiet", "-b", "experiment")

    assert node.run("apply").err == (
        f"Error: branch 'experiment' in '{node.main}' active - "
        "please switch to branch 'master' before continuing.\n"
    )


def test_private_keys_are_never_committed(node: TemporaryNode) -> None:
    node.write(node.main, {"shared-files/ssl/myserver.key": "secret"})
    node.edit("config.yml", "tos_rtp: 184", "tos_rtp: 96")

    node.run("apply", "anything")

    assert "shared-files" not in node.git("ls-files")


@pytest.mark.parametrize("obstacle", ["directory", "file"])
def test_a_disk_that_refuses_one_file_gets_none(fresh_node: TemporaryNode, obstacle: str) -> None:
    if obstacle == "file":
        (fresh_node.output / "etc").mkdir()
        (fresh_node.output / "etc/kamailio").write_text("in the way")
    else:
        (fresh_node.output / LB.lstrip("/")).mkdir(parents=True)
    before = fresh_node.snapshot()

    result = fresh_node.run("apply", "first")

    assert result.status == 1
    assert result.err.startswith(f"Error: {fresh_node.output}{LB}")
    assert fresh_node.snapshot() == before


def test_differences_and_history_are_shown_by_git(node: TemporaryNode) -> None:
    node.edit(LB_YML, "port:", "sip_port:")

    assert "+sip_port:" in node.call("ngcpcfg", "diff").out
    assert node.call("ngcpcfg", "log", "--oneline", "-1").out.endswith("a new version\n")
    assert "a new version" in node.call("ngcpcfg", "show", "--stat").out


def test_the_program_ends_with_the_status_of_the_command(node: TemporaryNode) -> None:
    assert node.call("ngcpcfg", "get", "qos.tos_rtp") == (0, "184\n", "")
    assert node.call("ngcpcfg", "get", "nothing") == (1, "", "Error: cannot process request for 'nothing'!\n")
