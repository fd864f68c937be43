"""The door to the media relay: offers, answers and ends of calls, over the ng protocol.

Sessions are described by whoever offers (RFC 3264): the relay wants an `offer` with the tag of that side, an
`answer` with both tags, and a `delete` when the call is over.
"""

import logging
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, Protocol

from ngcp.net.udp import UdpRequester
from ngcp.ng.bencode import BencodeError, Value, decode, decode_at, encode
from ngcp.sip.errors import SipError
from ngcp.sip.syntax import Request, Response
from ngcp.sip.syntax.message import Message

from .call import USUAL, Terms
from .records import describe_sound

_log = logging.getLogger(__name__)

#: Where the average of a source begins in a report: its key and the mark of a dictionary.
_AVERAGE: Final = b"11:average MOSd"
#: Sources of a call that are looked at.
MAX_SCORES: Final = 16
_REPLACE: Final[list[Value]] = ["origin", "session-connection"]


class MediaRelayUnavailable(SipError):
    """The media relay does not answer or refuses: no call can be set up with media through it."""

    status = 503
    reason = "Media Relay Unavailable"


class Relay(Protocol):
    """Where commands go."""

    async def ask(self, command: dict[str, Value]) -> dict[str, Value]:
        """Return the reply, or raise `MediaRelayUnavailable`."""


class NgClient:
    """The relay's control port over UDP."""

    def __init__(self, remote: tuple[str, int], cookies: Callable[[], str], timeout: float) -> None:
        self._requester = UdpRequester(remote, cookies, timeout)

    async def ask(self, command: dict[str, Value]) -> dict[str, Value]:
        """Ask with repetitions until the timeout."""
        name = str(command["command"])
        try:
            return read_reply(name, await self._requester.request(encode(command)))
        except (TimeoutError, ConnectionError, BencodeError) as error:
            raise MediaRelayUnavailable(f"{name}: {error or 'no answer in time'}") from error

    def close(self) -> None:
        """Let go of the socket."""
        self._requester.close()


def read_reply(command: str, data: bytes) -> dict[str, Value]:
    """Read the reply to `command`, or raise `MediaRelayUnavailable` or `BencodeError`.

    Of a `delete`, only whether it was done and how each source sounded (`MOS`): the report of a call that
    comes with it is long.
    """
    if command == "delete" and b"6:result2:ok" in data:
        return {"result": "ok", "MOS": _read_scores(data)}
    reply = decode(data)
    if not isinstance(reply, dict) or reply.get("result") == "error":
        reason = reply.get("error-reason") if isinstance(reply, dict) else "no dictionary"
        raise MediaRelayUnavailable(f"{command}: {reason}")
    return reply


def _read_scores(data: bytes) -> list[Value]:
    """Return the average of each source, without reading all that is around it."""
    scores: list[Value] = []
    at = data.find(_AVERAGE)
    while at >= 0 and len(scores) < MAX_SCORES:
        scores.append(decode_at(data, at + len(_AVERAGE) - 1))
        at = data.find(_AVERAGE, at + len(_AVERAGE))
    return scores


def has_session(message: Message) -> bool:
    """Whether the body describes a session."""
    content_type = (message.get("Content-Type") or "").partition(";")[0].strip().lower()
    return bool(message.body) and content_type == "application/sdp"


@dataclass(frozen=True, slots=True)
class Media:
    """Keeps the relay in step with the calls that cross the proxy."""

    relay: Relay
    conclude: Callable[[str, str], None] = lambda call_id, sound: None
    """Is told the Call-ID of each call that ended, and how it sounded (`records.describe_sound`)."""

    async def follow_request(self, request: Request, terms: Terms = USUAL) -> None:
        """Anchor the session that a request describes, or end the call's; raises `MediaRelayUnavailable`."""
        if request.method == "BYE":
            await self.end(request)
        elif has_session(request) and terms.is_relayed:
            if request.method == "ACK":  # answers the offer of the 2xx (RFC 3264, RFC 3261 §13.2.1)
                fields = self._fields("answer", request, request.to.tag, request.from_.tag)
            else:
                fields = self._fields("offer", request, request.from_.tag)
            await self._anchor(request, {**fields, **terms.offer})

    async def follow_response(self, request: Request, response: Response, terms: Terms = USUAL) -> None:
        """Anchor the session that a response describes, or end that of a call that failed."""
        if response.status >= 300:
            if request.method == "INVITE" and request.to.tag is None:
                await self.end(request)
        elif has_session(response) and terms.is_relayed:
            if has_session(request):
                fields = self._fields("answer", response, request.from_.tag, response.to.tag)
            else:
                fields = self._fields("offer", response, response.to.tag, request.from_.tag)
            try:
                await self._anchor(response, {**fields, **terms.answer})
            except MediaRelayUnavailable as error:  # the callee is committed: let the sides find each other
                _log.error("%s: session passed on without the media relay: %s", request.call_id, error)

    async def end(self, request: Request) -> None:
        """Free the call's ports; if the relay does not hear of it, its time-outs will."""
        scores: Value = []
        try:
            reply = await self.relay.ask(
                {"command": "delete", "call-id": request.call_id, "from-tag": request.from_.tag or ""}
            )
            scores = reply.get("MOS", [])
        except MediaRelayUnavailable as error:
            _log.warning("%s: %s", request.call_id, error)
        finally:
            self.conclude(request.call_id, describe_sound(scores))

    @staticmethod
    def _fields(
        command: str, message: Message, from_tag: str | None, to_tag: str | None = None
    ) -> dict[str, Value]:
        """Say whose session description this is, and of which call."""
        fields: dict[str, Value] = {
            "command": command,
            "call-id": message.call_id,
            "from-tag": from_tag or "",
            "replace": _REPLACE,
            "ICE": "remove",
            "sdp": message.body.decode("utf-8", "surrogateescape"),
        }
        if to_tag:
            fields["to-tag"] = to_tag
        source = message.get("P-NGCP-Src-Ip")
        if source:  # where the edge saw this side: the relay believes it before a stranger who sends first
            fields["received-from"] = ["IP6" if ":" in source else "IP4", source]
        return fields

    async def _anchor(self, message: Message, fields: dict[str, Value]) -> None:
        """Let the relay put itself between the two sides of a session description."""
        sdp = (await self.relay.ask(fields)).get("sdp")
        if not isinstance(sdp, str):
            raise MediaRelayUnavailable(f"{fields['command']}: the reply has no sdp")
        message.body = sdp.encode("utf-8", "surrogateescape")
