"""One worker among several: what arrived here and belongs elsewhere, and what all of them must know.

Phones are spread by the kernel, and what comes from inside names the worker it is for, so nearly every
message arrives where it belongs. The rest is passed on here. Transactions never move, bytes do:

* a response whose branch another worker wrote goes to that worker, as if it had arrived there;
* a message for a TCP or TLS connection that another worker has is sent by that worker; who has which
  connection is told to all.
"""

import functools
from collections.abc import Callable, Container, Iterable
from typing import Final, cast

from ngcp.lb.channel import Kind, Passed, Told, between, read, write
from ngcp.lb.expiring import ExpiringTable, Value
from ngcp.sip.errors import SipError
from ngcp.sip.syntax import parse
from ngcp.sip.syntax.message import Response
from ngcp.sip.transaction.matching import COOKIE
from ngcp.sip.transport.flow import Flow

Outbox = list[tuple[bytes, Flow]]


class Exchange:
    """What one worker has to do with the others."""

    def __init__(self, number: int, size: int) -> None:
        """Be worker `number` of `size`, counted from 0."""
        self.number: Final = number
        self.size: Final = size
        self.wake: Callable[[], object] = lambda: None
        """Called when an operator's command, not a message, made us say something."""
        self._tables: dict[str, ExpiringTable] = {}
        self._elsewhere: dict[Flow, int] = {}
        self._here: Container[Flow] = ()
        self._own = f"{COOKIE}{number}."
        self._outbox: Outbox = []
        self._lost: list[Flow] = []
        self._responses: list[tuple[Response, Flow]] = []

    # For the core

    def naming(self, ids: Callable[[], str]) -> Callable[[], str]:
        """Return a source of tokens that tell whose they are: our branches begin with one."""
        return lambda: f"{self.number}.{ids()}"

    def connected(self, here: Container[Flow]) -> Callable[[Flow], bool]:
        """Return the answer to whether any worker has a connection; `here` are this one's."""
        self._here = here
        return lambda flow: flow in here or flow in self._elsewhere

    def hands_over(self, response: Response, flow: Flow) -> bool:
        """Give a response to the worker whose branch it carries; False if that is nobody else."""
        owner = self.owner_of(response.via.branch)
        if owner is None:
            return False
        self._say(owner, Passed(Kind.RESPONSE, flow, bytes(response)))
        return True

    def owner_of(self, branch: str) -> int | None:
        """Return the other worker that wrote a branch; None if it was none of them."""
        if branch.startswith(self._own):
            return None
        number, dot, _ = branch.removeprefix(COOKIE).partition(".")
        if not (dot and number.isascii() and number.isdigit() and len(number) <= 2):
            return None
        owner = int(number)
        return owner if owner < self.size and owner != self.number else None

    def note_opened(self, flow: Flow) -> None:
        """Tell all of a connection."""
        self._say_all(Passed(Kind.OPENED, flow))

    def note_closed(self, flow: Flow) -> None:
        """Tell all of its end."""
        self._say_all(Passed(Kind.CLOSED, flow))

    def share(self, tables: Iterable[ExpiringTable]) -> None:
        """From now on tell all what is changed in these tables, and change what others tell."""
        for table in tables:
            self._tables[table.name] = table
            table.changed = functools.partial(self._tell, table.name)

    def _tell(self, name: str, key: str, value: Value | None, ends: float) -> None:
        self._say_all(Told(Kind.NEWS, [name, key, value, ends]))
        self.wake()

    def route(self, outbox: Outbox) -> Outbox:
        """Return what this worker sends itself, and what it says to the others."""
        if self._elsewhere:
            outbox = [self._redirect(data, flow) for data, flow in outbox]
        if self._outbox:
            outbox = outbox + self._outbox
            self._outbox = []
        return outbox

    def _redirect(self, data: bytes, flow: Flow) -> tuple[bytes, Flow]:
        if flow.transport == "udp" or (owner := self._elsewhere.get(flow)) is None or flow in self._here:
            return data, flow
        return write(Passed(Kind.SEND, flow, data)), between(self.number, owner)

    # From the others

    def receive(self, data: bytes, sender: int) -> None:
        """Take a packet of worker `sender`; `ValueError` if it is none."""
        packet = read(data)
        if isinstance(packet, Told):
            name, key, value, ends = cast("tuple[str, str, Value | None, float]", packet.value)
            self._tables[name].apply(key, value, ends)
        elif packet.kind is Kind.OPENED:
            self._elsewhere[packet.flow] = sender
        elif packet.kind is Kind.SEND:
            self._send(packet, sender)
        elif packet.kind is Kind.RESPONSE:
            self._take(packet)
        elif self._elsewhere.get(packet.flow) == sender:
            del self._elsewhere[packet.flow]
            self._lost.append(packet.flow)

    def lost(self) -> list[Flow]:
        """Hand over, once, the connections that other workers lost."""
        lost, self._lost = self._lost, []
        return lost

    def responses(self) -> list[tuple[Response, Flow]]:
        """Hand over, once, the responses that came to other workers; each of them has checked its own."""
        responses, self._responses = self._responses, []
        return responses

    def _send(self, packet: Passed, sender: int) -> None:
        """Do as another worker wishes; if the connection is gone, it has not heard so yet."""
        if packet.flow in self._here:
            self._outbox.append((packet.data, packet.flow))
        else:
            self._say(sender, Passed(Kind.CLOSED, packet.flow))

    def _take(self, packet: Passed) -> None:
        try:
            message = parse(packet.data)
        except SipError as error:
            raise ValueError(f"a worker passed on what it cannot have read: {error}") from error
        if isinstance(message, Response):
            self._responses.append((message, packet.flow))

    def _say(self, other: int, packet: Passed | Told) -> None:
        self._outbox.append((write(packet), between(self.number, other)))

    def _say_all(self, packet: Passed | Told) -> None:
        for other in range(self.size):
            if other != self.number:
                self._say(other, packet)
