"""The ng control protocol: one message in, at most one reply and one note for the log out.

Commands that cannot be executed are answered with `result: error`; a message without cookie cannot be
answered. A repeated cookie is a retransmission and gets the reply it got before. What a command says
beyond our vocabulary is noted and otherwise ignored. A reply has the form of its request, bencode or JSON.
"""

from collections import Counter
from collections.abc import Callable
from typing import Final, NamedTuple

from ngcp.ng.commands import MalformedDictionary, Message, NoCookie

from .commands import Command, Request, Table
from .errors import RelayError, Unrecognized
from .flows import Address

#: What UDP can carry (RFC 768, RFC 791).
MAX_REPLY: Final = 65_507


class Reply(NamedTuple):
    """What one message has led to."""

    datagram: bytes | None = None
    """The answer to its sender."""
    note: str | None = None
    """A line for the log."""


class ReplyCache:
    """Replies by sender and cookie, so that a retransmission is not executed again; bounded."""

    def __init__(self, size: int = 4096, lifetime: float = 10.0) -> None:
        """Keep `size` replies for `lifetime` seconds: clients give up sooner."""
        self._size = size
        self._lifetime = lifetime
        self._replies: dict[tuple[Address, str], tuple[float, bytes]] = {}

    def get(self, sender: Address, cookie: str, now: float) -> bytes | None:
        """Return the reply to an earlier datagram with this cookie."""
        sent, reply = self._replies.get((sender, cookie), (now, None))
        return reply if now - sent < self._lifetime else None

    def put(self, sender: Address, cookie: str, reply: bytes, now: float) -> None:
        """Keep `reply`, dropping the oldest if there are too many."""
        self._replies.pop((sender, cookie), None)
        while len(self._replies) >= self._size:
            del self._replies[next(iter(self._replies))]
        self._replies[sender, cookie] = now, reply


class Control:
    """Executes the commands of all clients."""

    def __init__(
        self, table: Table, counts: Counter[str], executed: Callable[[str], None] = lambda call_id: None
    ) -> None:
        """Count in `counts` how often each command comes, and as `error` those that are refused.

        `executed` is told the Call-ID of each command that was done.
        """
        self._table = table
        self._executed = executed
        self._counts = counts
        self._cache = ReplyCache()

    def receive(self, datagram: bytes, sender: Address, now: float) -> Reply:
        """Execute what one message says."""
        try:
            message = Message.parse(datagram)
        except NoCookie as error:
            return Reply(None, f"datagram from {sender[0]}:{sender[1]} dropped: {error}")
        except MalformedDictionary as error:
            self._counts["error"] += 1
            form = "JSON object" if error.is_json else "bencode dictionary"
            broken = Message(error.cookie, {}, error.is_json)
            return _refusal(broken, f"Could not decode {form}", f"a command refused: {error}")
        known = self._cache.get(sender, message.cookie, now)
        if known is not None:
            return Reply(known)
        reply = self._execute(message, now)
        if reply.datagram is not None:
            self._cache.put(sender, message.cookie, reply.datagram, now)
        return reply

    def _execute(self, message: Message, now: float) -> Reply:
        request = Request.read(message, now)
        name = request.message.text("command") or ""
        title = f"{name[:20]!r} of call {request.signal.call_id[:100]!r}"
        try:
            command = self._table.get(name)
            if command is None:
                raise Unrecognized
            self._counts[name] += 1
            request.require(*command.needs)
            fields = command.execute(request)
            self._executed(request.signal.call_id)
        except RelayError as error:
            self._counts["error"] += 1
            return _refusal(message, str(error), f"{title} refused: {error}")
        datagram = bytes(Message(message.cookie, fields, message.is_json))
        if len(datagram) > MAX_REPLY:
            return _refusal(message, "Reply too large", f"{title} refused: {len(datagram)} bytes of reply")
        ignored = _ignored(request, command)
        return Reply(datagram, f"{title}: ignored {ignored}" if ignored else None)


def _refusal(message: Message, reason: str, note: str) -> Reply:
    fields = {"result": "error", "error-reason": reason}
    return Reply(bytes(Message(message.cookie, {**fields}, message.is_json)), note)


def _ignored(request: Request, command: Command) -> str:
    words = [word for word in request.ignored if word not in command.keys]
    return ", ".join(sorted(ascii(word[:40]) for word in words[:10]))
