"""Services follow the files they read: each once, also after a run that was interrupted."""

import json
import os
import signal
import time
from pathlib import Path

import pytest

from ngcpcfg.lock import exclusive
from ngcpcfg.problems import RefusedError
from ngcpcfg.service import Action, merge
from temporary_node import RELAY_SERVICES, TemporaryNode

LB_SERVICES = "templates/etc/kamailio/lb/lb.yml.services"
RELAY_RESTART = "restart ngcp-rtpengine-daemon"


def change_tos(node: TemporaryNode, value: int) -> None:
    node.edit("config.yml", node.run("get", "qos.tos_rtp").out.strip(), str(value))


def started(node: TemporaryNode, unit: str, seconds: float) -> None:
    """Let systemctl say that a unit runs since that time of the monotonic clock."""
    shown = f"ActiveState=active\nExecMainStartTimestampMonotonic={int(seconds * 1e6)}\n"
    (node.root / "units" / unit).write_text(shown)


def test_what_several_files_ask_for_is_done_once(fresh_node: TemporaryNode) -> None:
    fresh_node.write(
        fresh_node.main,
        {LB_SERVICES: "ngcp-service --queue one reload\nngcp-service --queue two restart\n"}
        | {RELAY_SERVICES: "ngcp-service --queue one restart\n"},
    )

    fresh_node.run("apply", "first")

    assert sorted(fresh_node.actions()) == ["restart one", "restart two"]


def test_a_script_for_the_directory_serves_every_file_made_in_it(node: TemporaryNode) -> None:
    services = "templates/etc/default/ngcpcfg.services"
    node.write(node.main, {services: "ngcp-service --queue shared restart\n"})
    node.edit("config.yml", "tos_rtp: 184", "tos_rtp: 96")

    node.run("apply", "lower")

    assert node.actions() == [RELAY_RESTART, "restart shared"]


def test_systemd_learns_of_a_changed_unit_first(node: TemporaryNode) -> None:
    unit = "templates/etc/systemd/system/lb.service.d/limits"
    files = {f"{unit}.j2": "[Service]\n", f"{unit}.services": "ngcp-service --queue kamailio-lb restart\n"}
    node.write(node.main, files)

    assert "Reloading systemd daemon\n" in node.run("apply", "limits").out
    assert node.actions() == ["daemon-reload", "restart kamailio-lb"]


def test_what_daemons_stand_on_is_followed_first(node: TemporaryNode) -> None:
    sysctl = "templates/etc/sysctl.d/60-ngcp.conf"
    files = {
        f"{sysctl}.j2": "[%= qos.tos_rtp %]",
        f"{sysctl}.services": "ngcp-service --queue sysctl restart\n",
    }
    node.write(node.main, files)
    node.edit("config.yml", "tos_rtp: 184", "tos_rtp: 96")

    node.run("apply", "lower")

    assert node.actions() == ["restart sysctl", RELAY_RESTART]


def test_a_change_with_which_a_service_fails_is_taken_back(node: TemporaryNode) -> None:
    node.edit("config.yml", "tos_rtp: 184", "tos_rtp: 96")
    (node.root / "failing").write_text("ngcp-rtpengine-daemon\n")

    failed = node.run("apply", "lower")

    assert failed.status == 1
    assert failed.last == (
        f"Rolled back: 1 file. The change was not applied; it waits in {node.main}. "
        "The reason: ngcp-rtpengine-daemon restart."
    )
    assert failed.err.startswith(
        "Warning: ngcp-rtpengine-daemon restart returned with error code, continuing anyway.\n"
        "Error: these have failed: ngcp-rtpengine-daemon restart\n"
    )
    assert failed.err.endswith("Error: not even the earlier files help: ngcp-rtpengine-daemon restart\n")
    assert "TOS=184" in node.rendered("/etc/default/ngcp-rtpengine-daemon")
    assert "tos_rtp: 96" in (node.main / "config.yml").read_text()
    assert node.run("commit").out == "OK\n"  # it was not committed

    (node.root / "failing").unlink()
    assert node.run("apply").last == "Changed: 1 file, 1 service action."
    assert "TOS=96" in node.rendered("/etc/default/ngcp-rtpengine-daemon")


def test_service_that_comes_up_with_the_earlier_files_runs_again(node: TemporaryNode) -> None:
    node.write(
        node.main, {RELAY_SERVICES: 'grep -q TOS=184 "$OUTPUT_DIRECTORY/etc/default/ngcp-rtpengine-daemon"\n'}
    )
    node.edit("config.yml", "tos_rtp: 184", "tos_rtp: 96")

    failed = node.run("apply", "lower")

    assert failed.status == 1
    assert "Restoring /etc/default/ngcp-rtpengine-daemon: OK" in failed.out
    assert "not even" not in failed.err
    assert node.run("services").last == "Nothing changed."


def test_service_that_is_not_up_after_its_start_has_failed(node: TemporaryNode) -> None:
    node.edit("config.yml", "tos_rtp: 184", "tos_rtp: 96")
    (node.root / "units/ngcp-rtpengine-daemon").write_text("ActiveState=failed\n")

    failed = node.run("apply", "lower")

    assert failed.status == 1
    assert "Warning: ngcp-rtpengine-daemon is failed after it was started." in failed.err
    assert "TOS=184" in node.rendered("/etc/default/ngcp-rtpengine-daemon")


def test_what_a_service_said_before_it_failed_is_shown(node: TemporaryNode) -> None:
    node.edit("config.yml", "tos_rtp: 184", "tos_rtp: 96")
    (node.root / "units/ngcp-rtpengine-daemon").write_text("ActiveState=failed\n")
    (node.root / "units/ngcp-rtpengine-daemon.journal").write_text("TOS 96 is none\ngiving up\n")

    failed = node.run("apply", "lower")

    assert "  ngcp-rtpengine-daemon: TOS 96 is none\n  ngcp-rtpengine-daemon: giving up\n" in failed.err
    assert failed.last.endswith("The reason: ngcp-rtpengine-daemon is failed.")


@pytest.mark.parametrize("kind", ["simple", "notify"])
def test_service_that_does_not_tell_when_it_is_ready_is_looked_at_twice(
    node: TemporaryNode, monkeypatch: pytest.MonkeyPatch, kind: str
) -> None:
    """One that ends a moment after its start has not come up, unless it has said that it had."""
    unit = node.root / "units/ngcp-rtpengine-daemon"
    unit.write_text(f"ActiveState=active\nType={kind}\nNRestarts=0\n")
    monkeypatch.setattr(
        "time.sleep", lambda _: unit.write_text(f"ActiveState=active\nType={kind}\nNRestarts=1\n")
    )
    node.edit("config.yml", "tos_rtp: 184", "tos_rtp: 96")

    result = node.run("apply", "lower")

    if kind == "notify":
        assert result.status == 0
        return
    assert result.status == 1
    assert "Warning: ngcp-rtpengine-daemon is not staying up after it was started." in result.err
    assert "TOS=184" in node.rendered("/etc/default/ngcp-rtpengine-daemon")


def test_a_node_that_boots_after_a_change_was_taken_back_keeps_what_works(node: TemporaryNode) -> None:
    node.edit("config.yml", "tos_rtp: 184", "tos_rtp: 96")
    (node.root / "failing").write_text("ngcp-rtpengine-daemon\n")
    node.run("apply", "lower")
    (node.root / "failing").unlink()

    boot = node.run("build")

    assert (boot.status, boot.out) == (0, "Nothing changed.\n")
    assert "this configuration was applied and taken back; files stay as they are" in boot.err
    assert "TOS=184" in node.rendered("/etc/default/ngcp-rtpengine-daemon")
    node.edit("config.yml", "tos_rtp: 96", "tos_rtp: 95")
    assert node.run("build").last == "Changed: 1 file."
    node.edit("config.yml", "tos_rtp: 95", "tos_rtp: 96")
    assert node.run("apply", "again").status == 0
    assert node.run("build").out == "Nothing changed.\n"


def test_change_stays_where_that_is_wanted_and_its_service_is_tried_again(node: TemporaryNode) -> None:
    node.edit("config.yml", "tos_rtp: 184", "tos_rtp: 96")
    (node.root / "failing").write_text("ngcp-rtpengine-daemon\n")

    failed = node.run("apply", "--no-action-failure", "lower")

    assert (failed.status, failed.last) == (1, "Changed: 1 file, 1 service action, committed.")
    assert "TOS=96" in node.rendered("/etc/default/ngcp-rtpengine-daemon")
    (node.root / "failing").unlink()
    assert node.run("services").last == "Changed: 1 service action."
    assert node.run("services").last == "Nothing changed."


def test_first_apply_has_nothing_to_go_back_to(fresh_node: TemporaryNode) -> None:
    (fresh_node.root / "failing").write_text("ngcp-rtpengine-daemon\n")

    failed = fresh_node.run("apply", "first")

    assert (failed.status, failed.last) == (1, "Changed: 2 files, 2 service actions.")
    assert "TOS=184" in fresh_node.rendered("/etc/default/ngcp-rtpengine-daemon")


def test_what_earlier_builds_changed_goes_back_too(node: TemporaryNode) -> None:
    node.edit("config.yml", "tos_rtp: 184", "tos_rtp: 96")
    node.run("build")
    node.edit("config.yml", "minport: 30000", "minport: 32000")
    (node.root / "failing").write_text("ngcp-rtpengine-daemon\n")

    assert node.run("apply", "both").status == 1
    assert node.rendered("/etc/default/ngcp-rtpengine-daemon").startswith("PORT_MIN=30000\n")
    assert "TOS=184" in node.rendered("/etc/default/ngcp-rtpengine-daemon")


def test_a_script_that_fails_does_not_keep_the_others_back(fresh_node: TemporaryNode) -> None:
    fresh_node.write(fresh_node.main, {RELAY_SERVICES: "exit 3\n"})

    result = fresh_node.run("apply", "first")

    assert result.status == 1
    assert result.err.startswith(
        "Warning: /etc/default/ngcp-rtpengine-daemon.services returned with error code"
    )
    assert fresh_node.actions() == ["restart kamailio-lb"]


def test_what_build_has_changed_is_left_to_the_next_apply(node: TemporaryNode) -> None:
    node.edit("config.yml", "tos_rtp: 184", "tos_rtp: 96")

    assert node.run("build").last == "Changed: 1 file."
    assert node.actions() == []
    assert node.run("apply", "lower").last == "Changed: 1 service action, committed."
    assert node.actions() == [RELAY_RESTART]


def test_a_service_that_was_started_after_the_change_runs_with_it_already(node: TemporaryNode) -> None:
    """A node renders at boot, before its daemons start: the next apply must not cut every call."""
    node.edit("config.yml", "tos_rtp: 184", "tos_rtp: 96")
    node.run("build")
    started(node, "ngcp-rtpengine-daemon", time.monotonic() + 1)

    assert node.run("apply", "lower").last == "Changed: committed."
    assert node.actions() == []


def test_a_service_that_was_started_before_the_change_is_restarted(node: TemporaryNode) -> None:
    started(node, "ngcp-rtpengine-daemon", time.monotonic())
    node.edit("config.yml", "tos_rtp: 184", "tos_rtp: 96")

    node.run("apply", "lower")

    assert node.actions() == [RELAY_RESTART]


def test_after_a_reboot_every_service_runs_with_what_was_built_before(node: TemporaryNode) -> None:
    node.edit("config.yml", "tos_rtp: 184", "tos_rtp: 96")
    node.run("build")
    pending = node.state / "pending.json"
    notes = {target: ["another boot", at] for target, (_, at) in json.loads(pending.read_text()).items()}
    pending.write_text(json.dumps(notes))
    started(node, "ngcp-rtpengine-daemon", 1.0)

    node.run("apply", "lower")

    assert node.actions() == []


def test_a_run_that_was_killed_is_finished_by_the_next(node: TemporaryNode) -> None:
    """Killed when the file was written but its service not yet restarted; that must not be forgotten."""
    waits = node.root / "waits"
    os.mkfifo(waits)
    node.write(
        node.main, {RELAY_SERVICES: f"cat {waits}\nngcp-service --queue ngcp-rtpengine-daemon restart\n"}
    )
    node.edit("config.yml", "tos_rtp: 184", "tos_rtp: 96")
    process = node.start("apply", "lower")
    with waits.open("w"):  # opens as soon as the script reads
        os.killpg(process.pid, signal.SIGKILL)
    process.communicate()
    assert node.actions() == []

    node.write(node.main, {RELAY_SERVICES: "ngcp-service --queue ngcp-rtpengine-daemon restart\n"})
    result = node.run("apply", "lower")

    assert result.last == "Changed: 1 service action, committed."
    assert node.actions() == [RELAY_RESTART]


def test_a_file_that_may_not_have_been_written_whole_is_followed_even_if_it_is_right(
    node: TemporaryNode,
) -> None:
    """Killed between the note and the replacement: nobody knows what a running service has read."""
    (node.state / "pending.json").write_text(json.dumps({"/etc/kamailio/lb/lb.yml": None}))
    started(node, "kamailio-lb", time.monotonic())

    assert node.run("apply").last == "Changed: 1 service action."
    assert node.actions() == ["restart kamailio-lb"]


def test_two_applies_never_mix(node: TemporaryNode) -> None:
    waits = node.root / "waits"
    os.mkfifo(waits)
    node.write(node.main, {RELAY_SERVICES: f"cat {waits}\nngcp-service --queue first restart\n"})
    node.edit("config.yml", "tos_rtp: 184", "tos_rtp: 96")
    first = node.start("apply", "first")
    with waits.open("w"):
        second = node.start("apply", "second")
        assert second.stderr is not None
        assert second.stderr.readline() == f"Waiting for another ngcpcfg (process {first.pid}) to end.\n"
        assert node.actions() == []
    outputs = [process.communicate()[0] for process in (first, second)]

    assert outputs[0].endswith("Changed: 1 file, 1 service action, committed.\n")
    assert outputs[1] == "Nothing changed.\n"
    assert node.actions() == ["restart first"]


def test_a_run_that_hangs_is_not_waited_for_without_end(tmp_path: Path) -> None:
    with (
        exclusive(tmp_path),
        pytest.raises(RefusedError, match=rf"another ngcpcfg \(process {os.getpid()}\) has not ended"),
        exclusive(tmp_path, patience=0.0),
    ):
        pass


def test_a_name_that_is_none_is_refused(node: TemporaryNode) -> None:
    assert node.call("ngcp-service", "--queue", "two words", "restart").status != 0


def test_a_unit_can_be_controlled_at_once(node: TemporaryNode) -> None:
    assert node.call("ngcp-service", "kamailio-lb", "reload").status == 0
    assert node.actions() == ["reload kamailio-lb"]
    (node.root / "failing").write_text("kamailio-lb\n")
    assert node.call("ngcp-service", "kamailio-lb", "start").status == 1


@pytest.mark.parametrize(
    ("asked", "done"),
    [
        ("a restart, a restart", "a restart"),
        ("a reload, b restart, a restart", "a restart, b restart"),
        ("a restart, a reload", "a restart"),
        ("a start, a restart, a stop", "a stop"),
    ],
)
def test_of_two_actions_for_a_unit_the_stronger_is_done(asked: str, done: str) -> None:
    actions = [Action(unit, verb) for unit, verb in map(str.split, asked.split(", "))]

    assert ", ".join(map(str, merge(actions))) == done


def test_a_unit_follows_the_latest_change() -> None:
    assert merge([Action("a", "restart", 2.0), Action("a", "restart", 1.0)]) == [Action("a", "restart", 2.0)]


def test_all_services_follow_where_that_is_wanted(node: TemporaryNode) -> None:
    result = node.run("services", "--force-all-services")

    assert result.last == "Changed: 2 service actions."
    assert sorted(node.actions()) == ["restart kamailio-lb", "restart ngcp-rtpengine-daemon"]
    assert node.run("apply", "--force-all-services", "again").last == "Changed: 2 service actions."


def test_services_can_be_looked_at_first(node: TemporaryNode) -> None:
    node.edit("config.yml", "tos_rtp: 184", "tos_rtp: 96")
    node.run("build")

    for words in (["--dry-run"], ["test"]):
        assert node.run("services", *words).out == (
            "Would execute action for /etc/default/ngcp-rtpengine-daemon.services\n"
            "Would execute enqueued services actions: ngcp-rtpengine-daemon restart\n"
            "Would change: 1 service action.\n"
        )
    assert node.actions() == []


def test_options_of_the_platforms_tool_are_taken(node: TemporaryNode) -> None:
    assert node.run("--no-db-sync", "apply", "--modified-only", "--ignore-shared-storage-check").status == 0


def test_another_branch_can_be_built(node: TemporaryNode) -> None:
    node.git("checkout", "-q", "-b", "trial")
    node.edit("config.yml", "tos_rtp: 184", "tos_rtp: 96")

    assert node.run("build").status == 1
    assert node.run("build", "--ignore-branch-check").status == 0
    assert "TOS=96" in node.rendered("/etc/default/ngcp-rtpengine-daemon")
