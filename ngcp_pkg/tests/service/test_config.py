"""A configuration file in, a frozen dataclass or one line that names file, key and problem out."""

from dataclasses import dataclass, field
from pathlib import Path

import pytest

from ngcp.service.config import ConfigError, load_environment, load_yaml


@dataclass(frozen=True)
class Listen:
    address: str
    port: int = 5060

    def __post_init__(self) -> None:
        if not 0 < self.port < 65536:
            raise ValueError(f"port {self.port} is not a port")


@dataclass(frozen=True)
class Everything:
    listen: Listen
    timeout: float
    certificate: Path | None = None
    enabled: bool = True
    names: tuple[str, ...] = ()
    others: tuple[Listen, ...] = field(default_factory=tuple)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "daemon.yml"


def test_nested_sections_defaults_and_lists(file: Path) -> None:
    file.write_text(
        "listen: {address: 192.0.2.1, port: 5062}\ntimeout: 2\ncertificate: /etc/a.crt\n"
        "names: [a, b]\nothers: [{address: 192.0.2.2}]\n"
    )

    assert load_yaml(file, Everything) == Everything(
        Listen("192.0.2.1", 5062), 2.0, Path("/etc/a.crt"), True, ("a", "b"), (Listen("192.0.2.2"),)
    )


@pytest.mark.parametrize(
    ("text", "key", "problem"),
    [
        ("listen: {address: a}\ntimeout: 1\nporrt: 1", "porrt", "unknown key; allowed: listen, timeout"),
        ("listen: {address: a, prt: 1}\ntimeout: 1", "listen.prt", "unknown key; allowed: address, port"),
        ("listen: {address: a}", "timeout", "mandatory key is missing"),
        ("listen: {address: 5}\ntimeout: 1", "listen.address", "str expected, found 5"),
        ("listen: {address: a, port: yes}\ntimeout: 1", "listen.port", "int expected, found True"),
        ("listen: {address: a, port: 70000}\ntimeout: 1", "listen", "port 70000 is not a port"),
        ("listen: 5\ntimeout: 1", "listen.", "a mapping expected, found 5"),
        ("listen: {address: a}\ntimeout: 1\nnames: {}", "names", "a list expected"),
        ("listen: [", "line", "expected"),
        ("a: b: c", "line 1", "not allowed"),
        ("", "", "a mapping expected, found None"),
    ],
)
def test_a_refusal_names_file_key_and_problem(file: Path, text: str, key: str, problem: str) -> None:
    file.write_text(text)

    with pytest.raises(ConfigError) as refusal:
        load_yaml(file, Everything)

    assert str(refusal.value).startswith(f"{file}: {key}")
    assert problem in str(refusal.value)


def test_a_missing_or_binary_file_is_a_refusal(file: Path) -> None:
    with pytest.raises(ConfigError, match="No such file"):
        load_yaml(file, Everything)
    file.write_bytes(b"\xff\xfe")
    with pytest.raises(ConfigError, match="not UTF-8"):
        load_yaml(file, Everything)


@dataclass(frozen=True)
class Relay:
    interface: str
    port_min: int
    verbose: bool = False
    record: Path | None = None


def test_environment_files_use_upper_case_names(file: Path) -> None:
    file.write_text("# relay\n\nINTERFACE='192.0.2.1'\nPORT_MIN=30000\nVERBOSE=yes\nRECORD=\n")

    assert load_environment(file, Relay) == Relay("192.0.2.1", 30000, True, None)


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("INTERFACE=a\nPORT_MIN=x", "PORT_MIN: int expected, found 'x'"),
        ("INTERFACE=a\nPORT_MIN=1\nVERBOSE=perhaps", "VERBOSE: one of yes, true, 1, no, false, 0"),
        ("INTERFACE=a\nPORT_MIN=1\nport_max=2", "port_max: unknown key; allowed: INTERFACE, PORT_MIN"),
        ("INTERFACE", "line 1: KEY=value expected"),
    ],
)
def test_environment_files_are_refused_alike(file: Path, text: str, problem: str) -> None:
    file.write_text(text)

    with pytest.raises(ConfigError) as refusal:
        load_environment(file, Relay)

    assert problem in str(refusal.value)
