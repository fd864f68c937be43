"""What `ngcpcfg status` and `ngcpcfg commit` say."""

from temporary_node import TemporaryNode

AT_REST = """\
Checking state of ngcpcfg:
OK:   has been initialised already
Checking state of configuration files:
OK:   nothing to commit
Checking state of /etc files:
OK:   nothing to generate
Checking currently active branch:
OK:   branch master active
Checking for pending reboot requests:
OK:     no reboot requested
Checking state of pending builds:
OK:     nothing to build
"""


def test_a_node_at_rest(node: TemporaryNode) -> None:
    assert node.run("status")[:2] == (0, AT_REST)


def test_a_node_without_repository(empty_node: TemporaryNode) -> None:
    assert empty_node.run("status")[:2] == (
        0,
        "Checking state of ngcpcfg:\n"
        "ACTION_NEEDED: has not been initialised yet\n"
        "-> execute 'ngcpcfg initialise'\n",
    )


def test_a_node_that_was_never_built(fresh_node: TemporaryNode) -> None:
    out = fresh_node.run("status").out

    assert (
        "ACTION_NEEDED: files differ from what the configuration makes:\n"
        "  /etc/default/ngcp-rtpengine-daemon\n"
        "  /etc/kamailio/lb/lb.yml\n"
        "-> execute 'ngcpcfg apply'\n"
    ) in out
    assert out.endswith("OK:       no build/apply executed yet, nothing to do\n")


def test_everything_that_waits_is_told(node: TemporaryNode) -> None:
    node.edit("config.yml", "tos_rtp: 184", "tos_rtp: 256")
    node.write(node.main, {"templates/etc/new.j2": "new"})
    node.git("checkout", "--quiet", "-b", "experiment")
    node.git("commit", "--quiet", "--allow-empty", "--message", "more")
    node.write(node.output, {"run/reboot-required": ""})

    result = node.run("status")

    assert result.status == 0
    assert result.out.splitlines() == [
        "Checking state of ngcpcfg:",
        "OK:   has been initialised already",
        "Checking state of configuration files:",
        "ACTION_NEEDED: configuration files have been modified:",
        "  config.yml",
        "ACTION_NEEDED: configuration files have been added:",
        "  templates/etc/new.j2",
        "-> execute 'ngcpcfg build' and 'ngcpcfg commit'",
        "Checking state of /etc files:",
        "ACTION_NEEDED: the configuration cannot be used:",
        f"  {node.main}/config.yml:18: qos.tos_rtp: 256 is not allowed; "
        "allowed is the whole TOS byte, from 0 to 255",
        "Checking currently active branch:",
        "ACTION_NEEDED: branch experiment active",
        "-> execute 'git checkout master'",
        "Checking for pending reboot requests:",
        "ACTION_NEEDED: reboot requested",
        "-> execute 'reboot'",
        "Checking state of pending builds:",
        "ACTION_NEEDED: commits without according build identified",
        "-> execute either 'ngcpcfg build' or 'ngcpcfg apply'",
    ]


def test_commit_says_whether_there_was_something_to_commit(node: TemporaryNode) -> None:
    node.edit("config.yml", "tos_rtp: 184", "tos_rtp: 96")

    assert node.run("commit", "lower", "priority").out == "OK\n"
    assert node.git("log", "-1", "--format=%s") == "lower priority\n"
    assert node.run("commit").out == "OK:   nothing to commit.\n"
    assert "commits without according build identified" in node.run("status").out


def test_a_build_of_what_is_not_committed_is_of_no_commit(node: TemporaryNode) -> None:
    node.edit("config.yml", "tos_rtp: 184", "tos_rtp: 96")
    node.run("build")

    assert (node.state / "build").read_text() == "dirty\n"
