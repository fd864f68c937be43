"""The largest number of workers so far survives restarts, and nothing depends on the file."""

from pathlib import Path

import pytest

from ngcp.lb.past import FILE, directory, most_workers


def test_the_largest_number_is_remembered(tmp_path: Path) -> None:
    assert [most_workers(size, tmp_path) for size in (1, 3, 2, 1, 4, 1)] == [1, 3, 3, 3, 4, 4]


def test_one_worker_writes_nothing(tmp_path: Path) -> None:
    most_workers(1, tmp_path)

    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("text", ["", "many", "0", "17", "-2", "9" * 100])
def test_what_is_no_number_of_workers_is_said_and_replaced(
    text: str, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / FILE).write_text(text)

    assert most_workers(2, tmp_path) == 2
    assert "a number from 1 to 16 expected" in caplog.text
    assert (tmp_path / FILE).read_text() == "2\n"


def test_a_directory_that_cannot_be_written_is_said(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    (tmp_path / FILE).mkdir()

    assert most_workers(2, tmp_path) == 2
    assert "is not remembered: Is a directory" in caplog.text


def test_the_directory_is_systemds(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("STATE_DIRECTORY", "/var/lib/kamailio-lb")
    assert directory() == Path("/var/lib/kamailio-lb")
    monkeypatch.delenv("STATE_DIRECTORY")
    assert directory() is None
