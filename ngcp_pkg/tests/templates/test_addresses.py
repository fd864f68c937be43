"""Where a node's addresses come from: network.yml, by what its interfaces are for, and from nowhere else."""

import ipaddress
import re
from pathlib import Path
from typing import Final

import pytest

from ngcp.api import config as api
from ngcp.b2bua import config as b2bua
from ngcp.lb import config as lb
from ngcp.proxy import config as proxy
from ngcp.rtpengine import config as rtpengine
from templates.node import PROJECT, Rendered, render

pytestmark = pytest.mark.repository

LB: Final = "/etc/kamailio/lb/lb.yml"
PROXY: Final = "/etc/kamailio/proxy/proxy.yml"
RELAY: Final = "/etc/default/ngcp-rtpengine-daemon"
API: Final = "/etc/ngcp-api/api.yml"
B2BUA: Final = "/etc/ngcp-sems/sems.yml"
NFTABLES: Final = "/etc/nftables.conf"

#: One interface for all, as an image has it, though with its address written down.
SMALL: Final = [
    {"name": "lo", "ip": "127.0.0.1", "type": ["sip_int", "rtp_int"]},
    {"name": "ens3", "ip": "198.51.100.3", "type": ["ssh_ext", "web_ext", "sip_ext", "rtp_ext"]},
]
#: One for each purpose, two for subscribers, the inside on a network of its own, both families.
LARGE: Final = [
    {"name": "lo", "ip": "127.0.0.1", "type": []},
    {"name": "int0", "ip": "10.0.0.5", "type": ["sip_int", "rtp_int", "api_int", "web_int"]},
    {"name": "sip0", "ip": "203.0.113.10", "v6ip": "2001:db8::10", "type": ["sip_ext"]},
    {"name": "sip1", "ip": "203.0.113.20", "type": ["sip_ext"]},
    {"name": "rtp0", "ip": "203.0.113.30", "v6ip": "2001:db8::30", "type": ["rtp_ext"]},
    {"name": "adm0", "ip": "203.0.113.40", "v6ip": "2001:db8::40", "type": ["ssh_ext", "web_ext"]},
]


def listeners(node: Rendered) -> dict[str, list[str]]:
    """Give every address that a daemon listens on, or tells others, as the daemon reads it."""
    edge, core, b2b = lb.load(node.path(LB)), proxy.load(node.path(PROXY)), b2bua.load(node.path(B2BUA))
    relay, rest = rtpengine.load(node.path(RELAY)), api.load(node.path(API))
    return {
        "phones": sorted({f"{kind} {host}:{port}" for kind, (host, port) in edge.public.sockets}),
        "edge inside": [f"{edge.internal.address}:{edge.internal.port}"],
        "proxy": [f"{core.listen.address}:{core.listen.port}", f"{core.xmlrpc.address}:{core.xmlrpc.port}"],
        "b2bua": [f"{b2b.listen.address}:{b2b.listen.port}", f"told {b2b.public.address}"],
        "announcements": [b2b.media.address],
        "relay": [f"{name} {address}" for name, address in relay.addresses],
        "relay control": [host for host, _ in filter(None, (relay.control, relay.operators))],
        "rest": list(rest.listen.addresses),
        "rest asks": [rest.proxy_xmlrpc, rest.b2bua_xmlrpc, rest.lb_xmlrpc],
    }


def openings(node: Rendered) -> list[str]:
    """Give what the firewall lets in, by interface."""
    found = re.findall(r'iifname "(\w+)" (.*) accept comment "(\w+)"', node.text(NFTABLES))
    return [f"{name} {match} ({kind})" for name, match, kind in found]


def test_a_node_with_one_interface(tmp_path: Path) -> None:
    node = render(tmp_path, network_interfaces=SMALL)

    assert listeners(node) == {
        "phones": [
            f"{one} 198.51.100.3:{port}" for one, port in (("tcp", 5060), ("tls", 5061), ("udp", 5060))
        ],
        "edge inside": ["127.0.0.1:5060"],
        "proxy": ["127.0.0.1:5062", "127.0.0.1:8000"],
        "b2bua": ["127.0.0.1:5080", "told 198.51.100.3"],
        "announcements": ["127.0.0.1"],
        "relay": ["ext 198.51.100.3", "int 127.0.0.1"],
        "relay control": ["127.0.0.1", "127.0.0.1"],
        "rest": ["127.0.0.1", "198.51.100.3"],
        "rest asks": [f"http://127.0.0.1:{port}/RPC2" for port in (8000, 8090, 5060)],
    }
    assert openings(node) == [
        "ens3 tcp dport 22 (ssh_ext)",
        "ens3 tcp dport 1443 (web_ext)",
        "ens3 udp dport 5060 (sip_ext)",
        "ens3 tcp dport 5060 (sip_ext)",
        "ens3 tcp dport 5061 (sip_ext)",
        "ens3 udp dport 30000-40000 (rtp_ext)",
    ]


def test_a_node_with_an_interface_for_each_purpose(tmp_path: Path) -> None:
    node = render(tmp_path, network_interfaces=LARGE)
    phones = [
        f"{transport} {host}:{5061 if transport == 'tls' else 5060}"
        for transport in ("udp", "tcp", "tls")
        for host in ("203.0.113.10", "2001:db8::10", "203.0.113.20")
    ]

    assert listeners(node) == {
        "phones": sorted(phones),
        "edge inside": ["10.0.0.5:5060"],
        "proxy": ["10.0.0.5:5062", "10.0.0.5:8000"],
        "b2bua": ["10.0.0.5:5080", "told 203.0.113.10"],
        "announcements": ["10.0.0.5"],
        "relay": ["ext 203.0.113.30", "ext 2001:db8::30", "int 10.0.0.5"],
        "relay control": ["10.0.0.5", "10.0.0.5"],
        "rest": ["127.0.0.1", "203.0.113.40", "2001:db8::40", "10.0.0.5"],
        "rest asks": [f"http://10.0.0.5:{port}/RPC2" for port in (8000, 8090, 5060)],
    }
    assert openings(node) == [
        "int0 tcp dport 1443 (api_int)",
        "int0 tcp dport 1443 (web_int)",
        *[
            f"sip{i} {match} (sip_ext)"
            for i in (0, 1)
            for match in ("udp dport 5060", "tcp dport 5060", "tcp dport 5061")
        ],
        "rtp0 udp dport 30000-40000 (rtp_ext)",
        "adm0 tcp dport 22 (ssh_ext)",
        "adm0 tcp dport 1443 (web_ext)",
    ]


def test_nothing_stays_behind_when_an_address_changes(tmp_path: Path) -> None:
    """Every file that knew the old address knows the new one, and only that."""
    old, new = "198.51.100.3", "198.51.100.77"
    before = render(tmp_path / "before", network_interfaces=SMALL)
    moved = [SMALL[0], SMALL[1] | {"ip": new}]
    after = render(tmp_path / "after", network_interfaces=moved)

    knew = {path for path in _files(before) if old in before.text(path)}
    assert knew == {LB, B2BUA, RELAY, API}
    assert {path for path in _files(after) if new in after.text(path)} == knew
    assert {path for path in _files(after) if old in after.text(path)} == set()


def test_no_node_template_has_an_address_of_its_own() -> None:
    """127.0.0.1 is everybody's own; any other address is for network.yml or constants.yml to say."""
    for path in sorted((PROJECT / "roles").glob("*/templates/etc/ngcp-config/templates/**/*.j2")):
        for word in re.findall(r"\b\d+\.\d+\.\d+\.\d+\b", path.read_text()):
            assert ipaddress.ip_address(word).is_loopback, f"{path.name} says {word}"


def _files(node: Rendered) -> list[str]:
    return [f"/{path.relative_to(node.root)}" for path in sorted(node.root.rglob("*")) if path.is_file()]
