"""Ten thousand broken commands: each is answered or dropped with at most one note, and calls go on."""

import random
import time
from pathlib import Path

from ngcp.ng.bencode import Value
from ngcp.ng.commands import Message
from ngcp.rtpengine.control import MAX_REPLY
from rtpengine.harness import PROXY, Phone, Relay, establish

CORPUS = Path(__file__).parents[1] / "corpus" / "sdp"
SEED = 20_240_501
MUTATIONS = 10_000

#: Something of each kind of wish.
WISHES: dict[str, Value] = {
    "ICE": "remove",
    "SDES": ["off", "no-AES_256_CM_HMAC_SHA1_80"],
    "address family": "IP6",
    "codec": {"strip": ["G729"], "transcode": ["opus/48000/2"]},
    "delete delay": 3,
    "direction": ["ext", "int"],
    "flags": ["strict source", "asymmetric", "codec-mask-PCMU", "transport-protocol=RTP/AVP"],
    "media address": "2001:db8::1",
    "received from": ["IP4", "198.51.100.7"],
    "replace": ["origin", "session connection"],
}
#: Seconds of CPU that a command may cost, however it is broken.
DEAR = 0.25

#: What parsers trip over.
SPLINTERS = [b"", b" ", b"\0", b"\r", b"\r\n", b"e", b"i-1e", b"d", b"l", b"9999999999:", b"0:", b"\xff\xfe"]
SPLINTERS += [b"m=audio 1 RTP/AVP 0\r\n", b"c=IN IP4 0.0.0.0\r\n", b"a=rtcp:0\r\n", b"65536", b"-1", b"%s%n"]


def commands() -> list[bytes]:
    """One of each command, and an offer for each body of the corpus, in both forms."""
    found: list[dict[str, Value]] = [
        {"command": name, "call-id": "7", "label": "caller", "flags": ["all"], "limit": 7}
        for name in Relay().commands
        if name not in ("offer", "answer")
    ]
    for path in sorted(CORPUS.glob("*.sdp")):
        sdp = path.read_bytes().decode("utf-8", "surrogateescape")
        for command in ("offer", "answer"):
            tags: dict[str, Value] = {"call-id": "7", "from-tag": "a", "to-tag": "b"}
            found.append({"command": command, **tags, "sdp": sdp, **WISHES})
    return [bytes(Message("cookie", fields, is_json)) for fields in found for is_json in (False, True)]


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
        begun = time.thread_time()
        reply, note = relay.control.receive(datagram, PROXY, number / 100)
        assert time.thread_time() - begun < DEAR, datagram
        assert reply is not None or note
        assert note is None or (len(note) < 1000 and note.isprintable())
        if reply is not None:
            fields = Message.parse(reply).fields
            assert len(reply) <= MAX_REPLY
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
