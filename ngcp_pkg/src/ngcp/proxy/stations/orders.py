"""What applications are told of a call, in headers of ours (platform.md §0)."""

from collections.abc import Mapping
from typing import Final

from ngcp.provisioning.runtime import Subscriber
from ngcp.proxy.applications import CONFERENCE, VOICEBOX
from ngcp.proxy.call import Call
from ngcp.proxy.floor import Floor
from ngcp.sip.syntax import Uri
from ngcp.sip.syntax.fields import quote_string

#: How the user part of a conference begins; behind it is whose it is.
_ROOM: Final = "conf="
#: How the user part of a mailbox that takes messages begins, and what callers hear; whose it is, is behind.
_GREETINGS: Final = {"vmu": "unavail", "vmb": "busy"}


def orders(call: Call, floor: Floor) -> list[tuple[str, str]]:
    """Return the headers for the application that the call's URI names. Raises `Unknown`."""
    caller, last = call.caller.subscriber, call.diversions[-1] if call.diversions else None
    identity = call.request.from_.uri.name
    name, order = _order(call, floor)
    facts = {
        "P-App-Name": name,
        "P-App-Param": order,
        "P-Caller-UUID": caller.uuid if caller else "",
        "P-Callee-UUID": last.subscriber.uuid if last else caller.uuid if caller else "",
        "P-Called-Party-ID": f"<{last.uri if last else call.request.uri}>",
        "P-CF-Depth": str(len(call.diversions)),
        "P-First-Caller-UPN": call.identity.upn or identity,
        "P-First-Caller-NPN": call.identity.npn or identity,
        "P-NGCP-Forward-Info": last.kind if last else "",
    }
    return [(name, value) for name, value in facts.items() if value]


def _order(call: Call, floor: Floor) -> tuple[str, str]:
    """Return which application it is, and its order."""
    host = call.uri.host
    if host == VOICEBOX:
        is_deposit = call.uri.name[:3] in _GREETINGS
        return ("voicebox", _deposit(call, floor)) if is_deposit else ("mailbox", _mailbox(call, floor))
    return host.removesuffix(".local"), _conference(call, floor) if host == CONFERENCE else ""


def _deposit(call: Call, floor: Floor) -> str:
    """Return for whom a message is, and what its caller hears first."""
    name = call.uri.name[3:]
    owner = floor.directory.by_uuid(name) or _owner(call, name, floor)
    number = name if name.isascii() and name.isdecimal() else ""
    wishes = {"greeting": _GREETINGS[call.uri.name[:3]], "number": number}
    return _told({"mailbox": owner.uuid, **wishes, **_sounds(call, owner)}) if owner else ""


def _mailbox(call: Call, floor: Floor) -> str:
    """Return whose messages are to be heard; nothing: the caller says it himself."""
    caller = call.caller.subscriber
    if caller is None or call.uri.name != floor.applications.voicemail_number:
        return ""
    return _told({"mailbox": caller.uuid, **_sounds(call, caller)})


def _sounds(call: Call, subscriber: Subscriber) -> Mapping[str, str | None]:
    """Return in which sounds and words a subscriber is spoken to."""
    preferences = call.platform.preferences_of(subscriber)
    language = preferences.text("language") or "en"
    return {"sound_set_id": preferences.text("sound_set"), "language": language}


def _told(wishes: Mapping[str, str | None]) -> str:
    return "".join(f";{key}={quote_string(value)}" for key, value in wishes.items() if value)


def _conference(call: Call, floor: Floor) -> str:
    """Return which room it is, and what its owner wants of those who come.

    A room is its owner's, whoever forwards there: nobody gets past the PIN by a forward of his own.
    """
    name = call.uri.name.removeprefix(_ROOM)
    owner = _owner(call, name, floor)
    if owner is None:
        return f";room={quote_string(name)}"
    preferences = call.platform.preferences_of(owner)
    wishes = {
        "roompin": preferences.text("conference_pin"),
        "max_participants": preferences.text("conference_max_participants"),
        **_sounds(call, owner),
    }
    return f";room={quote_string(f'{name}@{owner.uuid}')}{_told(wishes)}"


def _owner(call: Call, name: str, floor: Floor) -> Subscriber | None:
    """Return whose room it is: of the subscriber of that name or number, else of who forwards there."""
    forwarder = call.diversions[-1].subscriber if call.diversions else call.caller.subscriber
    domain = forwarder.domain if forwarder else call.caller.realm
    return floor.directory.called(Uri("sip", name, domain)) or forwarder
