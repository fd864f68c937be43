"""The registrar (RFC 3261 §10.3): which contacts an address-of-record is bound to.

A REGISTER is planned, stored by whoever owns the database, and only then committed to memory, so that
memory never promises what a restart would forget.
"""

from binascii import crc32
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final, NamedTuple

from ..errors import InvalidUri, SipError
from ..syntax.fields import NameAddr
from ..syntax.message import Request
from ..syntax.uri import Uri

#: What a malformed Expires means (§20.19); intervals from here on are never too brief (§10.3 step 7).
MALFORMED_EXPIRES: Final = 3600
#: Parts of the registrar's memory: whoever visits all bindings visits one part at a time, and nobody waits.
SHARDS: Final = 1024
#: Characters of a Contact URI that the location table holds.
MAX_CONTACT: Final = 512


class AddressOfRecord(NamedTuple):
    """Whom a registration is for; both parts as provisioned."""

    username: str
    domain: str

    def __str__(self) -> str:
        return f"{self.username}@{self.domain}"


class IntervalTooBrief(SipError):
    """A binding is wanted for less time than the registrar grants (§21.4.17)."""

    status = 423
    reason = "Interval Too Brief"

    def __init__(self, asked: int, least: int) -> None:
        super().__init__(f"{asked} seconds asked, {least} is the least")
        self.headers = (("Min-Expires", str(least)),)


class TooManyContacts(SipError):
    """An address-of-record would get more bindings than allowed."""

    status = 403
    reason = "Too Many Registered Contacts"


class BadContact(SipError):
    """A Contact that a REGISTER may not carry (§10.3 step 6)."""

    reason = "Bad Contact Header"


class OutOfOrder(SipError):
    """A request that is older than the binding it would change (§10.3 step 7)."""

    status = 500
    reason = "Out Of Order"


@dataclass(frozen=True, slots=True)
class Rules:
    """What the registrar grants, times in seconds."""

    default_expires: int = 3600
    min_expires: int = 60
    max_expires: int = 43200
    max_contacts: int = 5


@dataclass(slots=True, unsafe_hash=True)
class Source:
    """How a REGISTER reached us: what later requests to the contact need."""

    path: str | None = None
    """The Path value of our own edge (RFC 3327)."""
    received: str | None = None
    """The real source address as a SIP URI."""
    socket: str | None = None
    """Our own address that was reached, as `transport:address:port`."""
    is_behind_nat: bool = False
    """Whether the edge saw that the phone is somewhere else than it says."""


#: Shared by all that came another way than through the edge.
NOWHERE: Final = Source()


@dataclass(slots=True)
class Binding:
    """One contact of an address-of-record; not to be changed, only replaced."""

    ruid: str
    aor: AddressOfRecord
    contact: str
    expires_at: float
    """Unix time."""
    call_id: str
    cseq: int
    q: float = 1.0
    source: Source = NOWHERE
    user_agent: str = ""
    instance: str | None = None
    """`+sip.instance` (RFC 5626 §4.1), without its quotes."""
    reg_id: int = 0


@dataclass(frozen=True, slots=True)
class Update:
    """What one REGISTER changes; nothing where it only asked."""

    aor: AddressOfRecord
    saved: Sequence[Binding] = ()
    removed: Sequence[Binding] = ()


class Registrar:
    """All bindings of a node, in memory."""

    def __init__(self, rules: Rules, ids: Callable[[], str]) -> None:
        self._rules = rules
        self._ids = ids
        self._shards: list[dict[AddressOfRecord, tuple[Binding, ...]]] = [{} for _ in range(SHARDS)]
        self._count = 0

    def load(self, bindings: Iterable[Binding]) -> None:
        """Take bindings as they are, as at a start."""
        for binding in bindings:
            shard = self._shard(binding.aor)
            known = shard.get(binding.aor)
            shard[binding.aor] = (binding,) if known is None else (*known, binding)
            self._count += 1

    def __iter__(self) -> Iterator[Binding]:
        return (binding for number in range(SHARDS) for binding in self.in_shard(number))

    def __len__(self) -> int:
        return self._count

    def in_shard(self, number: int) -> list[Binding]:
        """Return the bindings of one shard, expired ones included; there are `SHARDS`."""
        return [binding for bindings in self._shards[number].values() for binding in bindings]

    def _shard(self, aor: AddressOfRecord) -> dict[AddressOfRecord, tuple[Binding, ...]]:
        return self._shards[crc32(aor.username.encode("utf-8", "surrogateescape")) % SHARDS]

    def bindings(self, aor: AddressOfRecord, now: float) -> list[Binding]:
        """Return the current bindings of `aor`, the best first."""
        current = [b for b in self._shard(aor).get(aor, ()) if b.expires_at > now]
        if len(current) > 1:
            current.sort(key=lambda binding: (-binding.q, -binding.expires_at))
        return current

    def plan(self, aor: AddressOfRecord, request: Request, source: Source, now: float) -> Update:
        """Work out what an authorised REGISTER changes (§10.3 steps 6 and 7), or raise `SipError`."""
        known = self.bindings(aor, now)
        return _Planner(aor, known, request, source, now).plan(self._rules, self._ids)

    def commit(self, update: Update) -> None:
        """Make a plan true."""
        shard = self._shard(update.aor)
        before = shard.get(update.aor, ())
        known = {binding.ruid: binding for binding in before}
        for binding in update.removed:
            known.pop(binding.ruid, None)
        for binding in update.saved:
            known[binding.ruid] = binding
        self._count += len(known) - len(before)
        if known:
            shard[update.aor] = tuple(known.values())
        elif before:
            del shard[update.aor]

    def expire(self, now: float, numbers: Iterable[int] = range(SHARDS)) -> list[Binding]:
        """Forget the bindings, of all shards or of some, whose time is over, and return them."""
        over = [
            binding for number in numbers for binding in self.in_shard(number) if binding.expires_at <= now
        ]
        for binding in over:
            self.commit(Update(binding.aor, removed=[binding]))
        return over

    def contacts(self, aor: AddressOfRecord, now: float) -> list[str]:
        """Return the Contact values that a 200 to REGISTER lists (§10.3 step 8)."""
        return [_write(binding, now) for binding in self.bindings(aor, now)]


@dataclass(slots=True)
class _Planner:
    """One REGISTER against the bindings it found."""

    aor: AddressOfRecord
    known: Sequence[Binding]
    request: Request
    source: Source
    now: float

    def plan(self, rules: Rules, ids: Callable[[], str]) -> Update:
        contacts = self.request.all("contact")
        if "*" in contacts:
            return self._remove_all(contacts)
        saved: list[Binding] = []
        removed: list[Binding] = []
        for text in contacts:
            contact = NameAddr.parse(text)
            meant = self._meant(contact, check_contact(contact.address))
            expires = _grant(contact.params.get("expires") or self.request.get("expires"), rules)
            if expires == 0:
                removed += meant
            else:
                saved.append(self._bind(contact, meant[0].ruid if meant else ids(), expires))
                removed += meant[1:]
        staying = {binding.ruid for binding in self.known} - {binding.ruid for binding in removed}
        if saved and len(staying | {binding.ruid for binding in saved}) > rules.max_contacts:
            raise TooManyContacts(f"{self.aor} may have {rules.max_contacts} contacts")
        return Update(self.aor, saved, removed)

    def _remove_all(self, contacts: list[str]) -> Update:
        if len(contacts) > 1 or self.request.get("expires") != "0":
            raise BadContact("Contact: * goes alone and with Expires: 0")
        for binding in self.known:
            _check_order(binding, self.request)
        return Update(self.aor, removed=self.known)

    def _meant(self, contact: NameAddr, uri: Uri) -> list[Binding]:
        """Return the bindings that `contact` refreshes: same URI, or same device and flow (RFC 5626 §6)."""
        device = _device(contact)
        meant = [
            binding
            for binding in self.known
            if (device[1] and device == (binding.instance, binding.reg_id))
            or contact.address == binding.contact
            or uri.is_equivalent(Uri.parse(binding.contact))
        ]
        for binding in meant:
            _check_order(binding, self.request)
        return meant

    def _bind(self, contact: NameAddr, ruid: str, expires: int) -> Binding:
        instance, reg_id = _device(contact)
        return Binding(
            ruid=ruid,
            aor=self.known[0].aor if self.known else self.aor,  # one object is enough for all times
            contact=contact.address,
            expires_at=self.now + expires,
            call_id=self.request.call_id,
            cseq=self.request.cseq.number,
            q=_read_q(contact.params.get("q")),
            source=self.source,
            user_agent=self.request.get("user-agent") or "",
            instance=instance,
            reg_id=reg_id,
        )


def check_contact(address: str) -> Uri:
    """Read a Contact URI; one that no call could be routed to is a `BadContact`."""
    try:
        uri = Uri.parse(address)
    except InvalidUri as error:
        raise BadContact(str(error)) from error
    if uri.scheme not in ("sip", "sips") or len(address) > MAX_CONTACT:
        raise BadContact(f"cannot route to contact {address[:100]!r}")
    return uri


def _device(contact: NameAddr) -> tuple[str | None, int]:
    """Return `+sip.instance` and `reg-id`; without an instance there is no device to recognise."""
    instance = (contact.params.get("+sip.instance") or "").strip('"') or None
    reg_id = contact.params.get("reg-id") or "0"
    is_number = reg_id.isascii() and reg_id.isdigit() and len(reg_id) < 11  # §4.2 of RFC 5626: below 2**31
    return instance, int(reg_id) if instance and is_number else 0


def _grant(text: str | None, rules: Rules) -> int:
    """Return the seconds granted for an asked interval, 0 for a removal (§10.3 step 7)."""
    if text is None:
        return rules.default_expires
    asked = int(text) if text.isascii() and text.isdigit() and len(text) < 11 else MALFORMED_EXPIRES
    if 0 < asked < min(rules.min_expires, MALFORMED_EXPIRES):
        raise IntervalTooBrief(asked, rules.min_expires)
    return min(asked, rules.max_expires)


def _check_order(binding: Binding, request: Request) -> None:
    if binding.call_id == request.call_id and request.cseq.number < binding.cseq:
        raise OutOfOrder(f"CSeq {request.cseq.number} came after {binding.cseq}")


def _read_q(text: str | None) -> float:
    try:
        q = float(text) if text else 1.0
    except ValueError:
        return 1.0
    return q if 0.0 <= q <= 1.0 else 1.0


def _write(binding: Binding, now: float) -> str:
    q = f";q={binding.q:g}" if binding.q < 1.0 else ""
    instance = f';+sip.instance="{binding.instance}"' if binding.instance else ""
    reg_id = f";reg-id={binding.reg_id}" if binding.reg_id else ""
    expires = max(1, round(binding.expires_at - now))
    return f"<{binding.contact}>{q};expires={expires}{instance}{reg_id}"
