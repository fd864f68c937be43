"""One dialog of ours (RFC 3261 §12): an INVITE and an answer make it, and it writes further requests.

It holds what both sides agreed on; who has which request under way is the user agent's to know.
"""

from collections.abc import Iterable
from contextlib import suppress
from typing import Final, Self

from ..errors import InvalidHeader, SipError
from ..syntax.fields import NameAddr
from ..syntax.message import Request, Response
from ..syntax.uri import Uri

#: Call-ID, our tag, the peer's tag (§12).
DialogId = tuple[str, str, str]

#: Route values that a dialog may have: no path is that long, and each request would carry them.
MAX_ROUTES: Final = 20


def dialog_id(request: Request) -> DialogId:
    """Return the dialog that a request to us means; a tag that is absent is empty (§12.2.2)."""
    return request.call_id, request.to.tag or "", request.from_.tag or ""


class Dialog:
    """The state of §12.1; it changes by `refresh` and by counting requests."""

    __slots__ = ("call_id", "local", "local_cseq", "remote", "remote_cseq", "routes", "tags", "target")

    def __init__(self, call_id: str, tags: tuple[str, str], local: str, remote: str) -> None:
        """Take the Call-ID, our tag and the peer's, and the From and To of our requests."""
        self.call_id = call_id
        self.tags = tags
        """Ours, and the peer's."""
        self.local = local
        self.remote = remote
        self.local_cseq = 0
        """Number of our last request."""
        self.remote_cseq = 0
        """Number of the peer's last request."""
        self.target = ""
        """The peer's Contact, to which requests are addressed (§12.1: remote target)."""
        self.routes: tuple[str, ...] = ()

    @classmethod
    def answering(cls, invite: Request, tag: str) -> Self:
        """Begin a dialog by answering `invite` with `tag` in To (§12.1.1)."""
        tags = tag, invite.from_.tag or ""
        dialog = cls(invite.call_id, tags, f"{invite.first('to')};tag={tag}", invite.first("from"))
        dialog.remote_cseq = invite.cseq.number
        dialog.target = _target(invite)
        dialog.routes = _bounded(invite.all("record-route"))
        return dialog

    @classmethod
    def answered(cls, invite: Request, response: Response) -> Self:
        """Begin a dialog by an answer with a To tag to our `invite` (§12.1.2)."""
        tags = invite.from_.tag or "", response.to.tag or ""
        dialog = cls(invite.call_id, tags, invite.first("from"), response.first("to"))
        dialog.local_cseq = invite.cseq.number
        dialog.target = invite.uri
        dialog.learn(response)
        return dialog

    @property
    def id(self) -> DialogId:
        """Its identifier, as `dialog_id` finds it in a request."""
        return self.call_id, *self.tags

    @property
    def next_hop(self) -> str:
        """The URI to which requests are sent first (§12.2.1.1, loose routing)."""
        with suppress(SipError):
            return NameAddr.parse(self.routes[0], "Route").address if self.routes else self.target
        return self.target

    def learn(self, response: Response) -> None:
        """Take target and route set from an answer to the INVITE that made the dialog (§13.2.2.4)."""
        self.refresh(response)
        self.routes = _bounded(reversed(response.all("record-route")))

    def refresh(self, message: Request | Response) -> None:
        """Take a new target from a target refresh request or its 2xx (§12.2.1.2, §12.2.2), if it is one."""
        if "contact" in message:
            with suppress(SipError):
                self.target = _target(message)

    def is_new(self, request: Request) -> bool:
        """Count a request of the peer; False if it is older than one before (§12.2.2)."""
        if request.cseq.number <= self.remote_cseq:
            return False
        self.remote_cseq = request.cseq.number
        return True

    def request(
        self, method: str, via: str, lines: Iterable[str] = (), body: bytes = b"", number: int | None = None
    ) -> Request:
        """Write the next request (§12.2.1.1); an ACK says the `number` of its INVITE."""
        if number is None:
            self.local_cseq = number = self.local_cseq + 1
        head = [f"Via: {via}", *(f"Route: {route}" for route in self.routes), "Max-Forwards: 70"]
        head += (f"From: {self.local}", f"To: {self.remote}", f"Call-ID: {self.call_id}")
        head += (f"CSeq: {number} {method}", *lines, f"Content-Length: {len(body)}")
        return Request(method, self.target, head, body)


def check(invite: Request) -> None:
    """Raise `SipError` for an INVITE that no answer can make a dialog of (§12.1.1)."""
    _target(invite)
    _bounded(invite.all("record-route"))


def _target(message: Request | Response) -> str:
    """Return the URI of Contact, where further requests go (§8.1.1.8)."""
    address = NameAddr.parse(message.first("contact"), "Contact").address
    if Uri.parse(address).scheme not in ("sip", "sips"):
        raise InvalidHeader("Contact", address)
    return address


def _bounded(routes: Iterable[str]) -> tuple[str, ...]:
    values = tuple(routes)
    if len(values) > MAX_ROUTES:
        raise InvalidHeader("Record-Route", f"{len(values)} values")
    return values
