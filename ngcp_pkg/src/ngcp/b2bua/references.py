"""Dialogs that a message names (Replaces, Refer-To): as the other side knows them (RFC 3891, RFC 3515)."""

from collections.abc import Mapping
from typing import Final
from urllib.parse import quote, unquote

from ngcp.sip.core.leg import Leg
from ngcp.sip.dialog import DialogId
from ngcp.sip.errors import InvalidHeader, SipError
from ngcp.sip.syntax import NameAddr, Uri
from ngcp.sip.syntax.uri import parse_params

Legs = Mapping[DialogId, Leg]

#: Characters of a Replaces that need no escape in a URI (RFC 3261 §25.1, hnv-unreserved and unreserved).
_PLAIN: Final = "-_.!~*'()[]/?:+$"


def find_named(text: str, legs: Legs) -> Leg | None:
    """Return the leg that Replaces means, as its own peer names it; None: it is not ours."""
    call_id, _, rest = text.partition(";")
    params = parse_params(rest)
    return legs.get((call_id.strip(), params.get("to-tag") or "", params.get("from-tag") or ""))


def map_replaces(text: str, legs: Legs) -> str:
    """Return the value of Replaces for the other side; a dialog that is not ours keeps its name.

    Who asks names a dialog with us; whom it reaches knows that call by the leg on its own side.
    """
    named = find_named(text, legs)
    if named is None or named.twin is None:
        return text
    twin = named.twin
    early = ";early-only" if "early-only" in parse_params(text) else ""
    return f"{twin.call_id};to-tag={twin.tags[1]};from-tag={twin.tags[0]}{early}"


def map_refer_to(text: str, legs: Legs) -> str:
    """Return the value of Refer-To for the other side, where a dialog to be replaced has another name."""
    target = NameAddr.parse(text, "Refer-To")
    try:
        uri = Uri.parse(target.address)
    except SipError as error:
        raise InvalidHeader("Refer-To", text) from error
    if not uri.headers:
        return text
    fields = [_map_field(field, legs) for field in uri.headers.split("&")]
    uri.headers = "&".join(fields)
    return str(NameAddr(target.display, str(uri), target.params))


def map_event(text: str) -> str:
    """Return the value of Event for the other side: its REFER had another number, by which it is named."""
    return text.partition(";")[0] if text.lower().startswith("refer") else text


def _map_field(field: str, legs: Legs) -> str:
    name, _, value = field.partition("=")
    if name.lower() != "replaces":
        return field
    return f"{name}={quote(map_replaces(unquote(value), legs), _PLAIN)}"
