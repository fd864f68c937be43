"""What a dry run says that services would do, and that it does none of it."""

from pathlib import Path

import pytest

from temporary_node import RELAY_SERVICES, TemporaryNode

HEADING = "Would execute action for /etc/default/ngcp-rtpengine-daemon.services\n"


def rehearse(node: TemporaryNode, script: str) -> str:
    node.write(node.main, {RELAY_SERVICES: script})
    node.edit("config.yml", "tos_rtp: 184", "tos_rtp: 96")
    out = node.run("apply", "--dry-run").out
    return out[out.index(HEADING) + len(HEADING) :]


@pytest.mark.parametrize(
    ("script", "said"),
    [
        (
            "ngcp-service --queue one restart\nngcp-service --queue two reload\n",
            "Would execute enqueued services actions: one restart\n"
            "Would execute enqueued services actions: two reload\n"
            "Would change: 1 file, 2 service actions.\n",
        ),
        (
            "ngcp-service --queue one reload; ngcp-service --queue one restart\n",
            "Would execute enqueued services actions: one restart\nWould change: 1 file, 1 service action.\n",
        ),
        (
            "# a comment\nif systemctl --quiet is-active lost; then ngcp-service --queue a stop\n"
            "else ngcp-service --queue b start; fi\n",
            "Would execute enqueued services actions: a stop\nWould change: 1 file, 1 service action.\n",
        ),
        ("sysctl --system\n", "Would run: sysctl --system\nWould change: 1 file.\n"),
        ("systemctl stop everything\n", "Would run: systemctl stop everything\nWould change: 1 file.\n"),
        ("ngcp-service one restart\n", "Would run: one restart\nWould change: 1 file.\n"),
        ("kill -9 1\n", "Would run: kill -9 1\nWould change: 1 file.\n"),
    ],
)
def test_what_a_script_would_do(node: TemporaryNode, script: str, said: str) -> None:
    assert rehearse(node, script) == said
    assert [action for action in node.actions() if "is-active" not in action] == []


@pytest.mark.parametrize(
    "command",
    [
        "echo x > {file}",
        "touch {file}",
        "/usr/bin/touch {file}",
        "command -p touch {file}",
        "exec touch {file}",
        "PATH=/usr/bin; touch {file}",
        "PATH=/usr/bin:/bin touch {file}",
        "$(/usr/bin/touch {file})",
        "sh -c 'touch {file}'",
        "set +r; touch {file}",
        ". /etc/profile; touch {file}",
        "hash -p /usr/bin/touch touch; touch {file}",
    ],
)
def test_it_can_change_nothing(node: TemporaryNode, tmp_path: Path, command: str) -> None:
    file = tmp_path / "changed"

    rehearse(node, command.format(file=file) + "\n")

    assert not file.exists()


def test_what_cannot_be_known_is_said(node: TemporaryNode) -> None:
    assert "Not known without running it: " in rehearse(node, "echo x > /tmp/file\n")


def test_units_are_read_again_after_theirs(node: TemporaryNode) -> None:
    unit = "templates/etc/systemd/system/lb.service.d/limits.conf"
    node.write(node.main, {f"{unit}.j2": "[Service]\n"})

    assert "Would reload systemd daemon\n" in node.run("apply", "--dry-run").out


def test_a_service_that_runs_with_the_files_as_they_are_is_left_out(node: TemporaryNode) -> None:
    shown = "ActiveState=active\nExecMainStartTimestampMonotonic=99999999999999\n"
    node.edit("config.yml", "tos_rtp: 184", "tos_rtp: 96")
    node.run("build")
    (node.root / "units/ngcp-rtpengine-daemon").write_text(shown)

    assert node.run("services", "--dry-run").out == f"{HEADING}Nothing changed.\n"


def test_all_services_can_be_looked_at(node: TemporaryNode) -> None:
    assert (
        node.run("services", "--dry-run", "--force-all-services").last == "Would change: 2 service actions."
    )
    assert node.run("apply", "--dry-run", "--force-all-services").last == "Would change: 2 service actions."


def test_what_patches_would_make_is_shown_and_rendered(node: TemporaryNode) -> None:
    base = node.main / "templates/etc/default/ngcp-rtpengine-daemon.j2"
    custom = base.with_name("ngcp-rtpengine-daemon.customtt.j2")
    custom.write_text(base.read_text() + "# mine\n")
    node.run("patch", "--from-customtt")
    custom.unlink()

    out = node.run("apply", "--dry-run").out

    assert f"+++ {custom} (new)\n" in out
    assert " TOS=184\n+# mine\n" in out
    assert not custom.exists()
