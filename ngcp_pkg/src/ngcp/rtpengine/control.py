"""The ng control protocol: one datagram in, at most one reply and one note for the log out.

Commands that cannot be executed are answered with `result: error`; a datagram without cookie cannot be
answered. A repeated cookie is a retransmission and gets the reply it got before. What a command says
beyond our vocabulary is noted and otherwise ignored.
"""

import ipaddress
from collections.abc import Callable
from typing import Final, NamedTuple

from ngcp.ng.bencode import Value
from ngcp.ng.commands import MalformedDictionary, Message, NoCookie

from .bodies import Sender
from .calls import Calls, Signal
from .errors import Incomplete, RelayError, UnknownCall, Unrecognized
from .flows import Address
from .report import Reporter

#: Keys that mean something to us, or nothing to a relay with one interface that is symmetric anyway.
KEYS: Final = frozenset(
    {
        "ICE",
        "call-id",
        "command",
        "direction",
        "flags",
        "from-tag",
        "received-from",
        "replace",
        "sdp",
        "supports",
        "to-tag",
        "via-branch",
    }
)
FLAGS: Final = frozenset({"SIP-source-address", "fatal", "symmetric", "trust-address"})
REPLACE: Final = frozenset({"origin", "session-connection", "zero-address"})
#: What UDP can carry (RFC 768, RFC 791).
MAX_REPLY: Final = 65_507

Fields = dict[str, Value]


class Reply(NamedTuple):
    """What one datagram has led to."""

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

    def __init__(self, calls: Calls, reporter: Reporter) -> None:
        self._calls = calls
        self._reporter = reporter
        self._cache = ReplyCache()
        self._commands: dict[str, Callable[[Message, float], Fields]] = {
            "ping": self._ping,
            "offer": self._offer,
            "answer": self._answer,
            "delete": self._delete,
            "query": self._query,
        }

    def receive(self, datagram: bytes, sender: Address, now: float) -> Reply:
        """Execute what one datagram says."""
        try:
            message = Message.parse(datagram)
        except NoCookie as error:
            return Reply(None, f"datagram from {sender[0]}:{sender[1]} dropped: {error}")
        except MalformedDictionary as error:
            return _refusal(
                error.cookie, "Could not decode bencode dictionary", f"a command refused: {error}"
            )
        known = self._cache.get(sender, message.cookie, now)
        if known is not None:
            return Reply(known)
        reply = self._execute(_with_hyphens(message), now)
        if reply.datagram is not None:
            self._cache.put(sender, message.cookie, reply.datagram, now)
        return reply

    def _execute(self, message: Message, now: float) -> Reply:
        command = message.text("command") or ""
        title = f"{command[:20]!r} of call {(message.text('call-id') or '')[:100]!r}"
        try:
            execute = self._commands.get(command)
            if execute is None:
                raise Unrecognized
            fields = execute(message, now)
        except RelayError as error:
            return _refusal(message.cookie, str(error), f"{title} refused: {error}")
        datagram = bytes(Message(message.cookie, fields))
        if len(datagram) > MAX_REPLY:
            return _refusal(
                message.cookie, "Reply too large", f"{title} refused: {len(datagram)} bytes of reply"
            )
        unknown = _beyond_vocabulary(message)
        return Reply(datagram, f"{title}: ignored {unknown}" if unknown else None)

    def _ping(self, message: Message, now: float) -> Fields:
        return {"result": "pong"}

    def _offer(self, message: Message, now: float) -> Fields:
        _require(message, "call-id", "from-tag", "sdp")
        return _rewritten(self._calls.offer(_signal(message), now))

    def _answer(self, message: Message, now: float) -> Fields:
        _require(message, "call-id", "from-tag", "to-tag", "sdp")
        return _rewritten(self._calls.answer(_signal(message), now))

    def _delete(self, message: Message, now: float) -> Fields:
        _require(message, "call-id")
        signal = _signal(message)
        try:
            report = self._report(signal)
            self._calls.delete(signal)
        except UnknownCall:
            if "fatal" in _words(message, "flags"):
                raise
            return {"result": "ok", "warning": "Call-ID not found or tags didn't match"}
        return report

    def _query(self, message: Message, now: float) -> Fields:
        _require(message, "call-id")
        return self._report(_signal(message))

    def _report(self, signal: Signal) -> Fields:
        call = self._calls.find(signal.call_id)
        return {"result": "ok"} | self._reporter.describe(call.created, self._calls.matching(signal))


def _refusal(cookie: str, reason: str, note: str) -> Reply:
    return Reply(bytes(Message(cookie, {"result": "error", "error-reason": reason})), note)


def _rewritten(sdp: bytes) -> Fields:
    return {"result": "ok", "sdp": sdp.decode("utf-8", "surrogateescape")}


def _with_hyphens(message: Message) -> Message:
    """Return the message with keys in one spelling: the protocol allows spaces in place of hyphens."""
    return Message(message.cookie, {key.replace(" ", "-"): value for key, value in message.fields.items()})


def _words(message: Message, name: str) -> frozenset[str]:
    return frozenset(word.replace(" ", "-") for word in message.texts(name))


def _require(message: Message, *names: str) -> None:
    for name in names:
        if message.text(name) is None:
            raise Incomplete("SDP body" if name == "sdp" else name)


def _signal(message: Message) -> Signal:
    is_there = "SIP-source-address" in _words(message, "flags")
    return Signal(
        call_id=message.text("call-id") or "",
        from_tag=message.text("from-tag") or "",
        to_tag=message.text("to-tag") or "",
        via_branch=message.text("via-branch") or "",
        sdp=(message.text("sdp") or "").encode("utf-8", "surrogateescape"),
        sender=Sender(_received_from(message), is_there),
        replace=_words(message, "replace"),
    )


def _received_from(message: Message) -> str | None:
    """Return the literal address in `received-from: [IP4|IP6, address]`."""
    words = message.texts("received-from")
    try:
        return str(ipaddress.ip_address(words[1])) if len(words) == 2 else None
    except ValueError:
        return None


def _beyond_vocabulary(message: Message) -> str:
    unknown = [key for key in message.fields if key not in KEYS]
    unknown += [f"flags:{flag}" for flag in _words(message, "flags") - FLAGS]
    unknown += [f"replace:{part}" for part in _words(message, "replace") - REPLACE]
    ice = message.text("ICE")
    if ice not in (None, "remove"):
        unknown.append(f"ICE:{ice}")
    return ", ".join(sorted(ascii(word[:40]) for word in unknown[:10]))
