"""A back-to-back user agent between phones that are its proxy, too: both legs in sight."""

from typing import Final

from flows.attempts import ANSWERS, SDP, Script
from flows.hands import Hand
from flows.phones import Call, Phone
from flows.wire import Packet, Wire
from ngcp.b2bua.config import Configuration
from ngcp.b2bua.core import B2bua
from ngcp.sip.syntax import Request, Response, parse
from ngcp.sip.transport.flow import Address, format_address

B2BUA: Final = ("127.0.0.1", 5080)
CALLER: Final = ("192.0.2.10", 5066)
CALLEE: Final = ("198.51.100.20", 5077)


class BackToBack:
    """Alice, whose calls come in at the user agent, and Bob, to whom they go out."""

    def __init__(self, configuration: Configuration | None = None, script: Script = ANSWERS) -> None:
        self.wire = Wire()
        self.b2bua = B2bua(configuration or Configuration(), self.wire.ids("b2"))
        self.wire.attach(self.b2bua, "udp", B2BUA)
        self.alice = Phone(self.wire, "alice", CALLER, B2BUA)
        self.bob = Phone(self.wire, "bob", CALLEE, B2BUA, script=script)

    def call(self, parameters: str = "", body: bytes = SDP, extra: tuple[str, ...] = ()) -> Call:
        """Let Alice call Bob as the proxy would have it."""
        lines = ["P-App-Name: sbc", f"P-Proxy-Uri: <sip:{format_address(CALLEE)};lr>"]
        if parameters:
            lines.append(f"P-App-Param: {parameters}")
        return self.alice.call("bob", body=body, extra=(*lines, *extra))

    def connected(self, parameters: str = "") -> tuple[Call, Call]:
        """Return an answered call as Alice and as Bob see it."""
        call = self.call(parameters)
        assert self.wire.run_until(lambda: bool(self.bob.calls) and self.bob.calls[-1].is_up and call.is_up)
        self.wire.run(0.1)
        return call, self.bob.calls[-1]

    def run(self, seconds: float) -> None:
        self.wire.run(seconds)

    @property
    def is_empty(self) -> bool:
        """Whether nothing of any call is left."""
        return not (self.b2bua.calls or self.b2bua.agent.legs or self.b2bua.transactions)

    def sent_to(self, address: Address, start: str = "") -> list[Request | Response]:
        """Return the messages of the user agent to `address` whose start line begins with `start`."""
        return [parse(packet.data) for packet in self.wire.sent_to(address) if _is_from_us(packet, start)]


class ByHand:
    """The same between two sides that say only what the test has them say."""

    def __init__(self, configuration: Configuration | None = None) -> None:
        self.wire = Wire()
        self.b2bua = B2bua(configuration or Configuration(), self.wire.ids("b2"))
        self.wire.attach(self.b2bua, "udp", B2BUA)
        self.alice = Hand(self.wire, "alice", CALLER, B2BUA)
        self.bob = Hand(self.wire, "bob", CALLEE, B2BUA)

    def run(self, seconds: float = 0.1) -> None:
        self.wire.run(seconds)

    def invite(self, parameters: str = "", *extra: str, body: bytes = SDP) -> tuple[Request, Request]:
        """Let Alice call Bob; return what she sends and what he gets."""
        lines = ["P-App-Name: sbc", f"P-Proxy-Uri: <sip:{format_address(CALLEE)};lr>"]
        if parameters:
            lines.append(f"P-App-Param: {parameters}")
        sent = self.alice.invite(*lines, *extra, body=body)
        self.run()
        return sent, self.bob.requests("INVITE")[-1]

    def connect(self, parameters: str = "", *extra: str, answer: tuple[str, ...] = ()) -> None:
        """Let Alice call Bob and be answered; `answer` are headers of his 200."""
        _, invite = self.invite(parameters, *extra)
        self.bob.answer(invite, 200, *answer, body=SDP)
        self.run()
        self.alice.acknowledge(self.alice.answers()[-1])
        self.run()

    @property
    def is_empty(self) -> bool:
        """Whether nothing of any call is left."""
        return not (self.b2bua.calls or self.b2bua.agent.legs or self.b2bua.transactions)


def _is_from_us(packet: Packet, start: str) -> bool:
    return packet.source == B2BUA and packet.start.startswith(start)
