"""How the benchmark of the media relay counts."""

from pathlib import Path

import pytest

from bench import ng, relay, streams
from bench.streams import Outcome
from ngcp.ng.commands import Message


@pytest.fixture(autouse=True)
def places(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let a benchmark run at the same time."""
    monkeypatch.setattr(streams, "CALLERS", "127.60.99.10")
    monkeypatch.setattr(streams, "CALLEES", "127.60.99.11")


def test_streams_without_a_relay_arrive(tmp_path: Path) -> None:
    program = streams.compiled(tmp_path)

    outcome = streams.play(program, [streams.endpoints(n)[::-1] for n in range(20)], seconds=0.1)

    assert outcome.sent == outcome.received == 2 * 20 * 5
    assert outcome.refused == outcome.foreign == 0
    assert 0 <= outcome.p50 <= outcome.p99


def test_what_nobody_sends_back_is_lost(tmp_path: Path) -> None:
    program = streams.compiled(tmp_path)

    outcome = streams.play(program, [(("127.60.99.9", 9), ("127.60.99.9", 9))], seconds=0.1)

    assert outcome.lost == 1.0


def test_loss_and_rate() -> None:
    outcome = Outcome(sent=1000, received=990, refused=0, foreign=0, seconds=2.0, p50=20.0, p99=90.0, cpu=0.1)

    assert outcome.lost == pytest.approx(0.01)
    assert outcome.rate == 500


def test_both_relays_are_compared_turn_by_turn() -> None:
    def outcome(received: int, p99: float) -> Outcome:
        return Outcome(1000, received, 0, 0, 1.0, 10.0, p99, 0.1)

    turn = (
        outcome(1000, 5.0),
        [(4.0, outcome(1000, 45.0)), (8.0, outcome(800, 3.0)), (10.0, outcome(500, 25.0))],
    )
    metrics = {metric.name: metric for metric in relay.compare(100, [turn])}

    assert metrics["cpu-us-per-packet-100"].ratio == pytest.approx(0.4)
    assert metrics["cpu-us-per-packet-100-pure"].ratio == pytest.approx(0.8)
    assert metrics["added-us-p99-100"].ratio == 2.0
    assert metrics["added-us-p99-100-pure"].ours == 1.0
    assert metrics["sent-per-received-100-pure"].runs == ((1.25, 2.0),)
    assert [name for name, metric in metrics.items() if metric.is_missed] == ["cpu-us-per-packet-100-pure"]


def test_commands_are_a_proxys() -> None:
    caller, callee = streams.endpoints(17)

    command = Message.parse(b"1 " + bytes(Message("", ng.answer("call", callee)))[1:])

    assert caller == ("127.60.99.10", 7001)
    assert command.text("command") == "answer"
    assert command.texts("received-from") == ["IP4", "127.60.99.11"]
    assert "m=audio 7001 RTP/AVP 8 0 9 101\r\n" in (command.text("sdp") or "")
