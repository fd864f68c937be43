"""A node that boots: for the first time, again, and after things went wrong."""

import grp
import os
import re
import stat
from pathlib import Path

import pytest
from cryptography import x509

from ngcp.tools import certificate
from ngcp.tools.firstboot import Node, boot

#: As iproute2 6.15 writes it: loopback and the link-local address are empty objects.
IP_OUTPUT = """[{}, {"ifname": "host0", "operstate": "UP", "addr_info": [
    {"family": "inet", "local": "192.0.2.10", "prefixlen": 24, "scope": "global"},
    {"family": "inet6", "local": "2001:db8::10", "prefixlen": 64, "scope": "global"}, {}]}]"""


class Programs:
    """Stand-ins for the programs that a boot calls, first on PATH; each notes how it was called."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self.calls_file = directory / "calls"
        self.calls_file.touch()
        for name in ("ngcp-provision", "ngcpcfg"):
            self.install(name)
        self.install("ip", output=IP_OUTPUT)

    def install(self, name: str, status: int = 0, output: str = "") -> None:
        program = self.directory / name
        program.write_text(
            f"#!/bin/sh\necho {name} \"$@\" >> {self.calls_file}\necho '{output}'\nexit {status}\n"
        )
        program.chmod(0o755)

    @property
    def calls(self) -> list[str]:
        return self.calls_file.read_text().splitlines()


@pytest.fixture
def programs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Programs:
    directory = tmp_path / "sbin"
    directory.mkdir()
    monkeypatch.setenv("PATH", f"{directory}:/usr/bin:/bin")
    return Programs(directory)


@pytest.fixture
def node(tmp_path: Path) -> Node:
    console = tmp_path / "console"
    console.touch()
    group = grp.getgrgid(os.getgid()).gr_name
    return Node(tmp_path / "var/secrets", tmp_path / "etc/ssl", certificate_group=group, console=console)


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def everything_below(directory: Path) -> dict[Path, tuple[bytes, int]]:
    return {path: (path.read_bytes(), path.stat().st_ino) for path in directory.rglob("*") if path.is_file()}


def test_first_boot_makes_a_secret_for_each_daemon(node: Node, programs: Programs) -> None:
    assert boot(node) == os.EX_OK

    made = [(node.secrets / name).read_text() for name in ("lb", "proxy")]
    assert all(re.fullmatch(r"[0-9a-f]{64}", secret) for secret in made)
    assert made[0] != made[1]


def test_secrets_are_for_root_alone(node: Node, programs: Programs) -> None:
    boot(node)

    assert mode(node.secrets) == 0o700
    assert {mode(path) for path in node.secrets.iterdir()} == {0o600}


def test_the_key_is_for_the_group_that_speaks_tls(node: Node, programs: Programs) -> None:
    boot(node)

    assert (mode(node.certificates), mode(node.key), mode(node.certificate)) == (0o750, 0o640, 0o644)
    assert {node.key.group(), node.certificates.group()} == {node.certificate_group}


def test_the_certificate_names_the_addresses_of_this_boot(node: Node, programs: Programs) -> None:
    boot(node)

    made = x509.load_pem_x509_certificate(node.certificate.read_bytes())
    names = made.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    assert [str(address) for address in names.get_values_for_type(x509.IPAddress)] == [
        "192.0.2.10",
        "2001:db8::10",
    ]


def test_databases_then_configuration(node: Node, programs: Programs) -> None:
    boot(node)

    upgrade = f"ngcp-provision upgrade --administrator-password-file {node.administrator}"
    assert programs.calls[-2:] == [upgrade, "ngcpcfg build"]


def test_the_password_is_on_the_console_and_not_in_the_journal(
    node: Node, programs: Programs, capfd: pytest.CaptureFixture[str]
) -> None:
    boot(node)

    password = node.administrator.read_text()
    assert re.fullmatch(r"\w{16}", password)
    assert f"password {password} (read it again with: cat {node.administrator})" in node.console.read_text()
    assert password not in "".join(capfd.readouterr())


def test_next_boot_changes_no_file_but_renders_again(node: Node, programs: Programs) -> None:
    boot(node)
    made = everything_below(node.secrets) | everything_below(node.certificates)
    node.console.write_text("")

    assert boot(node) == os.EX_OK

    assert everything_below(node.secrets) | everything_below(node.certificates) == made
    assert node.console.read_text() == ""
    assert programs.calls.count("ngcpcfg build") == 2


def test_next_boot_takes_back_permissions_that_were_widened(node: Node, programs: Programs) -> None:
    boot(node)
    node.secrets.chmod(0o755)
    (node.secrets / "lb").chmod(0o644)
    node.key.chmod(0o644)

    boot(node)

    assert (mode(node.secrets), mode(node.secrets / "lb"), mode(node.key)) == (0o700, 0o600, 0o640)


def test_a_first_password_that_was_removed_is_not_made_again(node: Node, programs: Programs) -> None:
    """The administrator has another one by then: a new file would only mislead."""
    boot(node)
    node.administrator.unlink()
    node.console.write_text("")

    assert boot(node) == os.EX_OK

    assert not node.administrator.exists()
    assert node.console.read_text() == ""


@pytest.mark.parametrize("name", ["lb", "proxy", "administrator"])
def test_crash_while_writing_a_secret_leaves_none(
    node: Node, programs: Programs, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    """Power goes before the file got its name: the next boot makes it from nothing."""

    class PowerLoss(BaseException):
        pass

    def rename_until_power_loss(self: Path, target: Path) -> Path:
        if target.name == name:
            raise PowerLoss
        os.rename(self, target)
        return target

    with monkeypatch.context() as crash, pytest.raises(PowerLoss):
        crash.setattr(Path, "rename", rename_until_power_loss)
        boot(node)
    assert not (node.secrets / name).exists()

    assert boot(node) == os.EX_OK
    assert len((node.secrets / name).read_text()) in {16, 64}
    assert [path.name for path in node.secrets.iterdir() if path.suffix == ".new"] == []


def test_an_operators_certificate_is_kept(node: Node, programs: Programs) -> None:
    node.certificates.mkdir(parents=True)
    node.key.write_bytes(b"operator's key")
    node.certificate.write_bytes(b"operator's certificate")

    assert boot(node) == os.EX_OK

    assert node.key.read_bytes() == b"operator's key"
    assert node.certificate.read_bytes() == b"operator's certificate"


def test_a_key_without_certificate_is_signed_not_replaced(node: Node, programs: Programs) -> None:
    """As after a crash between the two files, or while an authority still has the request."""
    node.certificates.mkdir(parents=True)
    key = certificate.generate_key()
    node.key.write_bytes(key)

    assert boot(node) == os.EX_OK

    assert node.key.read_bytes() == key
    assert b"BEGIN CERTIFICATE" in node.certificate.read_bytes()


def test_a_certificate_without_key_is_left_to_the_operator(
    node: Node, programs: Programs, capfd: pytest.CaptureFixture[str]
) -> None:
    node.certificates.mkdir(parents=True)
    node.certificate.write_bytes(b"operator's certificate")

    assert boot(node) != os.EX_OK

    assert not node.key.exists()
    assert "step certificate failed" in capfd.readouterr().err


@pytest.mark.parametrize(
    ("program", "step", "advice"),
    [
        ("ip", "certificate", "put key and certificate in place"),
        ("ngcp-provision", "databases", "see `systemctl status mariadb`"),
        ("ngcpcfg", "configuration", "correct what the lines above name"),
    ],
)
def test_a_failing_step_says_which_and_what_to_do(
    node: Node, programs: Programs, capfd: pytest.CaptureFixture[str], program: str, step: str, advice: str
) -> None:
    programs.install(program, status=1)

    assert boot(node) == os.EX_UNAVAILABLE

    said = capfd.readouterr().err
    assert f"step {step} failed: `{program}" in said
    assert advice in said and "systemctl restart ngcp-firstboot" in said


def test_after_a_failed_step_the_next_boot_goes_on(node: Node, programs: Programs) -> None:
    programs.install("ngcp-provision", status=1)
    boot(node)
    assert "ngcpcfg build" not in programs.calls

    programs.install("ngcp-provision")
    assert boot(node) == os.EX_OK
    assert "ngcpcfg build" in programs.calls


def test_the_password_is_shown_by_the_boot_that_made_it_even_if_a_later_step_failed(
    node: Node, programs: Programs
) -> None:
    programs.install("ngcp-provision", status=1)

    boot(node)

    assert node.administrator.read_text() in node.console.read_text()


def test_without_a_console_the_journal_says_where_the_password_is(
    node: Node, programs: Programs, capfd: pytest.CaptureFixture[str]
) -> None:
    node.console.unlink()
    node.console.mkdir()

    assert boot(node) == os.EX_OK

    said = capfd.readouterr().err
    assert f"cat {node.administrator}" in said
    assert node.administrator.read_text() not in said


def test_a_program_that_is_not_installed_is_named(
    node: Node, programs: Programs, capfd: pytest.CaptureFixture[str]
) -> None:
    (programs.directory / "ngcp-provision").unlink()

    assert boot(node) == os.EX_UNAVAILABLE
    assert "ngcp-provision" in capfd.readouterr().err


def test_a_group_that_does_not_exist_is_named(
    node: Node, programs: Programs, capfd: pytest.CaptureFixture[str]
) -> None:
    without = Node(node.secrets, node.certificates, certificate_group="no-such", console=node.console)

    assert boot(without) == os.EX_UNAVAILABLE
    assert "there is no group no-such" in capfd.readouterr().err


def test_a_full_disk_is_named(
    node: Node, programs: Programs, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def no_space(descriptor: int) -> None:
        raise OSError(28, os.strerror(28))

    monkeypatch.setattr(os, "fsync", no_space)

    assert boot(node) == os.EX_UNAVAILABLE
    assert "step secrets failed: [Errno 28] No space left on device" in capfd.readouterr().err
    assert not (node.secrets / "lb").exists()
