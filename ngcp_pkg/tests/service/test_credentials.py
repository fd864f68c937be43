"""Secrets come from systemd's credentials directory, in hex digits."""

from pathlib import Path

import pytest

from ngcp.service import credentials
from ngcp.service.config import ConfigError


@pytest.fixture(autouse=True)
def directory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("CREDENTIALS_DIRECTORY", str(tmp_path))
    return tmp_path


def test_a_secret_is_decoded(directory: Path) -> None:
    (directory / "secret").write_text("00ff" * 16 + "\n")

    assert credentials.read() == b"\x00\xff" * 16


@pytest.mark.parametrize(
    ("text", "problem"),
    [("not hex", "hex digits"), ("00ff", "at least 32 hex digits"), (None, "LoadCredential=")],
)
def test_a_daemon_refuses_to_start_without_a_good_secret(
    directory: Path, text: str | None, problem: str
) -> None:
    if text is not None:
        (directory / "secret").write_text(text)

    with pytest.raises(ConfigError, match=problem):
        credentials.read()
