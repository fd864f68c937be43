"""Calls between phones that carry their media differently: SRTP or not, multiplexed or not, by ICE or not."""

import datetime
import itertools
import os
import random
import time
from pathlib import Path

import pytest
from aioice import stun

from ngcp.ng.bencode import Value
from ngcp.rtp import is_rtcp
from ngcp.rtp.suites import SUITES, Keys
from ngcp.rtpengine.carriage import PLAIN_CARRIAGES, PROFILES, Carriage, read_carriage, write_carriage
from ngcp.rtpengine.dtls import Handshake, Identity
from ngcp.rtpengine.flows import Address
from ngcp.sdp import Description
from ngcp.sdp.crypto import Crypto
from ngcp.stun.check import Credentials
from rtp.libre import LibreSrtp
from rtp.libsrtp import PROFILES as LIBSRTP_SUITES
from rtp.libsrtp import LibSrtp
from rtpengine.harness import RELAY, RTCP, RTP, Relay

MUTATIONS = 2_000
CORPUS = Path(__file__).parents[1] / "corpus" / "sdp"
YEAR = datetime.datetime(2026, 1, 1, tzinfo=datetime.UTC)
AES_80 = "AES_CM_128_HMAC_SHA1_80"
SAVP = {"transport_protocol": "RTP/SAVP"}
AVP = {"transport_protocol": "RTP/AVP"}
WEB: dict[str, Value] = {"transport_protocol": "UDP/TLS/RTP/SAVPF", "ICE": "force", "rtcp_mux": ["offer"]}

NUMBERS = itertools.count(1)


def rtp() -> bytes:
    """Return a packet that was not sent before."""
    return RTP[:2] + (next(NUMBERS) & 0xFFFF).to_bytes(2, "big") + RTP[4:]


class Party:
    """A phone that says how it carries media, and keeps to it."""

    def __init__(self, relay: Relay, tag: str, address: Address, carriage: Carriage) -> None:
        self.relay, self.tag, self.address = relay, tag, address
        self.says = carriage
        self.told: Carriage
        self.port = 0
        self.is_lite = False
        self.decrypt: LibSrtp | LibreSrtp | None = None
        self.encrypt: LibSrtp | LibreSrtp | None = None

    def body(self) -> str:
        host, port = self.address
        lines = ["v=0", f"o=- 1 1 IN IP4 {host}", "s=-", f"c=IN IP4 {host}", "t=0 0"]
        lines += [f"m=audio {port} RTP/AVP 8", ""]
        body = Description.parse("\r\n".join(lines).encode())
        write_carriage(body.media[0], self.says)
        if self.is_lite:
            body.session.append_attribute("ice-lite")
        return bytes(body).decode()

    def read(self, reply: dict[str, Value]) -> None:
        """Take what the relay has made of the other one's body."""
        assert reply["result"] == "ok", reply
        body = Description.parse(str(reply["sdp"]).encode())
        told = read_carriage(body, body.media[0])
        assert told is not None
        self.told, self.port = told, body.media[0].port

    def choose(self, suite: str) -> None:
        """Answer the offered suite with a key of its own."""
        tag = next(crypto.tag for crypto in self.told.cryptos if crypto.suite == suite)
        key = os.urandom(SUITES[suite].master_length)
        self.says = self.says._replace(profile=self.told.profile, cryptos=(Crypto(tag, suite, key),))

    def begin(self) -> None:
        """Use the keys that both have said."""
        if self.says.cryptos and self.told.cryptos:
            ours, theirs = self.says.cryptos[0], self.told.cryptos[0]
            theirs = next(crypto for crypto in self.told.cryptos if crypto.suite == ours.suite)
            peer = LibSrtp if ours.suite in LIBSRTP_SUITES else LibreSrtp
            self.encrypt = self.encrypt or peer(Keys(ours.suite, ours.key))
            self.decrypt = self.decrypt or peer(Keys(theirs.suite, theirs.key))

    def send(self, packet: bytes, *, port: int | None = None) -> tuple[Address, Address] | None:
        """Send a packet as agreed on; return where it leaves the relay."""
        own_port = is_rtcp(packet) and not (self.says.is_muxed and self.told.is_muxed)
        host, source = self.address
        to = self.port + own_port if port is None else port
        protected = packet if self.encrypt is None else self.encrypt.encrypt(packet)
        return self.relay.wire.arrive((RELAY, to), (host, source + own_port), protected)

    def hears(self, other: "Party", packet: bytes) -> bool:
        """Whether a packet of the other one comes here, and is understood."""
        own_port = is_rtcp(packet) and not (self.says.is_muxed and self.told.is_muxed)
        host, port = self.address
        if other.send(packet) != ((RELAY, self.port + own_port), (host, port + own_port)):
            return False
        [left] = self.relay.wire.left
        return (left if self.decrypt is None else self.decrypt.decrypt(left)) == packet


PLAIN = PLAIN_CARRIAGES[PROFILES["RTP/AVP"]]


def sdes(suite: str = AES_80) -> Carriage:
    key = os.urandom(SUITES[suite].master_length)
    return Carriage(PROFILES["RTP/SAVP"], (Crypto(1, suite, key),))


def parties(relay: Relay, alice: Carriage = PLAIN, bob: Carriage = PLAIN) -> tuple[Party, Party]:
    return (
        Party(relay, "alice", ("198.51.100.10", 4000), alice),
        Party(relay, "bob", ("192.0.2.20", 5000), bob),
    )


def offer(caller: Party, callee: Party, **wishes: Value) -> None:
    relay = caller.relay
    callee.read(relay.ask(command="offer", call_id="c", from_tag=caller.tag, sdp=caller.body(), **wishes))


def answer(caller: Party, callee: Party, **wishes: Value) -> None:
    relay, tags = caller.relay, {"from_tag": caller.tag, "to_tag": callee.tag}
    caller.read(relay.ask(command="answer", call_id="c", sdp=callee.body(), **tags, **wishes))
    caller.begin()
    callee.begin()


def both_hear(alice: Party, bob: Party) -> bool:
    packets = [rtp(), RTCP, rtp()]
    return all(
        [one.hears(other, packet) for packet in packets for one, other in ((bob, alice), (alice, bob))]
    )


#: Those that another implementation has, and has right.
FOREIGN = [suite for suite in SUITES if "192" not in suite and suite != "AES_256_CM_HMAC_SHA1_32"]


@pytest.mark.parametrize("suite", FOREIGN)
def test_a_phone_with_srtp_calls_one_without(relay: Relay, suite: str) -> None:
    alice, bob = parties(relay, sdes(suite))
    offer(alice, bob, **AVP)
    assert str(bob.told.profile) == "RTP/AVP"
    assert not bob.told.is_protected
    answer(alice, bob)

    assert both_hear(alice, bob)


@pytest.mark.parametrize("suite", FOREIGN)
def test_a_phone_without_srtp_calls_one_with(relay: Relay, suite: str) -> None:
    alice, bob = parties(relay)
    offer(alice, bob, **SAVP)
    bob.choose(suite)
    answer(alice, bob)

    assert not alice.told.is_protected
    assert both_hear(alice, bob)


def test_both_have_srtp_with_keys_of_their_own(relay: Relay) -> None:
    alice, bob = parties(relay, sdes("AES_CM_128_HMAC_SHA1_32"))
    offer(alice, bob)
    bob.choose("AEAD_AES_256_GCM")
    answer(alice, bob)

    assert both_hear(alice, bob)
    said = [one for party in (alice, bob) for one in (party.says, party.told)]
    keys = [crypto.key for carriage in said for crypto in carriage.cryptos]
    assert len(set(keys)) == len(keys), "no key of one is shown to the other"


def test_nobody_gets_in_without_the_keys(relay: Relay) -> None:
    alice, bob = parties(relay, sdes())
    offer(alice, bob, **AVP)
    answer(alice, bob)
    assert bob.hears(alice, rtp())
    for packet in (rtp(), RTCP, LibSrtp(Keys(AES_80, bytes(30))).encrypt(rtp())):
        assert relay.wire.arrive((RELAY, alice.port), alice.address, packet) is None
    assert both_hear(alice, bob)


def test_an_offer_in_the_call_keeps_keys_and_counters(relay: Relay) -> None:
    """Hold and resume, by either side: the phones' contexts go on, so ours have to."""
    alice, bob = parties(relay, sdes())
    offer(alice, bob)
    bob.choose(AES_80)
    answer(alice, bob)
    assert both_hear(alice, bob)
    first = alice.told, bob.told
    for caller, callee in ((alice, bob), (bob, alice), (alice, bob)):
        tags = {"from_tag": caller.tag, "to_tag": callee.tag}
        reply = relay.ask(command="offer", call_id="c", sdp=caller.body(), **tags)
        callee.read(reply)
        ours = {crypto.suite: crypto for crypto in callee.told.cryptos}[AES_80]
        callee.says = callee.says._replace(cryptos=(callee.says.cryptos[0]._replace(tag=ours.tag),))
        answer(caller, callee)
        assert both_hear(alice, bob)
    assert {crypto.key for crypto in first[0].cryptos} <= {crypto.key for crypto in alice.told.cryptos}


def test_a_new_key_in_the_call_takes_over(relay: Relay) -> None:
    alice, bob = parties(relay, sdes())
    offer(alice, bob, **AVP)
    answer(alice, bob)
    assert both_hear(alice, bob)
    alice.says = sdes()
    alice.encrypt = None
    relay.ask(command="offer", call_id="c", from_tag="alice", to_tag="bob", sdp=alice.body(), **AVP)
    answer(alice, bob)
    assert both_hear(alice, bob)


def test_an_answer_without_keys_is_refused_and_changes_nothing(relay: Relay) -> None:
    alice, bob = parties(relay)
    offer(alice, bob, **SAVP)
    bob.says = sdes()._replace(cryptos=(Crypto(99, AES_80, bytes(30)),))
    reply = relay.ask(command="answer", call_id="c", from_tag="alice", to_tag="bob", sdp=bob.body())
    assert reply["result"] == "error"
    assert "No usable key" in str(reply["error-reason"])
    bob.choose(AES_80)
    answer(alice, bob)
    assert both_hear(alice, bob)


@pytest.mark.parametrize("alice_does", [False, True])
@pytest.mark.parametrize("bob_does", [False, True])
@pytest.mark.parametrize("protected", [False, True])
def test_rtcp_finds_its_port(relay: Relay, alice_does: bool, bob_does: bool, protected: bool) -> None:
    """RFC 5761: whoever multiplexes gets and sends all on one port, whatever the other one does."""
    carriage = (sdes() if protected else PLAIN)._replace(is_muxed=alice_does)
    alice, bob = parties(relay, carriage, PLAIN._replace(is_muxed=bob_does))
    offer(alice, bob, rtcp_mux=["offer" if bob_does else "demux"], **AVP)
    answer(alice, bob)

    assert bob.told.is_muxed == bob_does
    assert alice.told.is_muxed == alice_does
    assert both_hear(alice, bob)


class Browser(Party):
    """Does ICE and DTLS: by another implementation's messages the one, by OpenSSL the other."""

    def __init__(self, relay: Relay, tag: str, address: Address, setup: str = "actpass") -> None:
        self.identity = Identity(YEAR)
        ice = Credentials("abcd", "a-password-of-the-browser")
        web = PROFILES["UDP/TLS/RTP/SAVPF"]
        says = Carriage(web, (), self.identity.fingerprint(), setup, ice, is_muxed=True)
        super().__init__(relay, tag, address, says)
        self.last_check = b""

    def check(self, source: Address | None = None, *, nominates: bool = True, password: str = "") -> bool:
        """Send a check; return whether it was answered with success."""
        assert self.told.ice is not None
        assert self.says.ice is not None
        request = stun.Message(stun.Method.BINDING, stun.Class.REQUEST)
        request.attributes["USERNAME"] = f"{self.told.ice.ufrag}:{self.says.ice.ufrag}"
        request.attributes["PRIORITY"] = 1
        request.attributes["ICE-CONTROLLING"] = 1
        if nominates:
            request.attributes["USE-CANDIDATE"] = None
        request.add_message_integrity((password or self.told.ice.password).encode())
        source = source or self.address
        self.last_check = bytes(request)
        self.relay.wire.sent.clear()
        self.relay.wire.arrive((RELAY, self.port), source, self.last_check)
        answers = [packet for _, to, packet in self.relay.wire.sent if packet[0] == 1 and to == source]
        return bool(answers) and stun.parse_message(answers[0]).message_class == stun.Class.RESPONSE

    def shake(self, identity: Identity | None = None) -> None:
        """Play the other role of the handshake to its end, and take the keys."""
        assert self.told.fingerprint is not None
        is_client = self.says.setup == "active" or self.told.setup == "passive"
        handshake = Handshake(identity or self.identity, self.told.fingerprint, is_client=is_client)
        sent = self.relay.wire.sent
        packets = handshake.start() if is_client else []
        while True:
            arrived = [packet for _, to, packet in sent if to == self.address and 20 <= packet[0] < 64]
            sent.clear()
            packets += [answer for packet in arrived for answer in handshake.receive(packet)]
            if not packets:
                break
            for packet in packets:
                self.relay.wire.arrive((RELAY, self.port), self.address, packet)
            packets = []
        if handshake.keys is not None:
            theirs, ours = handshake.keys
            self.decrypt, self.encrypt = LibSrtp(theirs), LibSrtp(ours)


@pytest.mark.parametrize("wish", ["active", "passive"])
def test_a_browser_calls_a_phone(relay: Relay, wish: str) -> None:
    _, bob = parties(relay)
    alice = Browser(relay, "alice", ("198.51.100.10", 4000))
    offer(alice, bob, ICE="remove", rtcp_mux=["demux"], DTLS=wish, **AVP)
    assert bob.told == PLAIN
    answer(alice, bob)
    assert alice.told.setup == wish
    assert [candidate.port for candidate in alice.told.candidates] == [alice.port]
    assert bob.send(rtp()) is None, "nothing goes to the browser in the clear"
    assert alice.check()
    alice.shake()

    assert both_hear(alice, bob)


@pytest.mark.parametrize("setup", ["active", "passive"])
def test_a_phone_calls_a_browser(relay: Relay, setup: str) -> None:
    alice, _ = parties(relay)
    bob = Browser(relay, "bob", ("192.0.2.20", 5000), setup)
    offer(alice, bob, **WEB)
    assert bob.told.setup == "actpass"
    answer(alice, bob)
    assert not alice.told.is_protected
    assert alice.told.ice is None
    assert bob.check()
    bob.shake()

    assert both_hear(alice, bob)


def test_two_browsers(relay: Relay) -> None:
    alice = Browser(relay, "alice", ("198.51.100.10", 4000))
    bob = Browser(relay, "bob", ("192.0.2.20", 5000), "active")
    offer(alice, bob)
    answer(alice, bob)
    for browser in (alice, bob):
        assert browser.check()
        browser.shake()

    assert both_hear(alice, bob)


def test_a_browser_behind_nat_moves_with_its_checks_only(relay: Relay) -> None:
    """A stranger without the password changes nothing; the browser's own nomination does."""
    _, bob = parties(relay)
    alice = Browser(relay, "alice", ("198.51.100.10", 4000))
    offer(alice, bob, DTLS="passive", **AVP)
    answer(alice, bob)
    nat, mallory, other = ("203.0.113.99", 1024), ("203.0.113.66", 6), ("203.0.113.99", 1025)
    alice.address = nat
    assert alice.check(nominates=False)
    assert alice.check()
    alice.shake()
    assert both_hear(alice, bob)

    assert not alice.check(mallory, password="guessed, and therefore wrong")
    relay.wire.arrive((RELAY, alice.port), mallory, rtp())
    relay.wire.arrive((RELAY, alice.port), mallory, b"\x16\xfe\xfd" + bytes(40))
    assert both_hear(alice, bob)

    assert alice.check(other, nominates=False)
    assert both_hear(alice, bob), "another possible way, not the chosen one"
    assert alice.check(other)
    alice.address = other
    assert both_hear(alice, bob)


def test_somebody_with_another_certificate_gets_nothing(relay: Relay) -> None:
    """RFC 5763 §5: the fingerprint in the signalling says who it is; the right one may still come."""
    _, bob = parties(relay)
    alice = Browser(relay, "alice", ("198.51.100.10", 4000))
    offer(alice, bob, DTLS="passive", **AVP)
    answer(alice, bob)
    assert alice.check()
    alice.shake(Identity(YEAR))
    assert bob.send(rtp()) is None
    alice.decrypt = alice.encrypt = None
    alice.shake()

    assert both_hear(alice, bob)


def test_a_phone_with_dtls_and_without_ice(relay: Relay) -> None:
    """Where no check tells, the handshake itself shows where the phone is."""
    _, bob = parties(relay)
    alice = Browser(relay, "alice", ("198.51.100.10", 4000), "active")
    alice.says = alice.says._replace(ice=None, is_muxed=False)
    offer(alice, bob, **AVP)
    answer(alice, bob)
    alice.address = ("203.0.113.99", 1024)
    alice.shake()

    assert bob.hears(alice, rtp())
    assert alice.hears(bob, rtp())


def test_a_lite_agent_is_taken_at_its_word(relay: Relay) -> None:
    """RFC 8445 §6.1.1: where both wait for checks there are none, and media go where the description says."""
    _, bob = parties(relay)
    alice = Browser(relay, "alice", ("198.51.100.10", 4000))
    alice.is_lite = True
    offer(alice, bob, **AVP)
    relay.wire.sent.clear()
    answer(alice, bob)
    alice.shake()

    assert both_hear(alice, bob)


def test_fax_takes_the_place_of_a_protected_stream_and_gives_it_back(relay: Relay) -> None:
    alice, bob = parties(relay, sdes())
    offer(alice, bob, **AVP)
    answer(alice, bob)
    assert both_hear(alice, bob)
    fax = (
        Party(relay, "", ("198.51.100.10", 4000), PLAIN)
        .body()
        .replace("audio", "image")
        .replace("RTP/AVP 8", "udptl t38")
    )
    tags: dict[str, Value] = {"call_id": "c", "from_tag": "alice", "to_tag": "bob"}
    for command in ("offer", "answer"):
        body = (
            fax if command == "offer" else fax.replace("198.51.100.10", "192.0.2.20").replace("4000", "5000")
        )
        assert "udptl t38" in str(relay.ask(command=command, sdp=body, **tags)["sdp"])
    packet = b"\x00\x00any fax data"
    assert relay.wire.arrive((RELAY, alice.port), alice.address, packet) == ((RELAY, bob.port), bob.address)
    assert relay.wire.left == [packet]
    bob.read(relay.ask(command="offer", sdp=alice.body(), **AVP, **tags))
    answer(alice, bob)

    assert both_hear(alice, bob)


def test_the_first_words_of_a_handshake_are_repeated(relay: Relay) -> None:
    _, bob = parties(relay)
    alice = Browser(relay, "alice", ("198.51.100.10", 4000))
    offer(alice, bob, **AVP)
    answer(alice, bob)
    assert alice.check()
    relay.wire.sent.clear()
    time.sleep(1.05)  # OpenSSL repeats itself by its own clock
    relay.wait(1)
    alice.shake()

    assert both_hear(alice, bob)


def test_a_bundle_is_taken_apart(relay: Relay) -> None:
    """RFC 9143 §7.3.3: each section has ports of its own, and says everything by itself."""
    sdp = (CORPUS / "browser_offer.sdp").read_bytes().decode()
    reply = relay.ask(
        command="offer", call_id="c", from_tag="a", sdp=sdp, ICE="remove", rtcp_mux=["demux"], **AVP
    )
    body = Description.parse(str(reply["sdp"]).encode())
    gone = {"group", "crypto", "fingerprint", "setup", "ice-ufrag", "candidate", "rtcp-fb", "rtcp-mux"}
    for section in (body.session, *body.media):
        assert not any(section.has_attribute(name) for name in gone)
    assert [media.protocol for media in body.media] == ["RTP/AVP", "RTP/AVP"]

    plain = Party(relay, "b", ("192.0.2.20", 5000), PLAIN).body() + "m=video 0 RTP/AVP 96\r\n"
    reply = relay.ask(command="answer", call_id="c", from_tag="a", to_tag="b", sdp=plain)
    body = Description.parse(str(reply["sdp"]).encode())
    assert [media.protocol for media in body.media] == ["UDP/TLS/RTP/SAVPF", "UDP/TLS/RTP/SAVPF"]
    assert body.session.has_attribute("ice-lite")
    assert not body.session.has_attribute("group")
    assert body.media[1].is_rejected
    assert not body.media[1].has_attribute("fingerprint")


def test_keys_are_in_no_report_and_no_note(relay: Relay) -> None:
    alice, bob = parties(relay, sdes())
    offer(alice, bob, flags=["SDES-nonsense", "what-is-this"], **SAVP)
    bob.choose(AES_80)
    answer(alice, bob)
    shown = f"{relay.notes} {relay.ask(command='query', call_id='c')} {relay.wire.flows}"
    for party in (alice, bob):
        for crypto in (*party.says.cryptos, *party.told.cryptos):
            assert crypto.write().split("inline:")[1] not in shown
            assert repr(crypto.key)[2:-1] not in shown


def test_mutated_datagrams_at_a_guarded_port_do_no_harm(relay: Relay) -> None:
    """STUN, DTLS and SRTP, broken, from the peer and from others: dropped, and the call goes on."""
    _, bob = parties(relay)
    alice = Browser(relay, "alice", ("198.51.100.10", 4000))
    offer(alice, bob, **AVP)
    answer(alice, bob)
    assert alice.check()
    alice.shake()
    assert alice.encrypt is not None
    luck = random.Random(7983)
    media = [alice.encrypt.encrypt(packet) for packet in (rtp(), RTCP)]
    originals = [alice.last_check, b"\x16\xfe\xfd" + bytes(60), *media]
    for number in range(MUTATIONS):
        data = bytearray(luck.choice(originals))
        for _ in range(luck.randint(1, 4)):
            place = luck.randrange(len(data))
            data[place : place + luck.randint(0, 4)] = luck.randbytes(luck.randint(0, 4))
        if bytes(data) in media or data[:-8] == alice.last_check[:-8]:
            continue  # all that is signed is whole
        source = alice.address if number % 2 else ("203.0.113.66", 6)
        assert relay.wire.arrive((RELAY, alice.port), source, bytes(data)) is None
        relay.wire.sent.clear()

    assert both_hear(alice, bob)


def test_nothing_is_left_of_a_call_with_keys(relay: Relay) -> None:
    alice = Browser(relay, "alice", ("198.51.100.10", 4000))
    _, bob = parties(relay)
    offer(alice, bob, **AVP)
    answer(alice, bob)
    relay.ask(command="delete", call_id="c", from_tag="alice")
    assert relay.is_idle
    relay.wire.sent.clear()
    relay.wait(5)
    assert relay.wire.sent == []
