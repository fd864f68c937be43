"""Secrets come from systemd's credentials directory, in hex digits."""

import time
from pathlib import Path

import pytest

from ngcp.service import credentials
from ngcp.service.config import ConfigError
from ngcp.service.credentials import Credential


@pytest.fixture(autouse=True)
def directory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("CREDENTIALS_DIRECTORY", str(tmp_path))
    return tmp_path


def test_a_secret_is_decoded(directory: Path) -> None:
    (directory / "secret").write_text("00ff" * 16 + "\n")

    assert credentials.read() == Credential(b"\x00\xff" * 16)


def test_earlier_secrets_are_believed_until_their_time_is_over(directory: Path) -> None:
    now = time.time()
    lines = ["aa" * 32, f"{'bb' * 32} {now + 60:.0f}", f"{'cc' * 32} {now - 60:.0f}"]
    (directory / "secret").write_text("\n".join(lines))

    assert credentials.read() == Credential(b"\xaa" * 32, (b"\xbb" * 32,))


def test_what_a_reload_brought_is_newer_than_what_systemd_read_at_the_start(
    directory: Path, tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    runtime = tmp_path_factory.mktemp("run")
    monkeypatch.setenv("RUNTIME_DIRECTORY", str(runtime))
    (directory / "secret").write_text("aa" * 32)
    assert credentials.read() == Credential(b"\xaa" * 32)

    (runtime / "secret").write_text("bb" * 32)
    assert credentials.read() == Credential(b"\xbb" * 32)


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("", "hex digits"),
        (f"{'aa' * 32}\n{'bb' * 32}", "each with its end"),
        (f"{'aa' * 32}\nbb 9999999999", "at least 32 hex digits"),
        ("not hex", "hex digits"),
        ("00ff", "at least 32 hex digits"),
        (None, "LoadCredential="),
    ],
)
def test_a_daemon_refuses_to_start_without_a_good_secret(
    directory: Path, text: str | None, problem: str
) -> None:
    if text is not None:
        (directory / "secret").write_text(text)

    with pytest.raises(ConfigError, match=problem):
        credentials.read()
