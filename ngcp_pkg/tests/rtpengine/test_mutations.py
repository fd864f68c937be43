"""Ten thousand broken commands: each is answered or dropped with at most one note, and calls go on."""

import random
from pathlib import Path

from ngcp.ng.commands import Message
from rtpengine.harness import PROXY, Phone, Relay, establish

CORPUS = Path(__file__).parents[1] / "corpus" / "sdp"
SEED = 20_240_501
MUTATIONS = 10_000

#: What parsers trip over.
SPLINTERS = [b"", b" ", b"\0", b"\r", b"\r\n", b"e", b"i-1e", b"d", b"l", b"9999999999:", b"0:", b"\xff\xfe"]
SPLINTERS += [b"m=audio 1 RTP/AVP 0\r\n", b"c=IN IP4 0.0.0.0\r\n", b"a=rtcp:0\r\n", b"65536", b"-1", b"%s%n"]


def commands() -> list[bytes]:
    """One of each command, and an offer for each body of the corpus."""
    found = [{"command": "ping"}, {"command": "query", "call-id": "7"}, {"command": "delete", "call-id": "7"}]
    for path in sorted(CORPUS.glob("*.sdp")):
        sdp = path.read_bytes().decode("utf-8", "surrogateescape")
        for command in ("offer", "answer"):
            found.append({"command": command, "call-id": "7", "from-tag": "a", "to-tag": "b", "sdp": sdp})
    return [bytes(Message("cookie", {**fields})) for fields in found]


def mutate(chance: random.Random, data: bytes) -> bytes:
    """Break a command in one to four places: cut, double, replace, or flip a bit."""
    for _ in range(chance.randint(1, 4)):
        start = chance.randrange(len(data) + 1)
        stop = min(len(data), start + chance.choice([0, 1, 1, 2, 8, 100]))
        middle = chance.choice(
            [data[start:stop] * 2, chance.choice(SPLINTERS), _flipped(chance, data[start:stop])]
        )
        data = data[:start] + middle + data[stop:]
    return data


def _flipped(chance: random.Random, data: bytes) -> bytes:
    return bytes(byte ^ 1 << chance.randrange(8) for byte in data)


def test_mutated_commands_are_answered_or_dropped_and_calls_go_on() -> None:
    chance = random.Random(SEED)
    relay = Relay()
    originals = commands()
    answered = executed = 0
    for number in range(MUTATIONS):
        datagram = b"%d" % number + mutate(chance, chance.choice(originals)).removeprefix(b"cookie")
        reply, note = relay.control.receive(datagram, PROXY, number / 100)
        assert reply is not None or note
        assert note is None or (len(note) < 1000 and note.isprintable())
        if reply is not None:
            fields = Message.parse(reply).fields
            answered += 1
            executed += fields["result"] != "error"
            assert (fields["result"] == "error") == ("error-reason" in fields)
            assert note or fields["result"] != "error"

    assert answered > MUTATIONS // 2
    assert executed > MUTATIONS // 20  # the mutations are no noise: many reach the calls
    relay.wire.now = MUTATIONS / 100
    alice, bob = Phone(relay, "alice", "198.51.100.10", 4000), Phone(relay, "bob", "192.0.2.20", 5000)
    establish(alice, bob)
    assert bob.hears(alice)
    assert alice.hears(bob)
    relay.ask(command="delete", call_id="call", from_tag="alice")
    relay.wait(3600)
    assert relay.is_idle
    assert len(relay.pool) == 100
