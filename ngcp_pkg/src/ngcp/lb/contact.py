"""Contact masking: inside, a phone is `sip:ngcp-lb@PUBLIC;ngcpct=TOKEN`, whatever it calls itself.

The token brings later requests back to the very flow the phone is behind, through any NAT, and nobody
but us can write one.
"""

import contextlib
import re
from typing import Final

from ngcp.lb.edge import Edge, address_of
from ngcp.sip.errors import SipError
from ngcp.sip.syntax.fields import NameAddr
from ngcp.sip.syntax.memory import remembered, remembered_with
from ngcp.sip.syntax.message import Message, Request, Response
from ngcp.sip.syntax.uri import Uri
from ngcp.sip.transaction.matching import COOKIE
from ngcp.sip.transport.flow import Flow, parse_host

PARAMETER: Final = "ngcpct"
USER: Final = "ngcp-lb"
#: In a token, what stands for our socket if the Contact is that of an element inside.
INSIDE: Final = "inside"
#: What names a trunk group in a user part (RFC 4904 §4): it survives, on both sides.
_TRUNK: Final = re.compile(r";(?:tgrp|trunk-context)=[^;@]+")
#: Requests whose answer makes a dialog, so each side must know where the other is.
CONTACT_NEEDED: Final = frozenset({"INVITE", "SUBSCRIBE"})
#: Requests that carry one Contact at most (§20.10); REGISTER, and methods yet to come, may carry more.
ONE_CONTACT: Final = frozenset(
    {
        *CONTACT_NEEDED,
        *(
            "ACK",
            "BYE",
            "CANCEL",
            "INFO",
            "MESSAGE",
            "NOTIFY",
            "OPTIONS",
            "PRACK",
            "PUBLISH",
            "REFER",
            "UPDATE",
        ),
    }
)


class BadContact(SipError):
    """A Contact that a request of its kind may not carry (§8.1.1.8)."""

    reason = "Bad Contact Header"


def mask_contact(message: Message, flow: Flow, edge: Edge) -> None:
    """Replace the Contact of a message that came over `flow`; several are for methods that we do not know."""
    values = message.all("contact")
    if not values:
        return
    if len(values) > 1 and not (isinstance(message, Request) and message.method not in ONE_CONTACT):
        raise BadContact(f"{len(values)} contacts where one belongs")
    message.set("Contact", ", ".join([_mask(value, flow, edge) for value in values]))


@remembered_with
def _mask(value: str, flow: Flow, edge: Edge) -> str:
    contact = _read(value)
    token = edge.tokens.seal(contact.address, edge.public.label(flow), flow.remote)
    return _cover(contact, token, flow, edge)


def _cover(contact: NameAddr, token: str, flow: Flow, edge: Edge) -> str:
    contact.address = f"sip:{USER}{_trunk(contact.address)}@{edge.public.contact(flow)};{PARAMETER}={token}"
    return str(contact)


def _read(value: str) -> NameAddr:
    try:
        contact = NameAddr.parse(value)
        Uri.parse(contact.address)
    except SipError as error:
        raise BadContact(str(error)) from error
    return contact


def require_contact(request: Request) -> None:
    """Refuse a request without Contact that would make a dialog (§8.1.1.8); RFC 2543 did not ask for one."""
    if request.method in CONTACT_NEEDED and request.via.branch.startswith(COOKIE):
        raise BadContact(f"{request.method} without a contact")


def check_bindings(request: Request) -> None:
    """Refuse a REGISTER with a Contact that cannot be read, or `*` without its conditions (§10.2.2)."""
    values = request.all("contact")
    for value in values:
        if value != "*":
            _check_binding(value)
        elif len(values) > 1 or request.get("expires") != "0":
            raise BadContact("* stands alone, with Expires 0")


@remembered
def _check_binding(value: str) -> None:
    _read(value)


def mask_inner(message: Message, flow: Flow, edge: Edge) -> None:
    """Mask the Contact of an element inside in what leaves by `flow`; what cannot be read is none of ours."""
    text = message.get("contact")
    if text is None or PARAMETER in text:
        return
    with contextlib.suppress(SipError):
        contact = NameAddr.parse(text)
        uri = contact.uri
        if uri.scheme == "sip" and edge.is_inside(parse_host(uri.host)):
            token = edge.tokens.seal(contact.address, INSIDE, address_of(uri))
            message.set("Contact", _cover(contact, token, flow, edge))


def mask_answer(response: Response, flow: Flow, edge: Edge) -> None:
    """Mask the Contact of a response; one that cannot be read is taken out, there is nobody to refuse."""
    try:
        mask_contact(response, flow, edge)
    except SipError:
        response.remove("Contact")


def reveal(text: str, edge: Edge) -> tuple[str, Flow | None] | None:
    """Return the URI and the flow behind a masked Contact; None if `text` is none of ours."""
    return _reveal(text, edge) if PARAMETER in text else None


@remembered_with
def _reveal(text: str, edge: Edge) -> tuple[str, Flow | None] | None:
    uri = Uri.parse(text)
    token = uri.params.get(PARAMETER)
    if token is None or not edge.is_own(uri):
        return None
    real, socket, remote = edge.tokens.open(token)
    if ";tgrp=" in text:
        real = _on_trunk(real, _trunk(text))
    if socket == INSIDE:
        return real, Flow("udp", edge.internal, remote)
    return real, edge.public.flow(socket, remote)


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
