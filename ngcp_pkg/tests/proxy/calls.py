"""Calls as the corridor hands them to the ledger, made without it."""

from collections.abc import Mapping, Sequence
from dataclasses import replace

from ngcp.provisioning.runtime import NO_PREFERENCES, Peer, Platform, Preferences, Subscriber
from ngcp.proxy.call import Call, Caller, Diversion, Party
from ngcp.sip.syntax import Request, Response, Uri

#: Preferences as a test writes them.
Set = Mapping[str, int | str]


def layer(values: Set) -> dict[str, tuple[str, ...]]:
    return {name: (str(value),) for name, value in values.items()}


def user(
    name: str, account: int | None = None, reseller: int | None = None, **preferences: int
) -> Subscriber:
    return Subscriber(
        name, name, "example.org", "", "", frozenset(), frozenset(), layer(preferences), {}, account, reseller
    )


def customer(subscriber: Subscriber, **preferences: int) -> Subscriber:
    """Give a subscriber's customer preferences."""
    return replace(subscriber, contract_preferences=layer(preferences))


def peer(number: int, **preferences: int) -> Peer:
    return Peer(number, f"peer{number}", "203.0.113.1", 5060, preferences=Preferences((layer(preferences),)))


def invite(call_id: str = "c1", uri: str = "sip:bob@example.org", caller: str = "alice") -> Request:
    lines = [
        "Via: SIP/2.0/UDP 127.0.0.1:5060;branch=z9hG4bK1",
        "Record-Route: <sip:127.0.0.1:5060;lr>",
        f"From: <sip:{caller}@example.org>;tag=a-{call_id}",
        f"To: <{uri}>",
        f"Call-ID: {call_id}",
        "CSeq: 1 INVITE",
        f"Contact: <sip:{caller}@192.0.2.1>",
        "P-NGCP-Src-Ip: 192.0.2.1",
    ]
    return Request("INVITE", uri, lines)


def call(
    caller: Subscriber | Peer,
    callee: Subscriber | Peer | None,
    *diversions: tuple[str, Subscriber],
    request: Request | None = None,
    platform: Platform | None = None,
) -> Call:
    """Return a call; each diversion is a kind and who forwarded."""
    request, platform = request or invite(), platform or Platform()
    who = Caller("example.org", subscriber=None)
    if isinstance(caller, Subscriber):
        who.subscriber, who.preferences = caller, platform.preferences_of(caller)
    else:
        who.peer, who.preferences = caller, caller.preferences
    forwards = tuple(Diversion(kind, forwarder, request.uri) for kind, forwarder in diversions)
    return Call(
        request,
        0.0,
        platform,
        who,
        Uri.parse(request.uri),
        callee=party(callee, platform),
        diversions=forwards,
    )


def party(who: Subscriber | Peer | None, platform: Platform) -> Party:
    if isinstance(who, Subscriber):
        return Party(platform.preferences_of(who), who)
    return Party(who.preferences if who else NO_PREFERENCES, None, who)


def answer(request: Request, status: int = 200, *, tag: str = "b", extra: Sequence[str] = ()) -> Response:
    response = request.reply(status, to_tag=tag)
    for route in ("<sip:127.0.0.1:5060;lr>", "<sip:127.0.0.1:5062;lr=on;did=1>", "<sip:127.0.0.1:5060;lr>"):
        response.append("Record-Route", route)
    response.append("Contact", "<sip:bob@192.0.2.2>")
    for line in extra:
        name, _, value = line.partition(": ")
        response.append(name, value)
    return response


def bye(request: Request, *, tag: str = "b", by_callee: bool = False) -> Request:
    """Return the BYE of an answered call, as it comes in."""
    caller, callee = request.first("From"), f"{request.first('To')};tag={tag}"
    sender, receiver = (callee, caller) if by_callee else (caller, callee)
    return Request(
        "BYE",
        "sip:x@192.0.2.2",
        [f"From: {sender}", f"To: {receiver}", f"Call-ID: {request.call_id}", "CSeq: 2 BYE"],
    )
