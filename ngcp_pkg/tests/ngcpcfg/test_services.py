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


def test_a_service_that_fails_is_said_to_and_tried_again(node: TemporaryNode) -> None:
    node.edit("config.yml", "tos_rtp: 184", "tos_rtp: 96")
    (node.root / "failing").write_text("ngcp-rtpengine-daemon\n")

    failed = node.run("apply", "lower")

    assert failed.status == 1
    assert failed.last == "Changed: 1 file, 1 service action, committed."
    assert failed.err == (
        "Warning: ngcp-rtpengine-daemon restart returned with error code, continuing anyway.\n"
        "Error: these have failed: ngcp-rtpengine-daemon restart\n"
    )

    (node.root / "failing").unlink()
    assert node.run("services").last == "Changed: 1 service action."
    assert node.run("services").last == "Nothing changed."


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
