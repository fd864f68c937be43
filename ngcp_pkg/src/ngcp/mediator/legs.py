"""One leg of a call: what its start record says, as columns of a CDR (reference: platform, CDR keys)."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Final, Literal, NamedTuple

from ngcp.provisioning.cdr import Cdr, Party
from ngcp.provisioning.tables import accounting

from .entry import MILLISECOND, Entry, Unusable, split

#: How a call that was not answered ended, by the status of its last response.
STATUSES: Final[Mapping[str, str]] = {
    "200": "ok",
    "404": "offline",
    "408": "timeout",
    "480": "noanswer",
    "486": "busy",
    "487": "cancel",
}
OTHER: Final = "other"
#: Who is none of ours.
NOBODY: Final = "0"
MOST: Final = 2**32 - 1

Closing = Literal["dialog", "session", "maximum"]
Providers = Mapping[str, int]
_LENGTHS: Final[Mapping[str, int]] = {
    column.name: length
    for column in accounting.cdr.columns
    if (length := getattr(column.type, "length", None)) is not None
}


class End(NamedTuple):
    """When a call was over."""

    ms: int
    """Unix time in milliseconds."""
    closed_by: Closing | None = None
    """How that is known, without a stop record."""


@dataclass(frozen=True, slots=True)
class Side:
    """What a record's JSON says of one end of a leg."""

    name: str
    values: Mapping[str, object]

    @classmethod
    def read(cls, name: str, text: str) -> "Side":
        """Read a column; raises Unusable."""
        try:
            values = json.loads(text)
        except ValueError as error:
            raise Unusable(f"{name} is no JSON: {error}") from error
        if not isinstance(values, dict):
            raise Unusable(f"{name} is no JSON object")
        return cls(name, values)

    def text(self, key: str, column: str) -> str:
        """Return a value as text that fits into its column; one that is not there is empty."""
        value = self.values.get(key, "")
        if isinstance(value, bool | dict | list) or value is None:
            raise Unusable(f"{self.name}: {key} is {value!r}")
        text = str(value)
        if not text.isascii():
            text = text.encode("utf-8", "replace").decode()
        return text[: _LENGTHS[column]]

    def needed(self, key: str, column: str) -> str:
        """Return a value that must be there."""
        if key not in self.values:
            raise Unusable(f"{self.name}: {key} is missing")
        return self.text(key, column)

    def number(self, key: str) -> int:
        """Return a row number; 0 where there is none."""
        text = str(self.values.get(key) or 0)
        if not (text.isascii() and text.isdecimal() and len(text) <= 10 and int(text) <= MOST):
            raise Unusable(f"{self.name}: {key} is {self.values[key]!r}")
        return int(text)

    @property
    def uuid(self) -> str:
        """The subscriber's; `NOBODY` for somebody else."""
        return self.text("uuid", "source_user_id") or NOBODY

    @property
    def server(self) -> str:
        """The number of the peering server by which this end is reached; `NOBODY` without one."""
        return self.text("lcr", "source_user_id") or NOBODY


@dataclass(frozen=True, slots=True)
class Leg:
    """A start record that can be understood."""

    entry: Entry
    source: Side
    destination: Side

    @classmethod
    def read(cls, entry: Entry) -> "Leg":
        """Read a start record; raises Unusable."""
        row = entry.row
        return cls(entry, Side.read("src_leg", row.src_leg), Side.read("dst_leg", row.dst_leg))

    def cdr(self, end: End | None, subscribers: Providers, carriers: Providers) -> Cdr:
        """Return the leg as a CDR; `end` is that of an answered call. Raises Unusable."""
        source, destination, entry = self.source, self.destination, self.entry
        start = entry.ms
        base, suffix = split(entry.row.callid)
        kind = source.needed("s", "source_user")
        if kind not in accounting.CALL_TYPES:
            raise Unusable(f"src_leg: s is {kind!r}, no type of call")
        return Cdr(
            _party(source, "source", "cli_out", _provider(source, subscribers, carriers)),
            _party(destination, "destination", "u_out", _provider(destination, subscribers, carriers)),
            source_cli=source.needed("cli", "source_cli"),
            source_clir=source.number("clir") != 0,
            source_ip=source.text("ip", "source_ip"),
            destination_user_dialed=destination.needed("dialed", "destination_user_dialed"),
            destination_user_in=destination.needed("u_in", "destination_user_in"),
            destination_domain_in=destination.needed("d_in", "destination_domain_in"),
            peer_auth_user=source.text("pau", "peer_auth_user"),
            peer_auth_realm=source.text("par", "peer_auth_realm"),
            call_type=kind,
            call_status=STATUSES.get(entry.row.sip_code, OTHER),
            call_code=entry.row.sip_code,
            init_time=self._begun(),
            start_time=seconds(start),
            duration=seconds(max(end.ms - start, 0)) if end else seconds(0),
            call_id=base,
            branch_id=entry.row.branch_id + suffix,
            closed_by=end.closed_by if end else None,
        )

    def _begun(self) -> Decimal:
        """Return when the INVITE came; at the latest when it was answered."""
        began = self.source.values.get("t")
        if isinstance(began, bool) or not isinstance(began, int | float) or not 0 <= began < 10**10:
            raise Unusable(f"src_leg: t is {began!r}")
        return Decimal(repr(began)).quantize(MILLISECOND)


def _provider(side: Side, subscribers: Providers, carriers: Providers) -> int:
    return subscribers.get(side.uuid, 0) if side.uuid != NOBODY else carriers.get(side.server, 0)


def _party(side: Side, prefix: str, out: str, provider: int) -> Party:
    given = side.values.get("gpp", ())
    if not isinstance(given, list | tuple):
        raise Unusable(f"{side.name}: gpp is no list")
    gpp = [str(one)[:255] for one in given[:10]]
    return Party(
        side.uuid,
        provider,
        side.text("s_id", f"{prefix}_external_subscriber_id"),
        side.text("c_id", f"{prefix}_external_contract_id"),
        side.number("a_id"),
        side.needed("u", f"{prefix}_user"),
        side.needed("d", f"{prefix}_domain"),
        side.text("lnp_p", f"{prefix}_lnp_prefix"),
        side.text("lnp_t", f"{prefix}_lnp_type"),
        side.text(out, f"{prefix}_user_out"),
        tuple(gpp + [""] * (10 - len(gpp))),
    )


def seconds(ms: int) -> Decimal:
    """Return milliseconds as seconds, exactly."""
    return Decimal(ms).scaleb(-3)
