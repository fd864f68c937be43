"""The files that daemons and Debian's own services read on a node, as the project's inventory makes them."""

import dataclasses
import re
from pathlib import Path

import pytest

from ngcp.api import config as api
from ngcp.appserver import config as appserver
from ngcp.appserver.letters import SUBJECT, TEXT, read_style
from ngcp.b2bua import config as b2bua
from ngcp.lb import config as lb
from ngcp.lb.security import BlockUserAgents, Security
from ngcp.mediator import config as mediator
from ngcp.net.admission import Limits
from ngcp.proxy import config as proxy
from ngcp.proxy.probes import Probing
from ngcp.rtpengine import config as rtpengine
from ngcp.service.config import load_yaml
from ngcp.tools import cdr_exporter, cleanup_acc
from ngcpcfg.problems import RefusedError
from templates.node import INTERFACES, Rendered, render

pytestmark = pytest.mark.repository

LB = "/etc/kamailio/lb/lb.yml"
PROXY = "/etc/kamailio/proxy/proxy.yml"
RELAY = "/etc/default/ngcp-rtpengine-daemon"
API = "/etc/ngcp-api/api.yml"
EXPORTER = "/etc/ngcp-cdr-exporter/cdr-exporter.yml"
CLEANUP = "/etc/ngcp-cleanup-tools/acc-cleanup.yml"
B2BUA = "/etc/ngcp-sems/sems.yml"
MEDIATOR = "/etc/ngcp-mediator/mediator.yml"
APP_SERVER = "/etc/asterisk/asterisk.yml"
LETTER = "/etc/asterisk/voicemail.txt"
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


def test_digests_are_md5_unless_the_operator_knows_the_phones(tmp_path: Path, node: Rendered) -> None:
    both = render(tmp_path, sip_proxy_digest_algorithms=["SHA-256", "MD5"])
    assert proxy.load(node.path(PROXY)).digest_algorithms == ("MD5",)
    assert proxy.load(both.path(PROXY)).digest_algorithms == ("SHA-256", "MD5")


def test_peers_are_probed_as_the_operator_says(tmp_path: Path, node: Rendered) -> None:
    often = render(tmp_path, sip_proxy_peer_probe_interval=5, sip_proxy_peer_probe_failures=1)
    assert proxy.load(node.path(PROXY)).peer_probes == Probing(10.0, 3)
    assert proxy.load(often.path(PROXY)).peer_probes == Probing(5.0, 1)
    assert proxy.load(node.path(PROXY)).voicemail_number == "2000"


@pytest.mark.parametrize("is_bypassed", [True, False])
def test_calls_go_by_the_b2bua_or_past_it(tmp_path: Path, is_bypassed: bool) -> None:
    behind = proxy.load(render(tmp_path, sip_b2bua_bypass=is_bypassed).path(PROXY)).b2bua
    assert (behind.pair, behind.bypass) == (("127.0.0.1", 5080), is_bypassed)


@pytest.mark.parametrize("algorithms", [[], ["SHA-1"], "MD5"])
def test_a_digest_that_is_none_of_ours_is_refused_by_name(
    tmp_path: Path, algorithms: list[str] | str
) -> None:
    with pytest.raises(RefusedError, match=r"kamailio\.proxy\.digest_algorithms: .*MD5 or SHA-256"):
        render(tmp_path, sip_proxy_digest_algorithms=algorithms)


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


def test_all_proxies_are_told_of_changes(tmp_path: Path) -> None:
    addresses = ("127.0.0.1", "10.0.0.2", "2001:db8::2")
    read = api.load(render(tmp_path, sip_lb_proxies=[{"address": one} for one in addresses]).path(API))

    assert read.proxy_xmlrpc == "http://127.0.0.1:8000/RPC2"
    assert read.other_proxies_xmlrpc == ("http://10.0.0.2:8000/RPC2", "http://[2001:db8::2]:8000/RPC2")


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
    assert b2bua.load(node.path(B2BUA)).metrics.port == 9497
    silent = render(tmp_path, sip_lb_metrics=False, sip_proxy_metrics=False, sip_b2bua_metrics=False)
    assert b2bua.load(silent.path(B2BUA)).metrics.port is None
    assert lb.load(silent.path(LB)).metrics.port is None
    assert proxy.load(silent.path(PROXY)).metrics.port is None


def test_proxy_is_internal_and_knows_its_neighbours(node: Rendered) -> None:
    read = proxy.load(node.path(PROXY))

    assert read.listen.pair == ("127.0.0.1", 5062)
    assert read.xmlrpc.pair == ("127.0.0.1", 8000)
    assert read.load_balancer.pair == ("127.0.0.1", 5060)
    assert read.media_relay.pair == ("127.0.0.1", 12222)
    assert read.database.socket == "/run/mysqld/mysqld.sock"
    assert read.redis.pair == ("127.0.0.1", 6379)


def test_b2bua_is_internal_and_knows_the_proxy(node: Rendered) -> None:
    read, behind = b2bua.load(node.path(B2BUA)), proxy.load(node.path(PROXY))

    assert (read.listen.pair, read.proxy.pair) == (behind.b2bua.pair, behind.listen.pair)
    assert (read.control.pair, read.xmlrpc.pair) == (("127.0.0.1", 5040), ("127.0.0.1", 8090))
    assert (read.load_balancer.pair, read.public.pair) == (behind.load_balancer.pair, ("192.0.2.10", 5060))
    assert read == b2bua.Configuration(metrics=read.metrics, public=read.public)


def test_the_mediator_reads_where_the_proxy_writes(node: Rendered) -> None:
    read, writer = mediator.load(node.path(MEDIATOR)), proxy.load(node.path(PROXY))

    assert read.redis.pair == writer.redis.pair
    assert (read.redis.dialogs, read.redis.acc) == (writer.redis.databases.own, writer.redis.databases.acc)
    assert read.max_call_duration == writer.max_call_duration
    assert read == mediator.Configuration(metrics=read.metrics)
    assert read.metrics.port == 9499


def test_app_server_is_internal_and_the_proxy_knows_it(node: Rendered) -> None:
    read, behind = appserver.load(node.path(APP_SERVER)), proxy.load(node.path(PROXY))

    assert (read.listen.pair, read.proxy.pair) == (behind.app_server.pair, behind.listen.pair)
    assert read.metrics.port == 9498
    assert read == appserver.Configuration(metrics=read.metrics, mail=read.mail)
    assert read.mail == appserver.Mail(letter="/etc/asterisk/voicemail.txt")
    style = read_style(str(node.path(LETTER)), read.mail.sender, read.mail.name)
    assert (style.subject, style.text) == (SUBJECT, TEXT)


def test_letters_and_wakeup_calls_are_what_the_inventory_says(tmp_path: Path) -> None:
    node = render(
        tmp_path,
        sip_appserver_voicemail_serveremail="box@example.org",
        sip_appserver_voicemail_fromstring="Box",
        sip_appserver_voicemail_mailsubject="${VM_NAME}: 5 $$",
        sip_appserver_voicemail_mailbody="Hello,\n\n${VM_CALLERID} called.",
        sip_appserver_voicemail_smtp_host="mx.example.org",
        sip_appserver_voicemail_smtp_port=2525,
        sip_appserver_voicemail_smtp_security="starttls",
        sip_appserver_voicemail_smtp_ca_file="/etc/ssl/ca.pem",
        sip_appserver_voicemail_smtp_user="node",
        sip_appserver_voicemail_smtp_password_file="/etc/asterisk/password",
        sip_appserver_reminder_retries=0,
        sip_appserver_reminder_weekdays=[1, 7],
        sip_proxy_voicemail_number="99",
    )
    read = appserver.load(node.path(APP_SERVER))

    server = ("mx.example.org", 2525, "starttls", "/etc/ssl/ca.pem", "node", "/etc/asterisk/password")
    assert dataclasses.astuple(read.mail.server) == server
    assert (read.reminder.retries, read.reminder.weekdays, read.voicemail_number) == (0, (1, 7), "99")
    style = read_style(str(node.path(LETTER)), read.mail.sender, read.mail.name)
    expected = ("box@example.org", "Box", "${VM_NAME}: 5 $$", "Hello,\n\n${VM_CALLERID} called.\n")
    assert dataclasses.astuple(style) == expected


def test_messages_are_what_the_inventory_says(tmp_path: Path) -> None:
    node = render(
        tmp_path,
        sip_appserver_voicemail_maxmsg=7,
        sip_appserver_voicemail_maxsecs=60,
        sip_appserver_voicemail_minsecs=0,
        sip_appserver_voicemail_maxsilence=0,
        sip_appserver_voicemail_silencethreshold=500,
        sip_appserver_voicemail_held=1,
        sip_appserver_metrics=False,
        sip_proxy_voicemail_access_number="4312000",
    )
    read = appserver.load(node.path(APP_SERVER))

    assert read.voicemail == appserver.Voicemail(7, 60.0, 0.0, 0.0, 500, 1)
    assert read.metrics.port is None
    assert proxy.load(node.path(PROXY)).voicemail_access_number == "4312000"


@pytest.mark.parametrize(
    ("variable", "value", "key"),
    [
        ("sip_appserver_port", 5080, r"asterisk\.port"),
        ("sip_appserver_media_port_max", 9000, r"asterisk\.maxport"),
        ("sip_appserver_voicemail_maxmsg", 0, r"asterisk\.voicemail\.maxmsg"),
        ("sip_appserver_voicemail_minsecs", 60.5, r"asterisk\.voicemail\.minsecs"),
        ("sip_appserver_voicemail_maxsecs", 1, r"asterisk\.voicemail\.m"),
        ("sip_proxy_voicemail_access_number", "+43", r"kamailio\.proxy\.voicemail_access_number"),
        ("sip_appserver_voicemail_serveremail", "box", r"asterisk\.voicemail\.serveremail"),
        ("sip_appserver_voicemail_mailsubject", "${VM_X}", r"asterisk\.voicemail\.mailsubject"),
        ("sip_appserver_voicemail_mailbody", "100 $", r"asterisk\.voicemail\.mailbody"),
        ("sip_appserver_voicemail_smtp_security", "ssl", r"asterisk\.voicemail\.smtp\.security"),
        ("sip_appserver_reminder_late", 10, r"reminder\.late"),
        ("sip_appserver_reminder_weekdays", [0], r"reminder\.weekdays"),
    ],
)
def test_what_the_app_server_cannot_have_is_refused_by_name(
    tmp_path: Path, variable: str, value: object, key: str
) -> None:
    with pytest.raises(RefusedError, match=key):
        render(tmp_path, **{variable: value})


def test_b2bua_lets_pass_what_the_inventory_says(tmp_path: Path) -> None:
    node = render(
        tmp_path,
        sip_b2bua_headers_allow=["Subject", "X-*"],
        sip_b2bua_headers_deny=["X-Secret"],
        sip_b2bua_methods=["INFO"],
        sip_b2bua_drain=1,
        sip_b2bua_refer="refuse",
        sip_b2bua_media=["audio"],
        sip_b2bua_codecs_without=["G729"],
    )
    read = b2bua.load(node.path(B2BUA))

    assert (read.profile.headers.allow, read.profile.headers.deny) == (("Subject", "X-*"), ("X-Secret",))
    assert (read.profile.methods, read.drain) == (("INFO",), 1.0)
    assert read.profile.refer == "refuse"
    assert (read.profile.session.media, read.profile.session.without) == (("audio",), ("G729",))


@pytest.mark.parametrize(
    ("variable", "value", "key"),
    [
        ("sip_b2bua_headers_deny", ["a*b*c*"], r"b2b\.headers\.deny"),
        ("sip_b2bua_headers_allow", ["X: y"], r"b2b\.headers\.allow"),
        ("sip_b2bua_methods", ["info"], r"b2b\.methods"),
        ("sip_b2bua_refer", "perhaps", r"b2b\.refer"),
        ("sip_b2bua_codecs", ["a b"], r"b2b\.session\.codecs"),
        ("sip_b2bua_port", 5062, r"b2b\.port"),
        ("sip_b2bua_metrics_port", 9495, r"b2b\.metrics\.port"),
    ],
)
def test_what_the_b2bua_cannot_have_is_refused_by_name(
    tmp_path: Path, variable: str, value: object, key: str
) -> None:
    with pytest.raises(RefusedError, match=key):
        render(tmp_path, **{variable: value})


def test_redis_has_all_the_databases_that_the_proxy_uses(node: Rendered) -> None:
    """Its default are 16, and the platform's call records are in number 21."""
    unit = node.text("/etc/systemd/system/redis-server.service.d/ngcp.conf")
    numbers = dataclasses.astuple(proxy.load(node.path(PROXY)).redis.databases)

    assert numbers == (3, 4, 5, 21)
    (count,) = re.findall(r"--databases (\d+)", unit)
    assert max(numbers) < int(count)


def test_calls_last_as_long_as_the_inventory_says(tmp_path: Path) -> None:
    read = proxy.load(render(tmp_path, sip_proxy_max_call_duration=600).path(PROXY))

    assert read.max_call_duration == 600


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
    assert read.addresses == (("ext", "192.0.2.11"), ("int", "127.0.0.1"))
    assert (read.port_min, read.port_max, read.tos) == (30000, 40000, 184)


def test_relay_relays_on_both_families(tmp_path: Path) -> None:
    interfaces = [*INTERFACES[:2], INTERFACES[2] | {"v6ip": "2001:db8::11"}, INTERFACES[3]]
    read = rtpengine.load(render(tmp_path, network_interfaces=interfaces).path(RELAY))
    assert read.addresses == (("ext", "192.0.2.11"), ("ext", "2001:db8::11"), ("int", "127.0.0.1"))


def test_file_of_the_relay_is_this(node: Rendered) -> None:
    """Every line, as an operator reads it."""
    assert node.text(RELAY).splitlines() == [
        "LISTEN_NG=127.0.0.1:12222",
        "LISTEN_CLI=127.0.0.1:9900",
        "METRICS_PORT=9496",
        'INTERFACES="ext/192.0.2.11 int/127.0.0.1"',
        "PORT_MIN=30000",
        "PORT_MAX=40000",
        "TOS=184",
        "TIMEOUT=60",
        "SILENT_TIMEOUT=3600",
        "FINAL_TIMEOUT=0",
        "DELETE_DELAY=0",
        "FORWARDING=auto",
        "TABLE=0",
        "SOUND_DIR=/usr/share/asterisk/moh",
        "MUSIC_ON_HOLD=macroform-the_simplicity.wav",
        "DATABASE=/run/mysqld/mysqld.sock",
        "REDIS=127.0.0.1:6379",
        "REDIS_DB=1",
        "REDIS_TIMEOUT=1.0",
    ]


def test_file_of_a_relay_with_all_that_it_can(tmp_path: Path) -> None:
    changes: dict[str, object] = {
        "media_relay_tcp_control": True,
        "media_relay_metrics": False,
        "media_relay_final_timeout": 7200,
        "media_relay_delete_delay": 5,
        "media_relay_forward_to": "127.0.0.1:9999",
        "media_relay_recording": True,
        "media_relay_recording_mixed": False,
        "media_relay_sound_dir": "/srv/sounds",
        "media_relay_music_on_hold": "hold.wav",
    }
    read = rtpengine.load(render(tmp_path, **changes).path(RELAY))
    assert read.tcp_control == ("127.0.0.1", 12223)
    assert read.operators == ("127.0.0.1", 9900)
    assert read.metrics_port is None
    assert (read.final_timeout, read.delete_delay) == (7200.0, 5.0)
    assert read.listener == ("127.0.0.1", 9999)
    assert (read.recording_dir, read.recording_mixed) == ("/var/spool/rtpengine", False)
    assert (read.sound_dir, read.music_on_hold) == ("/srv/sounds", "hold.wav")


@pytest.mark.parametrize("place", ["recorder:9999", "127.0.0.1", 9999])
def test_a_place_to_forward_media_to_has_address_and_port(tmp_path: Path, place: object) -> None:
    with pytest.raises(RefusedError, match=r"rtpproxy\.forward_to: .*ADDRESS:PORT"):
        render(tmp_path, media_relay_forward_to=place)


def test_api_is_served_over_https_where_the_web_is(node: Rendered) -> None:
    read = api.load(node.path(API))

    assert (read.listen.addresses, read.listen.port) == (("127.0.0.1", "192.0.2.12"), 1443)
    assert read.listen.private_key == Path("/etc/ngcp-config/shared-files/ssl/myserver.key")
    assert read.database.socket == "/run/mysqld/mysqld.sock"
    assert (read.proxy_xmlrpc, read.other_proxies_xmlrpc) == ("http://127.0.0.1:8000/RPC2", ())
    assert read.speed_dial_slots == tuple(f"*{digit}" for digit in range(10))
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


def test_cdrs_are_exported_as_the_inventory_says(node: Rendered, tmp_path: Path) -> None:
    read = load_yaml(node.path(EXPORTER), cdr_exporter.Config)
    assert read == cdr_exporter.Config(read.database, Path("/home/jail/home/cdrexport"))
    assert read.database.socket == "/run/mysqld/mysqld.sock"

    changed = render(tmp_path, records_export_failed=True, records_export_reseller_fields=["id", "call_id"])
    read = load_yaml(changed.path(EXPORTER), cdr_exporter.Config)
    assert (read.export_failed, read.reseller_export_fields) == (True, ("id", "call_id"))


def test_records_are_removed_as_the_inventory_says(node: Rendered, tmp_path: Path) -> None:
    read = load_yaml(node.path(CLEANUP), cleanup_acc.Config)
    assert read == cleanup_acc.Config("/run/mysqld/mysqld.sock")

    changed = render(tmp_path, records_acc_days=30, records_cdr_months=12, records_cdr_months_ahead=6)
    read = load_yaml(changed.path(CLEANUP), cleanup_acc.Config)
    assert (read.acc_cleanup_days, read.cdr_keep_months, read.cdr_months_ahead) == (30, 12, 6)
