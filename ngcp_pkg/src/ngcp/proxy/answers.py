"""Answers without a transaction (RFC 3261 §8.2.7), and those to what could not be decided."""

import logging
from dataclasses import dataclass
from typing import Final

from ngcp.provisioning.runtime import DatabaseUnavailable
from ngcp.sip.core.decision import Reply
from ngcp.sip.errors import SipError
from ngcp.sip.syntax import Request
from ngcp.sip.syntax.names import phrase

_log = logging.getLogger(__name__)

UNAVAILABLE: Final = Reply(503, "Database Unavailable")
#: The same for a registration: the phone should try again, and not at once (§21.5.4).
LATER: Final = Reply(503, "Database Unavailable", (("Retry-After", "20"),))
#: Headers that an answer takes over from its request (§8.2.6.2).
COPIED: Final = frozenset({"via", "from", "to", "call-id", "cseq"})


@dataclass(frozen=True, slots=True)
class Answers:
    """Writes them."""

    server: str
    """The Server header."""
    tag: str
    """The To tag: of all alike, as §8.2.7 wants it."""

    def write(self, request: Request, reply: Reply) -> bytes:
        """Write an answer (§8.2.6): `Request.reply`, without the object in between."""
        reason = phrase(reply.status) if reply.reason is None else reply.reason
        lines = [f"SIP/2.0 {reply.status} {reason}"]
        for name, line in zip(request.shape, request.lines, strict=True):
            if name in COPIED:
                lines.append(f"{line};tag={self.tag}" if name == "to" and not request.to.tag else line)
        lines += [f"{name}: {value}" for name, value in reply.headers]
        lines += (f"Server: {self.server}", "Content-Length: 0", "", "")
        return "\r\n".join(lines).encode("utf-8", "surrogateescape")


def answer_to(request: Request, error: Exception) -> Reply:
    """Return the answer to a request that could not be decided; it is logged."""
    call_id, method = request.get("Call-ID"), request.method
    if isinstance(error, SipError):
        _log.warning("%s: %s refused: %s", call_id, method, error)
        return Reply(error.status, error.reason, error.headers)
    if isinstance(error, DatabaseUnavailable):
        _log.warning("%s: %s refused: %s", call_id, method, error)
        return LATER if method == "REGISTER" else UNAVAILABLE
    _log.error("%s: %s failed", call_id, method, exc_info=error)
    return Reply(500)
