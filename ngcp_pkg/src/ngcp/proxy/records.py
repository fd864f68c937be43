"""Call records: what the mediator is told of a call, one leg at a time (reference: platform, CDR keys).

An INVITE's record says how the leg ended (200: it was answered then); a BYE's, when the call did.
"""

import json
import time
from collections.abc import Mapping, Sequence
from typing import Final, NamedTuple

from ngcp.ng.bencode import Value
from ngcp.provisioning.acc import AccRow
from ngcp.provisioning.runtime import Name, Preferences
from ngcp.sip.errors import SipError
from ngcp.sip.syntax import Uri

from .call import Call
from .legs import End, Leg

#: Generic purpose parameters of a subscriber or peer.
_GPP: Final = tuple(f"gpp{number}" for number in range(10))
_NO_GPP: Final = [""] * len(_GPP)
#: Headers of the INVITE that a record quotes.
_HEADERS: Final = (
    ("pai", "P-Asserted-Identity"),
    ("ppi", "P-Preferred-Identity"),
    ("div", "Diversion"),
    ("u2u", "User-to-User"),
    ("last_hih", "History-Info"),
)
#: What a stop record says of a call that nobody measured.
SILENT: Final = "{}"
#: What it says of others: the ng protocol's name, and how many of its units make ours.
_MEANS: Final = {
    "avg_score": ("MOS", 10),
    "avg_packetloss": ("packet loss", 1),
    "avg_jitter": ("jitter", 1),
    "avg_rtt": ("round-trip time", 1000),
}
_ENCODE: Final = json.JSONEncoder(ensure_ascii=False, separators=(",", ":")).encode


class LegRecord(NamedTuple):
    """What is known of a leg before it is known how it ends: columns of `kamailio.acc`."""

    src_leg: str
    dst_leg: str
    src_user: str
    src_domain: str
    dst_user: str
    dst_ouser: str
    dst_domain: str


class Ending(NamedTuple):
    """How a request ended."""

    status: int
    reason: str
    unix: float


def describe(call: Call, legs: Sequence[Leg], began: float, counts: Mapping[str, int]) -> list[LegRecord]:
    """Say who called whom on each leg.

    `began` is the Unix time at which the INVITE came; `counts` are the calls counted, this one included.
    """
    return [_describe(call, leg, began, counts) for leg in legs]


def _describe(call: Call, leg: Leg, began: float, counts: Mapping[str, int]) -> LegRecord:
    is_last = leg.is_last
    dialed, reached = _uri(leg.dialed), _reached(leg)
    source = _name(leg.caller, call.request.from_.uri)
    target = _target(call, leg)
    src_leg = _json(
        _side(leg.caller, counts) | {"u": source.user, "d": source.domain} | _origin(call, leg, began)
    )
    dst_leg = _json(
        _side(leg.callee, counts)
        | (_porting(call) if is_last else {})
        | {"u": target.user, "d": target.domain, "u_out": call.uri.name if is_last else target.user}
        | {"dialed": dialed.name, "u_in": reached, "d_in": dialed.host}
        | {"plu": int(leg.callee.peer is not None), "fci": "", "hg_ext_response": ""}
    )
    return LegRecord(src_leg, dst_leg, *source, target.user, dialed.name, target.domain)


def billed_names(call: Call, leg: Leg) -> tuple[Name, Name]:
    """Return whose number calls whose on a leg, as fees know them; without what the record adds."""
    cli, _ = _numbers(call, leg)
    source, target = _name(leg.caller, call.request.from_.uri), _target(call, leg)
    return Name(cli, source.domain), Name(_reached(leg), target.domain)


def _reached(leg: Leg) -> str:
    return _uri(leg.reached).name.removeprefix("+")


def _target(call: Call, leg: Leg) -> Name:
    return _name(leg.callee, call.uri if leg.is_last else _uri(leg.dialed))


def _numbers(call: Call, leg: Leg) -> tuple[str, str]:
    """Return the number that is vouched for, and the one that is shown."""
    identity, from_ = call.identity, call.request.from_.uri
    if leg.kind == "call":
        return identity.npn or from_.name, identity.upn or identity.npn or from_.name
    number = leg.caller.preferences.text("cli") or _name(leg.caller, from_).user  # of who forwards
    return number, number


def _name(end: End, uri: Uri) -> Name:
    return end.subscriber.name if end.subscriber else Name(uri.name, uri.host)


def _origin(call: Call, leg: Leg, began: float) -> dict[str, object]:
    """Return what only the calling side says."""
    request, identity, preferences = call.request, call.identity, leg.caller.preferences
    cli, shown = _numbers(call, leg)
    return {
        "cli": cli,
        "cli_out": shown,
        "clir": int(identity.is_anonymous),
        "pau": preferences.text("peer_auth_user") or "",
        "par": preferences.text("peer_auth_realm") or "",
        "s": leg.kind,
        "ip": request.get("P-NGCP-Src-Ip") or "",
        "t": round(began, 3),
        "cid": request.call_id,
    } | {key: request.get(header) or "" for key, header in _HEADERS}


def _porting(call: Call) -> dict[str, object]:
    """Return what is known of a ported number that was called."""
    ported = call.ported
    if ported is None:
        return {}
    carrier = call.platform.carriers.get(ported.carrier)
    return {"lnp_p": carrier.prefix if carrier else "", "lnp_t": ported.type or ""}


def _side(end: End, counts: Mapping[str, int]) -> dict[str, object]:
    """Return what both ends of a leg say of themselves."""
    subscriber, preferences = end.subscriber, end.preferences
    account = (subscriber.account_id if subscriber else None) or 0
    return {
        "uuid": subscriber.uuid if subscriber else "0",
        "s_id": preferences.text("ext_subscriber_id") or "",
        "c_id": preferences.text("ext_contract_id") or "",
        "a_id": account,
        "lcr": end.peer.id if end.peer else 0,
        "gpp": [preferences.text(name) or "" for name in _GPP] if _has_gpp(preferences) else _NO_GPP,
        "lnp_p": "",
        "lnp_t": "",
        "cc_quota": preferences.text("concurrent_calls_quota") or "",
        "cc_sub": str(counts.get(f"totaluser:{subscriber.uuid}", 0)) if subscriber else "",
        "cc_cust": str(counts.get(f"totalaccount:{account}", 0)) if account else "",
    }


def _has_gpp(preferences: Preferences) -> bool:
    return not all(layer.keys().isdisjoint(_GPP) for layer in preferences.layers)


def _uri(text: str) -> Uri:
    try:
        return Uri.parse(text)
    except SipError:
        return Uri("sip", None, "")


def _json(value: object) -> str:
    return clean(_ENCODE(value))


def start_records(
    call_id: str, tags: tuple[str, str], legs: Sequence[LegRecord], ending: Ending
) -> list[AccRow]:
    """Return an INVITE's records, one a leg: it was answered, or it failed."""
    return [
        _row("INVITE", call_id, tags, ending)._replace(
            **{name: clean(value) for name, value in leg._asdict().items()}, branch_id=str(index)
        )
        for index, leg in enumerate(legs)
    ]


def stop_record(call_id: str, tags: tuple[str, str], ending: Ending) -> AccRow:
    """Return the record of a call's end; `tags` are those of From and To."""
    return _row("BYE", call_id, tags, ending)._replace(dst_leg=SILENT)


def describe_sound(scores: Value) -> str:
    """Return what a stop record says of how a call sounded: the mean of what each source's report says.

    `scores` are of the ng protocol: opinions in tenths, loss in percent, jitter in ms, round trips in µs.
    """
    known = [one for one in scores if isinstance(one, dict)] if isinstance(scores, list) else []
    means = {key: _mean([one.get(name) for one in known], unit) for key, (name, unit) in _MEANS.items()}
    return _ENCODE({"mos": means}) if None not in means.values() else SILENT


def _mean(values: Sequence[Value | None], unit: float) -> float | None:
    numbers = [one for one in values if isinstance(one, int)]
    return round(sum(numbers) / len(numbers) / unit, 2) if numbers else None


def _row(method: str, call_id: str, tags: tuple[str, str], ending: Ending) -> AccRow:
    return AccRow(
        method,
        clean(tags[0]),
        clean(tags[1]),
        clean(call_id),
        str(ending.status),
        clean(ending.reason),
        time.strftime("%Y-%m-%d %H:%M:%S", time.gmtime(ending.unix)),
        f"{ending.unix:.3f}",
    )


def clean(text: str) -> str:
    """Return text that every store takes: bytes off the wire that are no UTF-8 become question marks."""
    return text if text.isascii() else text.encode("utf-8", "replace").decode()
