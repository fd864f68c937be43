"""The torture messages of RFC 4475 and RFC 5118 at the edge: what is valid passes, what is not is refused."""

from dataclasses import replace
from pathlib import Path

import pytest

from flows.edge import CONFIGURATION, PROXY, StubProxy, add_load_balancer
from flows.phones import Phone
from flows.wire import Wire
from ngcp.lb.config import Configuration
from ngcp.sip.syntax import Request, Response, parse
from ngcp.sip.transport.flow import Address

CORPUS = Path(__file__).parents[1] / "corpus/sip"

#: It reaches the proxy behind the edge.
RELAYED = "relayed"
#: A sane response, but nobody here waits for it.
NOT_AWAITED = "not awaited"
#: No sane response; there is nobody to tell.
DROPPED = "dropped"

#: What becomes of each message of RFC 4475, in the order of its sections.
RFC_4475 = {
    "wsinv": "403 Relaying denied",  # valid (3.1.1.1), but in a dialog without our Route and Contact
    "intmeth": RELAYED,
    "esc01": RELAYED,
    "escnull": RELAYED,
    "esc02": RELAYED,
    "lwsdisp": RELAYED,
    "longreq": RELAYED,
    "dblreq": RELAYED,
    "semiuri": RELAYED,
    "transports": RELAYED,
    "mpart01": "403 Relaying denied",  # valid (3.1.1.11), but its Route leads to somebody else
    "unreason": NOT_AWAITED,
    "noreason": NOT_AWAITED,
    "badinv01": "400 Invalid Via Header",
    "clerr": "400 Content-Length Mismatch",
    "ncl": "400 Invalid Content-Length Header",
    "scalar02": "400 Invalid CSeq Header",
    "scalarlg": DROPPED,
    "quotbal": "400 Invalid To Header",
    "ltgtruri": "400 Invalid URI",
    "lwsruri": "400 Invalid Request-Line",
    "lwsstart": "400 Invalid Request-Line",
    "trws": "400 Invalid Request-Line",
    "escruri": "400 Invalid URI",
    "baddate": RELAYED,  # 3.1.2.12 lets an element ignore a Date that it does not use
    "regbadct": "400 Bad Contact Header",
    "badaspec": "400 Invalid To Header",
    "baddn": "400 Invalid From Header",
    "badvers": "505 Version Not Supported",
    "mismatch01": "400 Invalid CSeq Header",
    "mismatch02": "400 Invalid CSeq Header",
    "bigcode": DROPPED,
    "badbranch": RELAYED,  # 3.2.1: matched as RFC 2543 demands
    "insuf": "400 Missing From Header",
    "unkscm": "416 Unsupported URI Scheme",
    "novelsc": "416 Unsupported URI Scheme",
    "unksm2": RELAYED,  # 3.3.4: schemes that only the registrar need know
    "bext01": "420 Bad Extension",
    "invut": RELAYED,
    "regaut01": RELAYED,
    "multi01": "400 Duplicate From Header",
    "mcl01": "400 Duplicate Content-Length Header",
    "bcast": NOT_AWAITED,  # 3.3.10: and nothing goes to the broadcast address
    "zeromf": "483 Too Many Hops",
    "cparam01": RELAYED,
    "cparam02": RELAYED,
    "regescrt": RELAYED,
    "sdp01": RELAYED,
    "inv2543": RELAYED,  # 3.4.1: no branch, no tag, no Contact, no Max-Forwards, no Content-Length
}
#: The same for RFC 5118, at an edge whose public address is the one they are sent to.
RFC_5118 = {
    "ipv6-good": RELAYED,
    "ipv6-bad": "400 Invalid URI",
    "port-ambiguous": "403 Relaying denied",  # 4.3: this is another address, not a port
    "port-unambiguous": RELAYED,
    "via-received-param-with-delim": "403 Relaying denied",  # in a dialog without our Route and Contact
    "via-received-param-no-delim": "200 OK",  # a ping
    "ipv6-in-sdp": RELAYED,
    "mult-ip-in-header": "403 Relaying denied",  # in a dialog
    "mult-ip-in-sdp": RELAYED,
    "ipv4-mapped-ipv6": RELAYED,
    "ipv6-bug-abnf-3-colons": "400 Invalid URI",
    "ipv6-correct-abnf-2-colons": "403 Relaying denied",  # an address, and not ours
}
#: What the edge edits on the way inwards; the rest leaves as it came.
EDITED = frozenset({"via", "route", "contact", "max-forwards"})


def read(directory: str, name: str) -> bytes:
    return (CORPUS / directory / f"{name}.sip").read_bytes()


class Scene:
    """One sender, the edge and a proxy behind it."""

    def __init__(
        self, configuration: Configuration = CONFIGURATION, sender: Address = ("198.51.100.9", 5060)
    ) -> None:
        self.wire = Wire()
        self.edge = add_load_balancer(self.wire, configuration)
        self.stub = StubProxy(self.wire)
        self.sender = Phone(self.wire, "sender", sender, configuration.public.socket)

    def fate(self, data: bytes) -> str:
        """Send a message and return what became of it."""
        self.sender.send_raw(data)
        self.wire.run(0.1)

        here = self.sender.flow.local
        assert {packet.destination for packet in self.wire.packets} <= {
            *(here, PROXY, self.sender.flow.remote, CONFIGURATION.internal.socket)
        }
        answers = [packet.start for packet in self.wire.sent_to(here)]
        if self.stub.requests:
            return RELAYED
        if self.edge.counters["dropped"]:
            assert not answers
            return DROPPED
        return answers[0].removeprefix("SIP/2.0 ") if answers else NOT_AWAITED


@pytest.fixture
def scene() -> Scene:
    return Scene()


def assert_intact(data: bytes, arrived: Request) -> None:
    """Whatever the edge need not edit arrived byte for byte, in its order."""
    sent = parse(data)
    assert isinstance(sent, Request)
    assert (arrived.method, arrived.uri, arrived.body) == (sent.method, sent.uri, sent.body)
    kept = [line for line, name in zip(sent.lines, sent.shape, strict=True) if name not in EDITED]
    assert [line for line in arrived.lines if line in kept] == kept
    assert len(arrived.all("via")) == len(sent.all("via")) + 1
    assert len(arrived.all("contact")) == len(sent.all("contact"))


@pytest.mark.parametrize(("name", "expected"), RFC_4475.items(), ids=RFC_4475)
def test_rfc_4475(scene: Scene, name: str, expected: str) -> None:
    data = read("rfc4475", name)

    assert scene.fate(data) == expected
    if expected is RELAYED:
        assert_intact(data, scene.stub.requests[0])


@pytest.mark.parametrize(("name", "expected"), RFC_5118.items(), ids=RFC_5118)
def test_rfc_5118(name: str, expected: str) -> None:
    public = replace(CONFIGURATION.public, address="2001:db8::10", address6=None)
    scene = Scene(replace(CONFIGURATION, public=public), ("2001:db8::9:1", 5060))
    data = read("rfc5118", name)

    assert scene.fate(data) == expected
    if expected is RELAYED:
        assert_intact(data, scene.stub.requests[0])


@pytest.mark.parametrize("directory", ["rfc4475", "rfc5118"])
def test_every_message_has_its_fate(directory: str) -> None:
    fates = {"rfc4475": RFC_4475, "rfc5118": RFC_5118}[directory]

    assert {path.stem for path in (CORPUS / directory).glob("*.sip")} == set(fates)


@pytest.mark.parametrize(
    ("name", "obstacle", "instead"),
    [
        ("rfc4475/wsinv", b" ;   tag    = 1918181833n", b" "),
        ("rfc4475/mpart01", b"Route: <sip:127.0.0.1:5080>\r\n", b""),
        ("rfc4475/zeromf", b"Max-Forwards: 0", b"Max-Forwards: 1"),
        ("rfc4475/bext01", b"Proxy-Require", b"X-Proxy-Require"),
        ("rfc5118/mult-ip-in-header", b";tag=9817--94", b""),
    ],
)
def test_nothing_else_is_wrong_with_them(scene: Scene, name: str, obstacle: bytes, instead: bytes) -> None:
    """What was refused for where it wants to go is otherwise as valid as its RFC says."""
    data = read(*name.split("/"))
    assert data.count(obstacle) == 1
    data = data.replace(obstacle, instead)

    assert scene.fate(data) == RELAYED
    assert_intact(data, scene.stub.requests[0])


@pytest.mark.parametrize(("name", "status", "reason"), [("unreason", 200, "= 2**3"), ("noreason", 100, "")])
def test_reason_phrases_are_passed_on(name: str, status: int, reason: str) -> None:
    """§3.1.1.12 and §3.1.1.13: whatever a reason phrase holds, and be it nothing."""
    data = read("rfc4475", name)
    response = parse(data)

    assert isinstance(response, Response)
    assert (response.status, response.reason[:6]) == (status, reason)
    assert bytes(response) == data


def test_a_second_message_in_the_datagram_is_nobodys(scene: Scene) -> None:
    """§3.1.1.8 of RFC 4475: what follows the body is discarded, be it a message."""
    scene.fate(read("rfc4475", "dblreq"))

    assert [request.method for request in scene.stub.requests] == ["REGISTER"]
    assert scene.stub.requests[0].body == b""


def test_unknown_extensions_are_named(scene: Scene) -> None:
    """§16.3 step 5: Unsupported tells which of those that proxies would have to know."""
    scene.fate(read("rfc4475", "bext01"))

    answer = parse(scene.wire.sent_to(scene.sender.flow.local)[0].data)
    assert answer.get("Unsupported") == "noProxiesSupportThis, norDoAnyProxiesSupportThis"
