"""The configuration of the load-balancer: what a rendered file may say."""

from pathlib import Path

import pytest

from ngcp.lb.config import Configuration, Internal, Proxy, Public, load
from ngcp.service.config import ConfigError
from ngcp.service.workers import MAXIMUM


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "lb.yml"


def test_only_the_public_address_is_mandatory(file: Path) -> None:
    file.write_text("public: {address: 192.0.2.1}")

    assert load(file) == Configuration(
        Public("192.0.2.1", 5060, 5061, None, None, None, None, None, (), ()),
        Internal("127.0.0.1", 5060, 5060),
        (Proxy("127.0.0.1", 5062),),
        "Sipwise NGCP LB",
        184,
    )


def test_a_worker_for_each_core(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("os.sched_getaffinity", lambda pid: set(range(64)))
    file.write_text("public: {address: 192.0.2.1}\nworkers: 0")

    assert load(file).processes == MAXIMUM


def test_everything(file: Path) -> None:
    file.write_text(
        "public: {address: '2001:db8::1', port: 5070, tls_port: 5071, certificate: /c, private_key: /k}\n"
        "internal: {address: 10.0.0.1, port: 5060, xmlrpc_port: 5070}\n"
        "proxies: [{address: 10.0.0.2, port: 5062}]\nserver_header: Edge\ntos: 96\n"
    )

    configuration = load(file)

    assert configuration.public.certificate == Path("/c")
    assert [proxy.socket for proxy in configuration.proxies] == [("10.0.0.2", 5062)]


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("public: {address: edge.example.org}", "public: 'edge.example.org' is no IP address"),
        ("public: {address: 192.0.2.1, port: 0}", "public: 0 is no port"),
        (
            "public: {address: 192.0.2.1, certificate: /a}",
            "public: certificate and private_key come together",
        ),
        (
            "public: {address: 192.0.2.1, port: 5061, certificate: /a, private_key: /b}",
            "public: tls and tcp are both to be on 192.0.2.1 port 5061",
        ),
        ("public: {address: 192.0.2.1}\ninternal: {xmlrpc_port: 99999}", "internal: 99999 is no port"),
        ("public: {address: 192.0.2.1}\nproxies: [{address: proxy}]", "proxies[0]: 'proxy' is no IP address"),
        (
            "public: {address: 192.0.2.1}\nnattest_exceptions: [10.0.0.1/8]",
            "10.0.0.1/8 has host bits set",
        ),
        ("public: {address: 192.0.2.1}\nmetrics: {port: 0}", "metrics: 0 is no port"),
        ("public: {address: 192.0.2.1}\nproxies: []", "proxies are 1 to 64, not 0"),
        (
            "public: {address: 192.0.2.1}\nproxies: [{}, {}]",
            "each of proxies and internal, its worker_port and above, is a socket of its own",
        ),
        (
            "public: {address: 192.0.2.1}\nproxies: [{port: 5060}]",
            "each of proxies and internal, its worker_port and above, is a socket of its own",
        ),
        ("public: {address: 192.0.2.1}\nproxies: [{weight: 0}]", "proxies[0]: weight is 1 to 1000, not 0"),
        ("public: {address: 192.0.2.1}\ndispatcher: {patience: 0}", "dispatcher: patience is above 0"),
        ("public: {address: 192.0.2.1}\ndispatcher: {probe_interval: -1}", "dispatcher: probe_interval is 0"),
        ("public: {address: 192.0.2.1}\ndispatcher: {down_after: 0}", "dispatcher: down_after is 1 to 100"),
        ("public: {address: 192.0.2.1}\nsecurity: {dos_ban_time: 0}", "security: dos_ban_time: at least 1"),
        (
            "public: {address: 192.0.2.1}\nsecurity: {dos_whitelisted_ips: [peer]}",
            "security: dos_whitelisted_ips: 'peer' does not appear to be an IPv4 or IPv6 address",
        ),
        (
            "public: {address: 192.0.2.1}\nsecurity: {dos_whitelisted_subnets: [192.0.2.1/24]}",
            "security: dos_whitelisted_subnets: 192.0.2.1/24 has host bits set",
        ),
        (
            "public: {address: 192.0.2.1}\nblock_useragents: {mode: grey}",
            "block_useragents: mode: one of blacklist, whitelist, not 'grey'",
        ),
        (
            "public: {address: 192.0.2.1}\nblock_useragents: {ua_patterns: [fine, '(a+)+']}",
            "block_useragents: ua_patterns[1]: '(a+)+': no group may be repeated",
        ),
        ("public: {address: 127.0.0.1}", "public and internal are the same socket"),
        ("public: {address: 192.0.2.1}\nworkers: 17", "workers is a number up to 16, not 17"),
        ("public: {address: 192.0.2.1}\nworkers: -1", "workers is a number up to 16, not -1"),
        ("public: {address: 192.0.2.1}\ninternal: {worker_port: 65530}", "internal: 65536 is no port"),
        (
            "public: {address: 192.0.2.1}\ninternal: {worker_port: 5050}",
            "internal: port 5060 is one of those from worker_port up",
        ),
        (
            "public: {address: 192.0.2.1}\nproxies: [{port: 5110}]",
            "each of proxies and internal, its worker_port and above, is a socket of its own",
        ),
        ("public: {address: 192.0.2.1}\ntos: 256", "tos is one octet, not 256"),
        ("public: {address: 192.0.2.1, adress: x}", "public.adress: unknown key; allowed: address, port"),
    ],
)
def test_refusals_name_file_and_key(file: Path, text: str, problem: str) -> None:
    file.write_text(text)

    with pytest.raises(ConfigError) as refusal:
        load(file)

    assert str(refusal.value).startswith(f"{file}: {problem}")
