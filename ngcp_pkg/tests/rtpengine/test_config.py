"""The configuration file of the relay."""

from pathlib import Path

import pytest

from ngcp.rtpengine.config import load
from ngcp.service.config import ConfigError


def write(directory: Path, text: str) -> Path:
    path = directory / "ngcp-rtpengine-daemon"
    path.write_text(text)
    return path


def test_file_of_a_node(tmp_path: Path) -> None:
    configuration = load(
        write(
            tmp_path,
            "# rendered\nLISTEN_NG=127.0.0.1:2223\nINTERFACE=203.0.113.1\nPORT_MIN=30001\nPORT_MAX=30010\n"
            "TOS=136\nTIMEOUT=30\nSILENT_TIMEOUT=600\n",
        )
    )
    assert configuration.control == ("127.0.0.1", 2223)
    assert list(configuration.even_ports) == [30002, 30004, 30006, 30008]
    assert (configuration.tos, configuration.timeout, configuration.silent_timeout) == (136, 30.0, 600.0)


def test_defaults_are_the_platforms(tmp_path: Path) -> None:
    configuration = load(write(tmp_path, "INTERFACE=2001:db8::1\n"))
    assert configuration.control == ("127.0.0.1", 12222)
    assert configuration.even_ports == range(30000, 40000, 2)
    assert configuration.tos == 184


def test_control_address_may_be_ipv6(tmp_path: Path) -> None:
    configuration = load(write(tmp_path, "INTERFACE=2001:db8::1\nLISTEN_NG=[::1]:12222\n"))
    assert configuration.control == ("::1", 12222)


@pytest.mark.parametrize(
    ("lines", "problem"),
    [
        ("", "INTERFACE"),
        ("INTERFACE=eth0", "INTERFACE: 'eth0'"),
        ("INTERFACE=203.0.113.1\nLISTEN_NG=12222", "LISTEN_NG"),
        ("INTERFACE=203.0.113.1\nLISTEN_NG=localhost:12222", "LISTEN_NG: 'localhost'"),
        ("INTERFACE=203.0.113.1\nLISTEN_NG=127.0.0.1:99999", "LISTEN_NG"),
        ("INTERFACE=203.0.113.1\nPORT_MIN=40000\nPORT_MAX=30000", "PORT_MIN"),
        ("INTERFACE=203.0.113.1\nPORT_MIN=80", "PORT_MIN"),
        ("INTERFACE=203.0.113.1\nPORT_MIN=30001\nPORT_MAX=30002", "pair"),
        ("INTERFACE=203.0.113.1\nPORT_MAX=many", "PORT_MAX"),
        ("INTERFACE=203.0.113.1\nTOS=256", "TOS"),
        ("INTERFACE=203.0.113.1\nTIMEOUT=0", "TIMEOUT"),
        ("INTERFACE=203.0.113.1\nTIMEOUT=60\nSILENT_TIMEOUT=30", "TIMEOUT"),
        ("INTERFACE=203.0.113.1\nTABLE=0", "unknown key"),
    ],
)
def test_refused_file_says_why(tmp_path: Path, lines: str, problem: str) -> None:
    with pytest.raises(ConfigError, match=problem):
        load(write(tmp_path, lines))
