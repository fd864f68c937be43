"""`ngcp-secrets`: new secrets in the place of old ones, and never a word about what they are."""

import os
import stat
import time
from pathlib import Path

import bcrypt
import pytest

from ngcp.service import credentials
from ngcp.tools import rotation, vault
from ngcp.tools.rotation import GRACE, Desk
from private_mariadb import Server

NOW = 1_800_000_000.0


@pytest.fixture
def directory(tmp_path: Path) -> Path:
    """The secrets of a node, made ten days ago."""
    made = tmp_path / "secrets"
    made.mkdir()
    for name in vault.SIGNING:
        (made / name).write_bytes(vault.make_secret())
    (made / vault.ADMINISTRATOR).write_bytes(vault.make_password())
    for path in made.iterdir():
        path.chmod(0o600)
        os.utime(path, (NOW - 864_000, NOW - 864_000))
    return made


@pytest.fixture
def systemctl(tmp_path: Path) -> Path:
    """A systemctl that notes what it is asked to do, and succeeds unless the file `failing` names it."""
    program = tmp_path / "systemctl"
    log, failing = tmp_path / "log", tmp_path / "failing"
    failing.touch()
    program.write_text(f'#!/bin/sh\necho "$*" >> {log}\n! grep -qxF -- "$*" {failing}\n')
    program.chmod(0o755)
    return program


def desk(directory: Path, systemctl: Path, now: float = NOW, server: Server | None = None) -> Desk:
    socket = Path(server.socket) if server else Path("/nonexistent")
    return Desk(directory, socket, str(systemctl), now)


def asked(systemctl: Path) -> list[str]:
    lines = systemctl.with_name("log").read_text().splitlines()
    return [line for line in lines if "is-active" not in line]


def lines(path: Path) -> list[str]:
    return path.read_text().splitlines()


def test_a_new_secret_signs_and_the_one_before_is_believed(directory: Path, systemctl: Path) -> None:
    before = (directory / "lb").read_text()
    list(desk(directory, systemctl).rotate(["lb"], GRACE))

    fresh, earlier = lines(directory / "lb")
    assert fresh != before
    assert earlier == f"{before} {NOW + 86_400:.0f}"
    assert stat.S_IMODE((directory / "lb").stat().st_mode) == 0o600
    assert asked(systemctl) == ["reload kamailio-lb"]


def test_the_daemon_reads_what_was_written(
    directory: Path, systemctl: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = bytes.fromhex((directory / "proxy").read_text())
    list(desk(directory, systemctl, now=time.time()).rotate(["proxy"], GRACE))
    (directory / "proxy").rename(directory / "secret")
    monkeypatch.setenv("CREDENTIALS_DIRECTORY", str(directory))

    assert credentials.read().earlier == (before,)
    assert credentials.read().secret != before


def test_who_rotates_often_loses_no_secret_before_its_time(directory: Path, systemctl: Path) -> None:
    for hours in (0, 1, 30):
        list(desk(directory, systemctl, NOW + hours * 3600).rotate(["lb"], GRACE))

    until = [float(line.split()[1]) for line in lines(directory / "lb")[1:]]
    assert until == [NOW + 30 * 3600 + GRACE]
    assert len(lines(directory / "lb")) == 2, "those of the first hours are over"


def test_what_is_over_is_forgotten(directory: Path, systemctl: Path) -> None:
    list(desk(directory, systemctl).rotate(["lb"], 600))
    made = (directory / "lb").stat().st_mtime

    assert list(desk(directory, systemctl, NOW + 599).expire()) == []
    assert list(desk(directory, systemctl, NOW + 601).expire()) == ["lb: 1 earlier forgotten"]
    assert len(lines(directory / "lb")) == 1
    assert (directory / "lb").stat().st_mtime == made
    assert asked(systemctl) == ["reload kamailio-lb"] * 2


def test_a_daemon_that_does_not_run_is_left_alone(directory: Path, systemctl: Path) -> None:
    systemctl.with_name("failing").write_text("--quiet is-active kamailio-lb\n")
    list(desk(directory, systemctl).rotate(["lb"], GRACE))

    assert asked(systemctl) == []


def test_a_reload_that_fails_is_told(directory: Path, systemctl: Path) -> None:
    systemctl.with_name("failing").write_text("reload kamailio-lb\n")

    with pytest.raises(rotation.Refused, match="kamailio-lb could not be reloaded: `systemctl restart"):
        list(desk(directory, systemctl).rotate(["lb"], GRACE))


def test_a_secret_that_is_not_there_is_refused_by_name(directory: Path, systemctl: Path) -> None:
    with pytest.raises(rotation.Refused, match="no secret redis; there are: lb, proxy, administrator"):
        list(desk(directory, systemctl).rotate(["lb", "redis"], GRACE))
    assert len(lines(directory / "lb")) == 1


def test_the_administrator_gets_a_new_password(database: Server, directory: Path, systemctl: Path) -> None:
    before = (directory / "administrator").read_text()
    done = list(desk(directory, systemctl, server=database).rotate(["administrator"], GRACE))

    password = (directory / "administrator").read_text()
    ((hashed,),) = database.run("SELECT saltedpass FROM billing.admins WHERE login = 'administrator'")
    assert password != before
    assert bcrypt.checkpw(password.encode(), str(hashed).encode())
    assert done == [f"administrator: has a new password; read it with: cat {directory}/administrator"]
    assert stat.S_IMODE((directory / "administrator").stat().st_mode) == 0o600


def test_without_a_database_the_password_stays(
    directory: Path, systemctl: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    before = (directory / "administrator").read_text()
    monkeypatch.setattr(rotation, "PATIENCE", 0.0)
    words = ["--directory", str(directory), "--socket", "/nonexistent", "rotate", "administrator"]

    assert rotation.main(words) == 1
    assert "ngcp-secrets: no answer within 0 s" in capsys.readouterr().err
    assert (directory / "administrator").read_text() == before


def test_a_password_that_its_owner_removed_is_not_touched(directory: Path, systemctl: Path) -> None:
    (directory / "administrator").unlink()

    assert len(list(desk(directory, systemctl).rotate([], GRACE))) == 2


def test_list_says_all_but_the_secrets(
    directory: Path, systemctl: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    list(desk(directory, systemctl, now=time.time()).rotate(["lb"], GRACE))
    assert rotation.main(["--directory", str(directory), "list"]) == 0
    assert rotation.main(["--directory", str(directory), "show", "lb", "--json"]) == 0

    out = capsys.readouterr().out
    assert "kamailio-proxy" in out and '"earlier": 1' in out
    words = {word for path in directory.iterdir() for word in path.read_text().split() if len(word) > 12}
    assert len(words) == 4
    assert not [word for word in words if word in out]


@pytest.mark.parametrize(
    ("words", "complaint"),
    [(["show", "redis"], "there is no secret redis"), (["rotate", "redis"], "there is no secret redis")],
)
def test_what_makes_no_sense_is_refused(
    directory: Path, words: list[str], complaint: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert rotation.main(["--directory", str(directory), *words]) == 1
    assert complaint in capsys.readouterr().err
