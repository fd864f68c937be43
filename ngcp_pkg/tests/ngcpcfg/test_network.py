"""Addresses that the running system is asked for."""

import pytest

from temporary_node import FILES, TemporaryNode

LB = "/etc/kamailio/lb/lb.yml"
AUTO = """\
---
hosts:
  self:
    interfaces: [auto]
    auto: {ip: auto, type: [sip_ext, rtp_ext]}
"""


@pytest.fixture
def automatic_node(node: TemporaryNode) -> TemporaryNode:
    """A node that does not know its address."""
    node.write(node.main, {"network.yml": AUTO})
    node.run("commit")
    return node


def test_the_address_is_that_of_the_interface_of_the_default_route(automatic_node: TemporaryNode) -> None:
    automatic_node.tell_addresses(route="ens3", eth7="198.51.100.7", ens3="203.0.113.3")

    automatic_node.run("apply")

    assert "address: 203.0.113.3\n" in automatic_node.rendered(LB)


def test_an_address_that_has_changed_is_followed(automatic_node: TemporaryNode) -> None:
    automatic_node.tell_addresses(route="ens3", ens3="203.0.113.3")
    automatic_node.run("apply")
    automatic_node.actions()

    automatic_node.tell_addresses(route="ens3", ens3="203.0.113.4")

    assert automatic_node.run("apply").last == "Changed: 1 file, 1 service action."
    assert "address: 203.0.113.4\n" in automatic_node.rendered(LB)
    assert automatic_node.actions() == ["restart kamailio-lb"]


def test_without_a_route_the_only_global_address_is_meant(automatic_node: TemporaryNode) -> None:
    automatic_node.tell_addresses(route=None, ens3="203.0.113.3")

    automatic_node.run("apply")

    assert "address: 203.0.113.3\n" in automatic_node.rendered(LB)


def test_the_first_address_of_a_named_interface(node: TemporaryNode) -> None:
    node.write(node.main, {"network.yml": FILES["network.yml"].replace("192.0.2.10", "auto")})
    node.tell_addresses(route="other", other="198.51.100.7", eth0="203.0.113.3")

    node.run("apply", "auto")

    assert "address: 203.0.113.3\n" in node.rendered(LB)


@pytest.mark.parametrize(
    ("route", "addresses", "complaint"),
    [
        (
            None,
            {},
            "there is no default route to find the interface by, and no interface has a global address",
        ),
        (
            None,
            {"a": "192.0.2.1", "b": "192.0.2.2"},
            "there is no default route to find the interface by, "
            "and several interfaces have a global address: a, b",
        ),
        ("ens3", {}, 'Device "ens3" does not exist.'),
    ],
)
def test_an_address_that_cannot_be_told_changes_nothing(
    automatic_node: TemporaryNode, route: str | None, addresses: dict[str, str], complaint: str
) -> None:
    automatic_node.tell_addresses(route=route, **addresses)
    before = automatic_node.snapshot()

    result = automatic_node.run("apply")

    assert result.status == 1
    assert f"lb.yml.j2:1: ngcp.address('sip_ext'): {complaint}" in result.err
    assert automatic_node.snapshot() == before


def test_files_that_name_no_address_need_no_network(automatic_node: TemporaryNode) -> None:
    """An image is made where the node's network is not."""
    automatic_node.edit("config.yml", "tos_rtp: 184", "tos_rtp: 96")

    assert automatic_node.run("build", "/etc/default/ngcp-rtpengine-daemon").last == "Changed: 1 file."


@pytest.mark.parametrize(
    ("v6ip", "addresses", "told"),
    [
        ("auto", "203.0.113.3 fe80::1 ~2001:db8::99 2001:db8::3", "2001:db8::3"),
        ("auto", "203.0.113.3 fe80::1", ""),
        ("2001:db8::7", "203.0.113.3 2001:db8::3", "2001:db8::7"),
        ("~", "203.0.113.3 2001:db8::3", ""),
    ],
)
def test_the_ipv6_address_beside_the_other(node: TemporaryNode, v6ip: str, addresses: str, told: str) -> None:
    both = "ip: auto" if v6ip == "~" else f'ip: auto, v6ip: "{v6ip}"'
    node.write(node.main, {"network.yml": AUTO.replace("ip: auto", both)})
    node.write(node.main, {"templates/etc/six.j2": 'six=[%= ngcp.address6("sip_ext") %]\n'})
    node.run("commit")
    node.tell_addresses(route="ens3", ens3=addresses)

    assert node.run("apply").status == 0

    assert node.rendered("/etc/six") == f"six={told}\n"


@pytest.mark.parametrize("v6ip", ["192.0.2.1", "fe80", "7"])
def test_what_is_no_ipv6_address_is_refused(node: TemporaryNode, v6ip: str) -> None:
    node.write(node.main, {"network.yml": AUTO.replace("ip: auto", f'ip: auto, v6ip: "{v6ip}"')})

    result = node.run("check")

    assert result.status == 1
    assert f"v6ip: {v6ip!r} is not allowed; allowed is an IPv6 address or auto" in result.err
