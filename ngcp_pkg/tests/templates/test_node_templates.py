"""The files that daemons and Debian's own services read on a node, as the project's inventory makes them."""

import re
from pathlib import Path

import pytest

from ngcp.api import config as api
from ngcp.lb import config as lb
from ngcp.lb.security import BlockUserAgents, Security
from ngcp.net.admission import Limits
from ngcp.proxy import config as proxy
from ngcp.rtpengine import config as rtpengine
from ngcpcfg.problems import RefusedError
from templates.node import INTERFACES, Rendered, render

pytestmark = pytest.mark.repository

LB = "/etc/kamailio/lb/lb.yml"
PROXY = "/etc/kamailio/proxy/proxy.yml"
RELAY = "/etc/default/ngcp-rtpengine-daemon"
API = "/etc/ngcp-api/api.yml"
NFTABLES = "/etc/nftables.conf"


@pytest.fixture(scope="module")
def node(tmp_path_factory: pytest.TempPathFactory) -> Rendered:
    return render(tmp_path_factory.mktemp("node"))


def rules(node: Rendered, pattern: str) -> list[str]:
    return [line.strip() for line in node.text(NFTABLES).splitlines() if re.search(pattern, line)]


def test_load_balancer_is_public_and_internal(node: Rendered) -> None:
    read = lb.load(node.path(LB))

    assert read.public.socket == ("192.0.2.10", 5060)
    assert (read.public.tls_port, read.internal.xmlrpc_port) == (5061, 5060)
    assert read.internal.socket == ("127.0.0.1", 5060)
    assert [proxy.socket for proxy in read.proxies] == [("127.0.0.1", 5062)]
    assert (read.server_header, read.tos) == ("Sipwise NGCP LB", 184)


@pytest.mark.parametrize("hides", [True, False])
def test_load_balancer_hides_the_inside_unless_told_not_to(tmp_path: Path, hides: bool) -> None:
    node = render(tmp_path, sip_lb_topology_hiding=hides, sip_proxy_server_header="Inner")
    read = lb.load(node.path(LB))

    assert (read.topology_hiding, read.inner_servers) == (hides, ("Inner",))


def test_the_proxy_knows_the_load_balancers_workers(tmp_path: Path) -> None:
    node = render(tmp_path, sip_lb_workers=3, sip_lb_worker_port=5201)
    balancer, behind = lb.load(node.path(LB)), proxy.load(node.path(PROXY))

    assert balancer.processes == 3
    assert balancer.internal.sockets[1] == ("127.0.0.1", 5201)
    assert balancer.internal.sockets == behind.load_balancer.sockets


def test_as_many_workers_as_cores(tmp_path: Path) -> None:
    assert lb.load(render(tmp_path, sip_lb_workers="auto").path(LB)).workers == 0


@pytest.mark.parametrize("workers", [0, 17, "many", "2.5"])
def test_a_number_of_workers_that_cannot_be_is_refused_by_name(tmp_path: Path, workers: int | str) -> None:
    with pytest.raises(RefusedError, match=r"kamailio\.lb\.workers: .*from 1 to 16, or auto"):
        render(tmp_path, sip_lb_workers=workers)


def test_load_balancer_takes_exceptions_from_the_nat_test(tmp_path: Path) -> None:
    node = render(
        tmp_path,
        sip_lb_nattest_exception_ips=["192.0.2.7"],
        sip_lb_nattest_exception_nets=["2001:db8::/32"],
    )

    assert lb.load(node.path(LB)).nattest_exceptions == ("192.0.2.7", "2001:db8::/32")


@pytest.mark.parametrize("kind", ["ips", "nets"])
def test_an_exception_that_is_no_address_is_refused_by_name(tmp_path: Path, kind: str) -> None:
    with pytest.raises(RefusedError, match=rf"kamailio\.lb\.nattest_exception_{kind}"):
        render(tmp_path, **{f"sip_lb_nattest_exception_{kind}": ["10.0.0.1/8"]})


def test_load_balancer_of_several_proxies(tmp_path: Path) -> None:
    proxies = [
        {"address": "10.0.0.1", "weight": 3},
        {"address": "10.0.0.2", "port": 5070, "enabled": False},
    ]
    read = lb.load(render(tmp_path, sip_lb_proxies=proxies, sip_lb_probe_interval=7).path(LB))

    assert read.proxies == (lb.Proxy("10.0.0.1", 5062, 3), lb.Proxy("10.0.0.2", 5070, enabled=False))
    assert read.dispatcher == lb.Dispatching(2.0, 7.0, 3, 2)


def test_load_balancer_of_one_proxy_does_not_probe_it(node: Rendered) -> None:
    assert lb.load(node.path(LB)).dispatcher.probe_interval is None


@pytest.mark.parametrize(
    "proxy", [{}, {"address": "name.example.org"}, {"address": "10.0.0.1", "prot": 5062}, "10.0.0.1"]
)
def test_a_proxy_that_is_none_is_refused_by_name(tmp_path: Path, proxy: object) -> None:
    with pytest.raises(RefusedError, match=r"config\.yml:\d+: kamailio\.lb\.dispatcher\.proxies"):
        render(tmp_path, sip_lb_proxies=[proxy])


def test_load_balancer_of_both_families_and_more_sockets(tmp_path: Path) -> None:
    six = INTERFACES[1] | {"v6ip": "2001:db8::10"}
    more = {
        "peers": {"transport": "udp", "ip": "192.0.2.10", "port": 5070},
        "secure": {"transport": "tls", "ip": "2001:db8::10", "port": 5071},
    }
    interfaces = [INTERFACES[0], six, *INTERFACES[2:]]
    node = render(tmp_path, network_interfaces=interfaces, sip_lb_extra_sockets=more)
    read = lb.load(node.path(LB)).public

    assert [f"{transport} {host} {port}" for transport, (host, port) in read.sockets] == [
        "udp 192.0.2.10 5060",
        "tcp 192.0.2.10 5060",
        "tls 192.0.2.10 5061",
        "udp 2001:db8::10 5060",
        "tcp 2001:db8::10 5060",
        "tls 2001:db8::10 5061",
        "udp 192.0.2.10 5070",
        "tls 2001:db8::10 5071",
    ]
    assert rules(node, "elements") == ["elements = { 5060, 5070, 30000-40000 }"]
    assert rules(node, "507[01] accept") == [
        'iifname "eth0" udp dport 5070 accept comment "sip_ext"',
        'iifname "eth0" tcp dport 5071 accept comment "sip_ext"',
    ]


def test_websockets_are_off_and_the_firewall_has_no_hole_for_them(tmp_path: Path, node: Rendered) -> None:
    assert {transport for transport, _ in lb.load(node.path(LB)).public.sockets} == {"udp", "tcp", "tls"}
    assert rules(node, "8080|8443") == []

    origins = ["https://phone.example.org"]
    on = render(tmp_path, sip_lb_ws=True, sip_lb_wss=True, sip_lb_ws_origins=origins)
    read = lb.load(on.path(LB)).public
    assert read.sockets[3:] == (("ws", ("192.0.2.10", 8080)), ("wss", ("192.0.2.10", 8443)))
    assert read.ws_origins == tuple(origins)
    assert rules(on, "8080|8443") == [
        'iifname "eth0" tcp dport 8080 accept comment "sip_ext"',
        'iifname "eth0" tcp dport 8443 accept comment "sip_ext"',
    ]


@pytest.mark.parametrize("origin", ["phone.example.org", "https://a/path", 7])
def test_an_origin_that_is_none_is_refused(tmp_path: Path, origin: object) -> None:
    with pytest.raises(RefusedError, match=r"kamailio\.lb\.ws\.origins"):
        render(tmp_path, sip_lb_ws_origins=[origin])


@pytest.mark.parametrize(
    ("socket", "complaint"),
    [
        ({"transport": "sctp", "ip": "192.0.2.1", "port": 5070}, r"\.transport: 'sctp' is not allowed"),
        ({"transport": "udp", "ip": "edge", "port": 5070}, r"\.ip: 'edge' is not allowed"),
        ({"transport": "udp", "ip": "192.0.2.1", "port": 5070, "tos": 1}, r"\.tos: unknown key"),
        ({"transport": "udp", "ip": "192.0.2.1"}, r"extra_sockets\.peers\.port is not defined"),
    ],
)
def test_an_extra_socket_that_is_none_is_refused_by_name(
    tmp_path: Path, socket: dict[str, object], complaint: str
) -> None:
    with pytest.raises(RefusedError, match=complaint):
        render(tmp_path, sip_lb_extra_sockets={"peers": socket})


def test_load_balancer_limits_its_connections(node: Rendered) -> None:
    assert lb.load(node.path(LB)).limits == Limits()


def test_load_balancer_shows_the_certificate_of_the_first_boot(node: Rendered) -> None:
    read = lb.load(node.path(LB)).public

    assert read.certificate == Path("/etc/ngcp-config/shared-files/ssl/myserver.crt")
    assert read.private_key == Path("/etc/ngcp-config/shared-files/ssl/myserver.key")


def test_without_tls_the_load_balancer_has_no_certificate_and_the_firewall_no_hole(tmp_path: Path) -> None:
    node = render(tmp_path, sip_lb_tls=False)

    assert lb.load(node.path(LB)).public.certificate is None
    assert rules(node, "5061") == []


def test_load_balancer_bans_as_the_inventory_says(node: Rendered, tmp_path: Path) -> None:
    assert lb.load(node.path(LB)).security == Security()
    assert lb.load(node.path(LB)).block_useragents == BlockUserAgents()

    changed = render(
        tmp_path,
        sip_lb_dos_ban=False,
        sip_lb_dos_whitelisted_ips=["192.0.2.1", "2001:db8::1"],
        sip_lb_dos_whitelisted_subnets=["198.51.100.0/24"],
        sip_lb_auth_attempts=5,
        sip_lb_block_useragents=True,
        sip_lb_block_useragents_patterns=["^sip(cli|vicious)", "v[0-9]+\\.0"],
    )
    read = lb.load(changed.path(LB))
    assert (read.security.dos_ban_enable, read.security.failed_auth_attempts) == (False, 5)
    assert read.security.dos_whitelisted_ips == ("192.0.2.1", "2001:db8::1")
    assert read.security.dos_whitelisted_subnets == ("198.51.100.0/24",)
    assert read.block_useragents == BlockUserAgents(True, ua_patterns=("^sip(cli|vicious)", "v[0-9]+\\.0"))


@pytest.mark.parametrize(
    ("change", "allowed"),
    [
        ({"sip_lb_dos_whitelisted_ips": ["peer"]}, "a list of IP addresses"),
        ({"sip_lb_dos_whitelisted_subnets": ["192.0.2.1/24"]}, "a list of networks"),
        ({"sip_lb_block_useragents_patterns": ["(a"]}, "a list of regular expressions"),
        ({"sip_lb_block_useragents_mode": "grey"}, "blacklist or whitelist"),
    ],
)
def test_a_ban_that_means_nothing_is_refused(change: dict[str, object], allowed: str, tmp_path: Path) -> None:
    with pytest.raises(RefusedError, match=allowed):
        render(tmp_path, **change)


def test_metrics_have_ports_of_their_own_or_none(node: Rendered, tmp_path: Path) -> None:
    assert (lb.load(node.path(LB)).metrics.port, proxy.load(node.path(PROXY)).metrics.port) == (9494, 9495)
    silent = render(tmp_path, sip_lb_metrics=False, sip_proxy_metrics=False)
    assert lb.load(silent.path(LB)).metrics.port is None
    assert proxy.load(silent.path(PROXY)).metrics.port is None


def test_proxy_is_internal_and_knows_its_neighbours(node: Rendered) -> None:
    read = proxy.load(node.path(PROXY))

    assert read.listen.pair == ("127.0.0.1", 5062)
    assert read.xmlrpc.pair == ("127.0.0.1", 8000)
    assert read.load_balancer.pair == ("127.0.0.1", 5060)
    assert read.media_relay.pair == ("127.0.0.1", 12222)
    assert read.database.socket == "/run/mysqld/mysqld.sock"


def test_proxy_grants_what_the_inventory_says(tmp_path: Path) -> None:
    node = render(tmp_path, sip_proxy_min_expires=30, sip_proxy_default_expires=600, sip_proxy_max_contacts=2)
    granted = proxy.load(node.path(PROXY)).registrar

    assert (granted.min_expires, granted.default_expires, granted.max_contacts) == (30, 600, 2)


@pytest.mark.parametrize("nat_sipping", ["yes", "no", "always"])
def test_proxy_pings_whom_the_inventory_says(tmp_path: Path, nat_sipping: str) -> None:
    node = render(tmp_path, sip_proxy_nat_sipping=nat_sipping, sip_proxy_natping_method="crlf")
    keepalive = proxy.load(node.path(PROXY)).keepalive

    assert (keepalive.nat_sipping, keepalive.method, keepalive.interval) == (nat_sipping, "crlf", 30.0)


def test_the_kernel_keeps_the_media_relays_ports_for_it(tmp_path: Path) -> None:
    node = render(tmp_path, media_relay_port_min=40000, media_relay_port_max=42000)

    sysctl = node.text("/etc/sysctl.d/60-ngcp.conf")
    assert "net.ipv4.ip_local_reserved_ports = 40000-42000\n" in sysctl


def test_relay_listens_inside_and_relays_outside(node: Rendered) -> None:
    read = rtpengine.load(node.path(RELAY))

    assert read.control == ("127.0.0.1", 12222)
    assert (read.interface, read.port_min, read.port_max, read.tos) == ("192.0.2.11", 30000, 40000, 184)


def test_api_is_served_over_https_on_every_address(node: Rendered) -> None:
    read = api.load(node.path(API))

    assert (read.listen.address, read.listen.port) == ("0.0.0.0", 1443)
    assert read.listen.private_key == Path("/etc/ngcp-config/shared-files/ssl/myserver.key")
    assert read.database.socket == "/run/mysqld/mysqld.sock"
    assert read.proxy_xmlrpc == "http://127.0.0.1:8000/RPC2"
    assert (read.lb_xmlrpc, read.failed_auth_attempts) == ("http://127.0.0.1:5060/RPC2", 3)


@pytest.mark.parametrize(
    ("target", "expected"),
    [
        ("/etc/mysql/mariadb.conf.d/60-ngcp.cnf", "bind-address = 127.0.0.1\nport = 3306\n"),
        ("/etc/systemd/system/redis-server.service.d/ngcp.conf", "--bind 127.0.0.1 --port 6379"),
    ],
)
def test_state_is_kept_inside(node: Rendered, target: str, expected: str) -> None:
    assert expected in node.text(target)


def test_firewall_opens_each_interface_for_what_it_is_for(node: Rendered) -> None:
    assert rules(node, "iifname") == [
        'iifname "eth0" udp dport 5060 accept comment "sip_ext"',
        'iifname "eth0" tcp dport 5060 accept comment "sip_ext"',
        'iifname "eth0" tcp dport 5061 accept comment "sip_ext"',
        'iifname "eth1" udp dport 30000-40000 accept comment "rtp_ext"',
        'iifname "eth2" tcp dport 22 accept comment "ssh_ext"',
        'iifname "eth2" tcp dport 1443 accept comment "web_ext"',
    ]


def test_firewall_of_a_node_that_boots_anywhere_names_no_interface(tmp_path: Path) -> None:
    """An image carries its rules: they must hold whatever the interface is called where it boots."""
    automatic = {"name": "auto", "ip": "auto", "type": ["ssh_ext", "web_ext", "sip_ext", "rtp_ext"]}
    node = render(tmp_path, network_interfaces=[INTERFACES[0], automatic])

    assert rules(node, "iifname") == []
    assert rules(node, "dport 22 ") == ['tcp dport 22 accept comment "ssh_ext"']
    assert rules(node, "policy") == ["policy drop"]


def test_firewall_never_touches_foreign_tables(node: Rendered) -> None:
    """The media relay's kernel part lives in `ip filter` and `ip6 filter`; a flush would remove it."""
    assert rules(node, "flush") == []
    assert rules(node, "^(table|delete)") == [
        "table inet ngcp",
        "delete table inet ngcp",
        "table inet ngcp {",
    ]


def test_firewall_that_is_off_takes_its_table_away(tmp_path: Path) -> None:
    node = render(tmp_path, network_firewall=False)

    assert node.text(NFTABLES).split("\n") == ["table inet ngcp", "delete table inet ngcp"]


def test_a_port_that_is_none_is_refused_by_name(tmp_path: Path) -> None:
    with pytest.raises(RefusedError, match=r"config\.yml:\d+: kamailio\.lb\.port"):
        render(tmp_path, sip_lb_port=70000)


@pytest.mark.parametrize("name", ['Café: the "best" #1', "yes", "- dash"])
def test_a_company_may_be_called_anything(tmp_path: Path, name: str) -> None:
    render(tmp_path, node_company_name=name)
