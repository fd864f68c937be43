"""The registrar (RFC 3261 §10.3): which contacts an address-of-record is bound to.

A REGISTER is planned, stored by whoever owns the database, and only then committed to memory, so that
memory never promises what a restart would forget.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Final, NamedTuple

from ..errors import InvalidUri, SipError
from ..syntax.fields import NameAddr
from ..syntax.message import Request
from ..syntax.uri import Uri

#: What a malformed Expires means (§20.19); intervals from here on are never too brief (§10.3 step 7).
MALFORMED_EXPIRES: Final = 3600
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


@dataclass(frozen=True, slots=True)
class Source:
    """How a REGISTER reached us: what later requests to the contact need."""

    path: str | None = None
    """The Path value of our own edge (RFC 3327)."""
    received: str | None = None
    """The real source address as a SIP URI."""
    socket: str | None = None
    """Our own address that was reached, as `transport:address:port`."""


@dataclass(frozen=True, slots=True)
class Binding:
    """One contact of an address-of-record."""

    ruid: str
    aor: AddressOfRecord
    contact: str
    expires_at: float
    """Unix time."""
    call_id: str
    cseq: int
    q: float = 1.0
    source: Source = field(default_factory=Source)
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
        self._bindings: dict[AddressOfRecord, dict[str, Binding]] = {}

    def load(self, bindings: Iterable[Binding]) -> None:
        """Take bindings as they are, as at a start."""
        for binding in bindings:
            self._bindings.setdefault(binding.aor, {})[binding.ruid] = binding

    def __iter__(self) -> Iterator[Binding]:
        return (binding for bindings in self._bindings.values() for binding in bindings.values())

    def __len__(self) -> int:
        return sum(map(len, self._bindings.values()))

    def bindings(self, aor: AddressOfRecord, now: float) -> list[Binding]:
        """Return the current bindings of `aor`, the best first."""
        current = [b for b in self._bindings.get(aor, {}).values() if b.expires_at > now]
        return sorted(current, key=lambda binding: (-binding.q, -binding.expires_at))

    def plan(self, aor: AddressOfRecord, request: Request, source: Source, now: float) -> Update:
        """Work out what an authorised REGISTER changes (§10.3 steps 6 and 7), or raise `SipError`."""
        known = self.bindings(aor, now)
        return _Planner(aor, known, request, source, now).plan(self._rules, self._ids)

    def commit(self, update: Update) -> None:
        """Make a plan true."""
        bindings = self._bindings.setdefault(update.aor, {})
        for binding in update.removed:
            bindings.pop(binding.ruid, None)
        bindings.update((binding.ruid, binding) for binding in update.saved)
        if not bindings:
            del self._bindings[update.aor]

    def expire(self, now: float) -> list[Binding]:
        """Forget the bindings whose time is over, and return them."""
        over = [binding for binding in self if binding.expires_at <= now]
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
        contacts = self.request.all("Contact")
        if "*" in contacts:
            return self._remove_all(contacts)
        saved: list[Binding] = []
        removed: list[Binding] = []
        for text in contacts:
            contact = NameAddr.parse(text)
            check_contact(contact.address)
            meant = self._meant(contact)
            expires = _grant(contact.params.get("expires") or self.request.get("Expires"), rules)
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
        if len(contacts) > 1 or self.request.get("Expires") != "0":
            raise BadContact("Contact: * goes alone and with Expires: 0")
        for binding in self.known:
            _check_order(binding, self.request)
        return Update(self.aor, removed=self.known)

    def _meant(self, contact: NameAddr) -> list[Binding]:
        """Return the bindings that `contact` refreshes: same URI, or same device and flow (RFC 5626 §6)."""
        device, uri = _device(contact), contact.uri
        meant = [
            binding
            for binding in self.known
            if (device[1] and device == (binding.instance, binding.reg_id))
            or uri.is_equivalent(Uri.parse(binding.contact))
        ]
        for binding in meant:
            _check_order(binding, self.request)
        return meant

    def _bind(self, contact: NameAddr, ruid: str, expires: int) -> Binding:
        instance, reg_id = _device(contact)
        return Binding(
            ruid=ruid,
            aor=self.aor,
            contact=contact.address,
            expires_at=self.now + expires,
            call_id=self.request.call_id,
            cseq=self.request.cseq.number,
            q=_read_q(contact.params.get("q")),
            source=self.source,
            user_agent=self.request.get("User-Agent") or "",
            instance=instance,
            reg_id=reg_id,
        )


def check_contact(address: str) -> None:
    """Refuse, by `BadContact`, a Contact URI that no call could be routed to."""
    try:
        scheme = Uri.parse(address).scheme
    except InvalidUri as error:
        raise BadContact(str(error)) from error
    if scheme not in ("sip", "sips") or len(address) > MAX_CONTACT:
        raise BadContact(f"cannot route to contact {address[:100]!r}")


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
