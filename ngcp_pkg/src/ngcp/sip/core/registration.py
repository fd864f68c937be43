"""One REGISTER against the bindings that it finds (RFC 3261 §10.3 steps 2, 6 and 7; RFC 5626 §6)."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Final

from ..errors import InvalidUri, SipError
from ..syntax.fields import NameAddr
from ..syntax.message import Request
from ..syntax.uri import Uri
from .bindings import AddressOfRecord, Binding, Rules, Source, Update

#: What a malformed Expires means (§20.19); intervals from here on are never too brief (§10.3 step 7).
MALFORMED_EXPIRES: Final = 3600
#: Characters of a Contact URI that the location table holds.
MAX_CONTACT: Final = 512
#: Extensions that the registrar knows: RFC 3327, RFC 5626, RFC 5627.
EXTENSIONS: Final = ("path", "outbound", "gruu")


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


class UnknownExtension(SipError):
    """A REGISTER that requires what we do not know (§10.3 step 2)."""

    status = 420
    reason = "Bad Extension"

    def __init__(self, tags: Iterable[str]) -> None:
        wanted = ", ".join(tags)
        super().__init__(f"required of the registrar: {wanted[:100]}")
        self.headers = (("Unsupported", wanted),)


def options_of(request: Request) -> frozenset[str]:
    """Return the extensions that the phone knows (§20.37), in lower case."""
    return frozenset([tag.lower() for tag in (*request.all("supported"), *request.all("require"))])


@dataclass(slots=True)
class Planner:
    """One REGISTER and the bindings of its address-of-record."""

    aor: AddressOfRecord
    known: Sequence[Binding]
    request: Request
    source: Source
    now: float

    def plan(self, rules: Rules, ids: Callable[[], str]) -> Update:
        """Return what changes, or raise the `SipError` that refuses all of it."""
        unknown = [tag for tag in self.request.all("require") if tag.lower() not in EXTENSIONS]
        if unknown:
            raise UnknownExtension(unknown)
        contacts = self.request.all("contact")
        if "*" in contacts:
            return self._remove_all(contacts)
        staying = {binding.ruid: binding for binding in self.known}
        saved: dict[str, Binding] = {}
        for text in contacts:
            contact = NameAddr.parse(text)
            meant = self._meant(contact, staying.values())
            expires = _grant(contact.params.get("expires") or self.request.get("expires"), rules)
            for binding in meant:
                del staying[binding.ruid]
                saved.pop(binding.ruid, None)
            if expires:
                binding = self._bind(contact, meant[0].ruid if meant else ids(), expires)
                staying[binding.ruid] = saved[binding.ruid] = binding
        if len(staying) > max(rules.max_contacts, len(self.known)):
            raise TooManyContacts(f"{self.aor} may have {rules.max_contacts} contacts")
        if sum(binding.reg_id > 0 for binding in saved.values()) > 1:
            raise BadContact("only one flow can be registered at a time")  # RFC 5626 §6
        removed = [binding for binding in self.known if binding.ruid not in staying]
        return Update(self.aor, list(saved.values()), removed)

    def _remove_all(self, contacts: list[str]) -> Update:
        if len(contacts) > 1 or self.request.get("expires") != "0":
            raise BadContact("Contact: * goes alone and with Expires: 0")
        for binding in self.known:
            _check_order(binding, self.request)
        return Update(self.aor, removed=self.known)

    def _meant(self, contact: NameAddr, among: Iterable[Binding]) -> list[Binding]:
        """Return the bindings that `contact` refreshes: same URI, or same device and flow (RFC 5626 §6)."""
        uri, device = check_contact(contact.address), _device(contact)
        meant = [
            binding
            for binding in among
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
