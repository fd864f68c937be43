"""The ng commands."""

from base64 import b64encode

import pytest

from ngcp.ng.bencode import Value
from ngcp.ng.commands import Message
from ngcp.rtpengine.control import Reply, ReplyCache
from rtpengine.harness import EPOCH, PROXY, RTCP, RTP, Phone, Relay, answer, establish, offer
from rtpengine.kernel import Kernel


def test_ping(relay: Relay) -> None:
    assert relay.ask(command="ping") == {"result": "pong"}


@pytest.mark.parametrize(
    ("fields", "reason"),
    [
        ({}, "Unrecognized command"),
        ({"command": "publish"}, "Unrecognized command"),
        ({"command": 1}, "Unrecognized command"),
        ({"command": "offer"}, "No call-id in message"),
        ({"command": "offer", "call-id": "1"}, "No from-tag in message"),
        ({"command": "offer", "call-id": "1", "from-tag": "a"}, "No SDP body in message"),
        ({"command": "offer", "call-id": ["1"], "from-tag": "a"}, "No call-id in message"),
        (
            {"command": "offer", "call-id": "1", "from-tag": "a", "sdp": "hello"},
            "Failed to parse SDP: the first line is not v=0",
        ),
        ({"command": "answer", "call-id": "1", "from-tag": "a", "sdp": "v=0\r\n"}, "No to-tag in message"),
        ({"command": "delete"}, "No call-id in message"),
        ({"command": "delete", "call-id": "1", "flags": ["fatal"]}, "Unknown call-id"),
        ({"command": "query"}, "No call-id in message"),
        ({"command": "query", "call-id": "1"}, "Unknown call-id"),
    ],
)
def test_command_that_cannot_be_executed(relay: Relay, fields: dict[str, Value], reason: str) -> None:
    assert relay.send(Message("1", fields)) == {"result": "error", "error-reason": reason}
    assert len(relay.notes) == 1
    assert reason in relay.notes[0]


def test_end_of_an_unknown_call_is_a_warning(relay: Relay) -> None:
    reply = relay.ask(command="delete", call_id="1", from_tag="a")
    assert reply == {"result": "ok", "warning": "Call-ID not found or tags didn't match"}
    assert relay.notes == []


def test_end_of_an_unknown_tag_leaves_the_call(relay: Relay, alice: Phone, bob: Phone) -> None:
    establish(alice, bob)
    assert "warning" in relay.ask(command="delete", call_id="call", from_tag="mallory")
    assert bob.hears(alice)


def test_datagram_without_cookie_is_dropped(relay: Relay) -> None:
    reply, note = relay.control.receive(b"d7:command4:pinge", PROXY, 0.0)
    assert reply is None
    assert note == "datagram from 127.0.0.1:5062 dropped: no cookie"


def test_dictionary_that_cannot_be_read_is_answered(relay: Relay) -> None:
    datagram, note = relay.control.receive(b"1 d7:command4:ping", PROXY, 0.0)
    assert datagram is not None
    assert Message.parse(datagram).fields["error-reason"] == "Could not decode bencode dictionary"
    assert note


def test_request_in_json_is_answered_in_json(relay: Relay, alice: Phone) -> None:
    fields: dict[str, Value] = {"command": "offer", "call-id": "1", "from-tag": "a", "sdp": alice.body()}
    datagram, _ = relay.control.receive(bytes(Message("1", fields, is_json=True)), PROXY, 0.0)
    assert datagram is not None
    reply = Message.parse(datagram)
    assert reply.is_json
    assert str(reply.fields["sdp"]).startswith("v=0")

    datagram, _ = relay.control.receive(b'2 {"command": "query"}', PROXY, 0.0)
    assert datagram == b'2 {"error-reason":"No call-id in message","result":"error"}'
    datagram, _ = relay.control.receive(b'3 {"command"', PROXY, 0.0)
    assert datagram == b'3 {"error-reason":"Could not decode JSON object","result":"error"}'


def test_list_of_calls_is_limited(relay: Relay, alice: Phone) -> None:
    assert relay.ask(command="list") == {"result": "ok", "calls": []}
    for number in range(40):
        relay.ask(command="offer", call_id=f"{number}", from_tag="a", sdp=alice.body())
    assert relay.ask(command="list")["calls"] == [f"{number}" for number in range(32)]
    assert relay.ask(command="list", limit=2)["calls"] == ["0", "1"]
    assert relay.ask(command="list", limit="100")["calls"] == [f"{number}" for number in range(40)]
    assert relay.ask(command="list", limit=0)["error-reason"] == "Invalid limit in message"
    assert len(relay.notes) == 1


def test_statistics(relay: Relay, alice: Phone, bob: Phone) -> None:
    establish(alice, bob)
    alice.send()
    relay.wait(10)
    relay.ask(command="delete", call_id="call")
    establish(alice, bob)
    bob.send()
    relay.ask(command="offer", call_id="2", from_tag="a", sdp="hello")
    reply = relay.ask(command="statistics")
    assert reply["result"] == "ok"
    statistics = reply["statistics"]
    assert isinstance(statistics, dict)
    assert statistics["currentstatistics"] == {"sessionsown": 1, "sessionsforeign": 0, "sessionstotal": 1}
    assert statistics["totalstatistics"] == {
        "uptime": "10",
        "managedsessions": 1,
        "rejectedsessions": 0,
        "regularterminatedsessions": 1,
        "timeoutsessions": 0,
        "silenttimeoutsessions": 0,
        "offertimeoutsessions": 0,
        "finaltimeoutsessions": 0,
        "forcedterminatedsessions": 0,
        "relayedpackets": 2,
        "relayedbytes": 2 * len(RTP),
        "relayedpacketerrors": 0,
        "zerowaystreams": 0,
        "onewaystreams": 1,
        "avgcallduration": "10.000000",
    }
    control = statistics["controlstatistics"]
    assert isinstance(control, dict)
    assert (control["totaloffercount"], control["totaldeletecount"], control["totalerrorcount"]) == (3, 1, 1)


def test_query_tells_how_media_are_carried(relay: Relay, alice: Phone, bob: Phone) -> None:
    suite = "AES_CM_128_HMAC_SHA1_80"
    key = b64encode(bytes(range(30))).decode()
    body = alice.body(f"crypto:1 {suite} inline:{key}", "rtcp-mux").replace("RTP/AVP", "RTP/SAVP")
    offer(alice, bob, body, transport_protocol="RTP/AVP", rtcp_mux=["demux"])
    answer(alice, bob)
    tags = relay.ask(command="query", call_id="call")["tags"]
    assert isinstance(tags, dict)
    told = {}
    for name, tag in tags.items():
        assert isinstance(tag, dict)
        assert isinstance(tag["medias"], list)
        [media] = tag["medias"]
        assert isinstance(media, dict)
        assert isinstance(media["streams"], list)
        rtp = media["streams"][0]
        assert isinstance(rtp, dict)
        told[name] = media["flags"], rtp.get("crypto suite")
    assert told == {
        "alice": (["initialized", "rtcp-mux", "SDES"], suite),
        "bob": (["initialized"], None),
    }


def test_flow_of_the_kernel_is_told_by_query() -> None:
    relay = Relay(fast=Kernel())
    alice, bob = Phone(relay, "alice", "198.51.100.10", 4000), Phone(relay, "bob", "192.0.2.20", 5000)
    establish(alice, bob)
    alice.send()
    bob.send()
    assert "kernelized" in repr(relay.ask(command="query", call_id="call", from_tag="alice"))


def test_retransmission_gets_the_same_reply_and_is_not_executed(relay: Relay, alice: Phone) -> None:
    command = bytes(
        Message("one", {"command": "offer", "call-id": "1", "from-tag": "a", "sdp": alice.body()})
    )
    first = relay.control.receive(command, PROXY, 0.0)
    relay.ask(command="delete", call_id="1")
    assert relay.control.receive(command, PROXY, 1.0) == Reply(first.datagram)
    assert relay.is_idle


def test_cookies_of_two_clients_are_not_confused(relay: Relay) -> None:
    ping, query = bytes(Message("1", {"command": "ping"})), bytes(Message("1", {"command": "query"}))
    assert relay.control.receive(ping, PROXY, 0.0) != relay.control.receive(query, ("127.0.0.1", 5080), 0.0)


def test_reply_cache_forgets_the_oldest_and_the_old() -> None:
    cache = ReplyCache(size=2, lifetime=10.0)
    for number in range(3):
        cache.put(PROXY, f"{number}", b"%d" % number, float(number))
    assert [cache.get(PROXY, f"{number}", 5.0) for number in range(3)] == [None, b"1", b"2"]
    assert cache.get(PROXY, "1", 11.0) is None
    assert cache.get(PROXY, "2", 11.0) == b"2"


def test_what_we_do_not_know_is_ignored_with_one_note(relay: Relay, alice: Phone, bob: Phone) -> None:
    offer(
        alice,
        bob,
        flags=["trust-address", "fly"],
        replace=["origin", "everything"],
        ICE="melt",
        weather="fine",
    )
    answer(alice, bob)
    assert bob.hears(alice)
    assert relay.notes == [
        "'offer' of call 'call': ignored 'ICE:melt', 'flags:fly', 'replace:everything', 'weather'"
    ]


def test_what_kamailio_says_is_known(relay: Relay, alice: Phone) -> None:
    command: dict[str, Value] = {
        "command": "offer",
        "call-id": "call",
        "from-tag": "alice",
        "sdp": alice.body(),
        "flags": ["trust-address", "symmetric"],
        "replace": ["origin", "session connection"],
        "ICE": "remove",
        "direction": ["ext", "int"],
        "supports": ["load limit"],
        "via-branch": "z9hG4bK1",
        "received from": ["IP4", "198.51.100.10"],
    }
    assert relay.send(Message("1", command))["result"] == "ok"
    assert relay.notes == []


def test_note_cannot_forge_lines(relay: Relay) -> None:
    relay.ask(command="offer", call_id="1\n<0>kernel: panic", from_tag="a")
    relay.send(Message("one", {"command": "ping", "x\ny": 1}))
    assert len(relay.notes) == 2
    assert all("\n" not in note for note in relay.notes)


def test_query_of_an_established_call(relay: Relay, alice: Phone, bob: Phone) -> None:
    relay.wire.now = 5.0
    alice.host, alice.nat = "10.0.0.10", ("198.51.100.99", 61234)
    offer(alice, bob)
    relay.wire.now = 7.0
    answer(alice, bob)
    relay.wire.now = 9.0
    alice.send()
    alice.send()
    alice.send(RTCP)
    relay.wire.arrive(("203.0.113.1", alice.told[0]), ("203.0.113.66", 1), b"noise")

    reply = relay.ask(command="query", call_id="call")
    assert reply["result"] == "ok"
    assert reply["created"] == EPOCH + 5
    assert reply["last signal"] == EPOCH + 7
    assert reply["totals"] == {
        "RTP": {"packets": 2, "bytes": 2 * len(RTP), "errors": 1},
        "RTCP": {"packets": 1, "bytes": len(RTCP), "errors": 0},
    }
    tags = reply["tags"]
    assert isinstance(tags, dict)
    assert set(tags) == {"alice", "bob"}
    assert tags["alice"] == {
        "tag": "alice",
        "created": EPOCH + 5,
        "in dialogue with": "bob",
        "medias": [
            {
                "index": 1,
                "type": "audio",
                "protocol": "RTP/AVP",
                "flags": ["initialized"],
                "streams": [
                    {
                        "local port": alice.told[0],
                        "endpoint": {"family": "IPv4", "address": "198.51.100.99", "port": 61234},
                        "advertised endpoint": {"family": "IPv4", "address": "10.0.0.10", "port": 4000},
                        "flags": ["RTP", "filled", "confirmed"],
                        "last packet": EPOCH + 9,
                        "stats": {"packets": 2, "bytes": 2 * len(RTP), "errors": 1},
                    },
                    {
                        "local port": alice.told[0] + 1,
                        "endpoint": {"family": "IPv4", "address": "198.51.100.99", "port": 61235},
                        "advertised endpoint": {"family": "IPv4", "address": "10.0.0.10", "port": 4001},
                        "flags": ["RTCP", "filled", "confirmed"],
                        "last packet": EPOCH + 9,
                        "stats": {"packets": 1, "bytes": len(RTCP), "errors": 0},
                    },
                ],
            }
        ],
    }


def test_query_of_a_call_without_answer_has_an_empty_tag(relay: Relay, alice: Phone, bob: Phone) -> None:
    offer(alice, bob)
    tags = relay.ask(command="query", call_id="call")["tags"]
    assert isinstance(tags, dict)
    assert set(tags) == {"alice", ""}
    assert tags[""] == {
        "tag": "",
        "created": EPOCH,
        "in dialogue with": "alice",
        "medias": [
            {
                "index": 1,
                "type": "audio",
                "protocol": "RTP/AVP",
                "flags": [],
                "streams": [
                    {
                        "local port": bob.told[0] + rtcp,
                        "flags": [kind],
                        "stats": {"packets": 0, "bytes": 0, "errors": 0},
                    }
                    for rtcp, kind in enumerate(("RTP", "RTCP"))
                ],
            }
        ],
    }


def test_query_of_one_tag(relay: Relay, alice: Phone, bob: Phone) -> None:
    establish(alice, bob)
    assert relay.ask(command="query", call_id="call", from_tag="bob")["result"] == "ok"
    assert relay.ask(command="query", call_id="call", from_tag="mallory")["result"] == "error"


def test_forks_are_in_the_report(relay: Relay, alice: Phone, bob: Phone, carol: Phone) -> None:
    offer(alice, bob)
    answer(alice, bob)
    answer(alice, carol)
    tags = relay.ask(command="query", call_id="call")["tags"]
    assert isinstance(tags, dict)
    assert set(tags) == {"alice", "bob", "carol"}
    assert isinstance(tags["bob"], dict)
    assert tags["bob"]["medias"] == []


def test_end_reports_what_was_relayed(relay: Relay, alice: Phone, bob: Phone) -> None:
    establish(alice, bob)
    alice.send()
    bob.send()
    reply = relay.ask(command="delete", call_id="call", from_tag="alice")
    assert reply["totals"] == {
        "RTP": {"packets": 2, "bytes": 2 * len(RTP), "errors": 0},
        "RTCP": {"packets": 0, "bytes": 0, "errors": 0},
    }


def test_reply_that_no_datagram_can_carry_is_an_error(alice: Phone) -> None:
    relay = Relay(pairs=2000)
    body = alice.body(sections=("m=video 4002 RTP/AVP 34",) * 31)
    for number in range(10):
        assert relay.ask(command="offer", call_id="1", from_tag=f"{number}", sdp=body)["result"] == "ok"
    assert relay.ask(command="query", call_id="1")["error-reason"] == "Reply too large"
