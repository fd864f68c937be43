"""Contact masking: inside, a phone is `sip:ngcp-lb@PUBLIC;ngcpct=TOKEN`, whatever it calls itself.

The token brings later requests back to the very flow the phone is behind, through any NAT, and nobody
but us can write one.
"""

import re
from typing import Final

from ngcp.lb.edge import Edge
from ngcp.sip.errors import InvalidUri, SipError
from ngcp.sip.syntax.fields import NameAddr
from ngcp.sip.syntax.message import Message, Request, Response
from ngcp.sip.syntax.uri import Uri
from ngcp.sip.transport.flow import Flow, format_address

PARAMETER: Final = "ngcpct"
USER: Final = "ngcp-lb"
#: What names a trunk group in a user part (RFC 4904 §4): it survives, on both sides.
_TRUNK: Final = re.compile(r";(?:tgrp|trunk-context)=[^;@]+")


class BadContact(SipError):
    """A Contact that a request of its kind may not carry (§8.1.1.8)."""

    reason = "Bad Contact Header"


def mask_contact(message: Message, flow: Flow, edge: Edge) -> None:
    """Replace the one Contact of a message that came over `flow`; none is fine, several are not."""
    values = message.all("contact")
    if not values:
        return
    if len(values) > 1:
        raise BadContact(f"{len(values)} contacts where one belongs")
    contact = NameAddr.parse(values[0])
    try:
        Uri.parse(contact.address)
    except InvalidUri as error:
        raise BadContact(str(error)) from error
    token = edge.tokens.seal(contact.address, flow)
    contact.address = (
        f"sip:{USER}{_trunk(contact.address)}@{format_address(edge.public['udp'])};{PARAMETER}={token}"
    )
    message.set("Contact", str(contact))


def mask_answer(response: Response, flow: Flow, edge: Edge) -> None:
    """Mask the Contact of a response; one that cannot be read is taken out, there is nobody to refuse."""
    try:
        mask_contact(response, flow, edge)
    except SipError:
        response.remove("Contact")


def reveal(text: str, edge: Edge) -> tuple[str, Flow | None] | None:
    """Return the URI and the flow behind a masked Contact; None if `text` is none of ours."""
    if PARAMETER not in text:
        return None
    uri = Uri.parse(text)
    token = uri.params.get(PARAMETER)
    if token is None or not edge.is_own(uri):
        return None
    real, transport, remote = edge.tokens.open(token)
    if ";tgrp=" in text:
        real = _on_trunk(real, _trunk(text))
    return real, edge.outwards(transport, remote)


def _trunk(uri: str) -> str:
    """Return the trunk group that the user part of a URI names (RFC 4904 §4), empty without one."""
    if ";tgrp=" not in uri:
        return ""
    return "".join(_TRUNK.findall(uri.partition("@")[0]))


def _on_trunk(uri: str, trunk: str) -> str:
    """Let the user part of a URI name this trunk group; a URI without a user has no place for it."""
    user, at, host = uri.partition("@")
    return f"{_TRUNK.sub('', user)}{trunk}{at}{host}" if at else uri


def unmask(request: Request, edge: Edge) -> Flow | None:
    """Give a request for a masked Contact its real Request-URI; return the flow to it, None if not masked."""
    revealed = reveal(request.uri, edge)
    if revealed is None:
        return None
    request.uri, flow = revealed
    return flow
