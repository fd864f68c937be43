"""`ngcp-network`: interfaces by what they are for, and how the node follows."""

import contextlib
import io
import os
from unittest import mock

import pytest

from ngcpcfg import interfaces
from temporary_node import NETWORK, Result, TemporaryNode

LB = "/etc/kamailio/lb/lb.yml"


def network(node: TemporaryNode, *arguments: str) -> Result:
    """Run the command line to its end."""
    out, err = io.StringIO(), io.StringIO()
    with (
        mock.patch.dict(os.environ, node.environment, clear=True),
        contextlib.redirect_stdout(out),
        contextlib.redirect_stderr(err),
    ):
        status = interfaces.main(arguments)
    return Result(status, out.getvalue(), err.getvalue())


def text(node: TemporaryNode) -> str:
    return (node.main / "network.yml").read_text()


def test_an_address_is_changed_and_the_node_follows(node: TemporaryNode) -> None:
    result = network(node, "--set-interface=eth0", "--ip=192.0.2.99")

    assert result.status == 0, result.err
    assert text(node) == NETWORK.replace("192.0.2.10", "'192.0.2.99'")
    assert result.out == (
        f"Changed: {node.main}/network.yml.\nThe node follows at the next: ngcpcfg apply 'why'\n"
    )
    assert node.run("apply", "another address").status == 0
    assert "address: 192.0.2.99\n" in node.rendered(LB)
    assert node.actions() == ["restart kamailio-lb"]


def test_a_new_interface_takes_over_what_another_was_for(node: TemporaryNode) -> None:
    moved = network(node, "--move-from=eth0", "--move-to=eth1", "--type=sip_ext", "--type=rtp_ext")
    addressed = network(node, "--set-interface=eth1", "--ip=198.51.100.7", "--netmask=255.255.255.0")

    assert (moved.status, addressed.status) == (0, 0), moved.err + addressed.err
    assert node.run("get", "hosts.self.interfaces").out == "lo eth0 eth1\n"
    assert node.run("get", "hosts.self.eth0.type").out == "web_ext\n"
    assert node.run("get", "hosts.self.eth1.type").out == "sip_ext rtp_ext\n"
    node.run("apply", "another interface")
    assert "address: 198.51.100.7\n" in node.rendered(LB)


def test_everything_of_an_interface_in_one_command(node: TemporaryNode) -> None:
    result = network(
        node,
        "--set-interface=eth7",
        "--ip=auto",
        "--netmask=auto",
        "--hwaddr=52:54:00:12:34:56",
        "--v6ip=2001:db8::7",
        "--v6netmask=64",
        "--shared-ip=192.0.2.77",
        "--type=ssh_ext,mon_ext",
    )

    assert result.status == 0, result.err
    assert node.run("get", "hosts.self.eth7").out == (
        "hwaddr: '52:54:00:12:34:56'\nip: auto\nnetmask: auto\nshared_ip:\n- '192.0.2.77'\n"
        "type:\n- ssh_ext\n- mon_ext\nv6ip: '2001:db8::7'\nv6netmask: 64\n"
    )


def test_types_are_added_and_taken_away(node: TemporaryNode) -> None:
    network(node, "--set-interface=eth0", "--add-type=ssh_ext", "--add-type=sip_ext")
    assert node.run("get", "hosts.self.eth0.type").out == "web_ext sip_ext rtp_ext ssh_ext\n"

    network(node, "--set-interface=eth0", "--remove-type=web_ext,ssh_ext")
    assert node.run("get", "hosts.self.eth0.type").out == "sip_ext rtp_ext\n"


def test_a_value_that_is_none_is_removed(node: TemporaryNode) -> None:
    network(node, "--set-interface=eth0", "--v6ip=2001:db8::7")
    assert network(node, "--set-interface=eth0", "--v6ip=none").status == 0

    assert text(node) == NETWORK


def test_an_interface_is_removed_and_the_comments_stay(node: TemporaryNode) -> None:
    node.write(node.main, {"network.yml": NETWORK.replace("---\n", "---\n# of this node\n")})
    network(node, "--set-interface=eth1", "--type=ssh_ext")
    assert network(node, "--set-interface=eth1", "--type=web_int").status == 0
    assert network(node, "--remove-interface=eth1").status == 0

    assert text(node) == NETWORK.replace("---\n", "---\n# of this node\n")


def test_show(node: TemporaryNode) -> None:
    shown = [
        "interface  ip          v6ip  type",
        "lo         127.0.0.1   -     sip_int rtp_int",
        "eth0       192.0.2.10  -     web_ext sip_ext rtp_ext",
    ]

    for arguments in ([], ["--show"]):
        assert network(node, *arguments).out.splitlines() == shown


def test_who_takes_the_last_one_away_is_warned(node: TemporaryNode) -> None:
    result = network(node, "--set-interface=eth0", "--type=none")

    assert result.status == 0
    assert [line for line in result.err.splitlines() if "is for" in line] == [
        f"Warning: no interface is for {kind}: ngcpcfg cannot render anything until one is."
        for kind in ("sip_ext", "rtp_ext")
    ]


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        (
            ["--set-interface=eth0", "--ip=192.0.2.300"],
            "ip: '192.0.2.300' is not allowed; allowed is an IPv4",
        ),
        (["--set-interface=eth0", "--v6ip=192.0.2.3"], "v6ip: '192.0.2.3' is not allowed"),
        (["--set-interface=eth0", "--netmask=300"], "netmask: '300' is not allowed"),
        (["--set-interface=eth0", "--v6netmask=129"], "v6netmask: 129 is not allowed"),
        (["--set-interface=eth0", "--hwaddr=1:2"], "hwaddr: '1:2' is not allowed"),
        (["--set-interface=eth0", "--shared-ip=a"], "shared_ip: ['a'] is not allowed"),
        (["--set-interface=eth0", "--type=sip_extern"], "is not a type of interface; did you mean sip_ext?"),
        (
            ["--set-interface=eth0", "--remove-type=ssh_ext"],
            "eth0 is not for ssh_ext, but for web_ext, sip_ext",
        ),
        (["--set-interface=role"], "'role' is no name of an interface"),
        (["--remove-interface=eth9"], "there is no interface eth9; there are: lo, eth0"),
        (["--move-from=eth9", "--move-to=lo", "--type=sip_ext"], "there is no interface eth9"),
        (["--move-from=eth0", "--type=sip_ext"], "--move-from and --move-to go together"),
        (["--move-from=eth0", "--move-to=lo"], "--move-from needs --type"),
        (["--ip=192.0.2.1"], "which interface? say --set-interface=NAME"),
        (["--set-interface=a", "--set-interface=b", "--ip=192.0.2.1"], "cannot have the same address"),
        (["--set-interface=eth0", "--ip=192.0.2.1", "--ip=192.0.2.2"], "--ip takes one value"),
        (["--host=sp2", "--set-interface=eth0"], "there is no host sp2: this node is self, and alone"),
        (["--role=cook"], "role: 'cook' is not a role; roles are proxy, lb, mgmt, rtp, db"),
    ],
)
def test_what_makes_no_sense_changes_nothing(
    node: TemporaryNode, arguments: list[str], complaint: str
) -> None:
    result = network(node, *arguments)

    assert result.status == 1
    assert complaint in result.err
    assert text(node) == NETWORK


def test_an_unknown_option_is_refused_as_by_the_platforms_tools(node: TemporaryNode) -> None:
    result = node.call("ngcp-network", "--set-interfaces=eth0")

    assert result.status == 1
    assert "--set-interfaces" in result.err


@pytest.mark.parametrize(("key", "value"), [("netmsk", "255.255.255.0"), ("gateway", "192.0.2.1")])
def test_a_key_that_nobody_reads_is_refused(node: TemporaryNode, key: str, value: str) -> None:
    node.edit("network.yml", "ip: 192.0.2.10", f"ip: 192.0.2.10\n      {key}: {value}")

    result = node.run("check")

    assert result.status == 1
    assert f"hosts.self.eth0.{key}: unknown key" in result.err


def test_services_use_the_address_that_moves_between_nodes(node: TemporaryNode) -> None:
    network(node, "--set-interface=eth0", "--shared-ip=192.0.2.50")
    node.run("apply", "shared")

    assert "address: 192.0.2.50\n" in node.rendered(LB)
