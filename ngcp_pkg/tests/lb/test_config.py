"""The configuration of the load-balancer: what a rendered file may say."""

from pathlib import Path

import pytest

from ngcp.lb.config import Configuration, Internal, Proxy, Public, load
from ngcp.service.config import ConfigError


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "lb.yml"


def test_only_the_public_address_is_mandatory(file: Path) -> None:
    file.write_text("public: {address: 192.0.2.1}")

    assert load(file) == Configuration(
        Public("192.0.2.1", 5060, 5061, None, None),
        Internal("127.0.0.1", 5060, 5060),
        Proxy("127.0.0.1", 5062),
        "Sipwise NGCP LB",
        184,
    )


def test_everything(file: Path) -> None:
    file.write_text(
        "public: {address: '2001:db8::1', port: 5070, tls_port: 5071, certificate: /c, private_key: /k}\n"
        "internal: {address: 10.0.0.1, port: 5060, xmlrpc_port: 5070}\n"
        "proxy: {address: 10.0.0.2, port: 5062}\nserver_header: Edge\ntos: 96\n"
    )

    configuration = load(file)

    assert configuration.public.certificate == Path("/c")
    assert configuration.proxy.socket == ("10.0.0.2", 5062)


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
            "public: tls_port must differ from port: both are TCP",
        ),
        ("public: {address: 192.0.2.1}\ninternal: {xmlrpc_port: 99999}", "internal: 99999 is no port"),
        ("public: {address: 192.0.2.1}\nproxy: {address: proxy}", "proxy: 'proxy' is no IP address"),
        ("public: {address: 127.0.0.1}", "public and internal are the same socket"),
        ("public: {address: 192.0.2.1}\ntos: 256", "tos is one octet, not 256"),
        ("public: {address: 192.0.2.1, adress: x}", "public.adress: unknown key; allowed: address, port"),
    ],
)
def test_refusals_name_file_and_key(file: Path, text: str, problem: str) -> None:
    file.write_text(text)

    with pytest.raises(ConfigError) as refusal:
        load(file)

    assert str(refusal.value).startswith(f"{file}: {problem}")
