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
            "# rendered\nLISTEN_NG=127.0.0.1:2223\nINTERFACES=203.0.113.1\nPORT_MIN=30001\nPORT_MAX=30010\n"
            "TOS=136\nTIMEOUT=30\nSILENT_TIMEOUT=600\n",
        )
    )
    assert configuration.control == ("127.0.0.1", 2223)
    assert list(configuration.even_ports) == [30002, 30004, 30006, 30008]
    assert (configuration.tos, configuration.timeout, configuration.silent_timeout) == (136, 30.0, 600.0)


def test_defaults_are_the_platforms(tmp_path: Path) -> None:
    configuration = load(write(tmp_path, "INTERFACES=2001:db8::1\n"))
    assert configuration.control == ("127.0.0.1", 12222)
    assert configuration.even_ports == range(30000, 40000, 2)
    assert configuration.tos == 184


def test_control_address_may_be_ipv6(tmp_path: Path) -> None:
    configuration = load(write(tmp_path, "INTERFACES=2001:db8::1\nLISTEN_NG=[::1]:12222\n"))
    assert configuration.control == ("::1", 12222)


def test_control_over_tcp_is_for_who_wants_it(tmp_path: Path) -> None:
    assert load(write(tmp_path, "INTERFACES=203.0.113.1\n")).tcp_control is None
    assert load(write(tmp_path, "INTERFACES=203.0.113.1\nLISTEN_TCP_NG=\n")).tcp_control is None
    configuration = load(write(tmp_path, "INTERFACES=203.0.113.1\nLISTEN_TCP_NG=[::1]:2224\n"))
    assert configuration.tcp_control == ("::1", 2224)


@pytest.mark.parametrize(
    ("lines", "problem"),
    [
        ("", "INTERFACES"),
        ("INTERFACES=eth0", "INTERFACES: 'eth0'"),
        ("INTERFACES=203.0.113.1\nLISTEN_NG=12222", "LISTEN_NG"),
        ("INTERFACES=203.0.113.1\nLISTEN_NG=localhost:12222", "LISTEN_NG: 'localhost'"),
        ("INTERFACES=203.0.113.1\nLISTEN_NG=127.0.0.1:99999", "LISTEN_NG"),
        ("INTERFACES=203.0.113.1\nLISTEN_TCP_NG=12222", "LISTEN_TCP_NG"),
        ("INTERFACES=203.0.113.1\nPORT_MIN=40000\nPORT_MAX=30000", "PORT_MIN"),
        ("INTERFACES=203.0.113.1\nPORT_MIN=80", "PORT_MIN"),
        ("INTERFACES=203.0.113.1\nPORT_MIN=30001\nPORT_MAX=30002", "pair"),
        ("INTERFACES=203.0.113.1\nPORT_MAX=many", "PORT_MAX"),
        ("INTERFACES=203.0.113.1\nTOS=256", "TOS"),
        ("INTERFACES=203.0.113.1\nTIMEOUT=0", "TIMEOUT"),
        ("INTERFACES=203.0.113.1\nTIMEOUT=60\nSILENT_TIMEOUT=30", "TIMEOUT"),
        ("INTERFACES=203.0.113.1\nFINAL_TIMEOUT=-1", "FINAL_TIMEOUT"),
        ("INTERFACES=203.0.113.1\nDELETE_DELAY=-1", "DELETE_DELAY"),
        ("INTERFACES=203.0.113.1\nFORWARD_TO=recorder:1", "FORWARD_TO"),
        ("INTERFACES=203.0.113.1\nTABLE=64", "TABLE"),
        ("INTERFACES=203.0.113.1\nFORWARDING=magic", "FORWARDING 'magic'"),
        ("INTERFACES=203.0.113.1\nHOMER=0", "unknown key"),
    ],
)
def test_refused_file_says_why(tmp_path: Path, lines: str, problem: str) -> None:
    with pytest.raises(ConfigError, match=problem):
        load(write(tmp_path, lines))


def test_interfaces_have_names_and_an_address_of_each_family(tmp_path: Path) -> None:
    text = "INTERFACES=ext/203.0.113.1 ext/2001:db8::1 int/127.0.0.1 198.51.100.1\n"
    assert load(write(tmp_path, text)).addresses == (
        ("ext", "203.0.113.1"),
        ("ext", "2001:db8::1"),
        ("int", "127.0.0.1"),
        ("default", "198.51.100.1"),
    )


def test_interface_with_two_addresses_of_one_family_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"interface ext has two .* 203\.0\.113\.1 and 203\.0\.113\.2"):
        load(write(tmp_path, 'INTERFACES="ext/203.0.113.1 ext/203.0.113.2"\n'))
