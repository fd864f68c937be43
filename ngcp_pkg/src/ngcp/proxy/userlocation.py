"""Registrations as operators and the REST API handle them: Kamailio's `ul.*`, in its shapes."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from typing import Final

from ngcp.provisioning.location import NAT
from ngcp.provisioning.runtime import DatabaseUnavailable
from ngcp.service.commands import CommandError, CommandTable, Json
from ngcp.sip.core.bindings import AddressOfRecord, Binding, Source, Update
from ngcp.sip.core.registrar import SHARDS
from ngcp.sip.core.registration import check_contact
from ngcp.sip.errors import SipError
from ngcp.sip.syntax import NameAddr
from ngcp.sip.syntax.fields import split_list

from .batches import settled
from .locations import Locations

#: The table name that the platform's callers pass.
TABLE: Final = "location"
#: Unix time at which a permanent registration ends (2106, the largest of 32 bits).
NEVER: Final = 2**32 - 1
#: How Kamailio writes what is not there.
NOT_SET: Final = "[not set]"


@dataclass(frozen=True, slots=True)
class UserLocation:
    """The commands."""

    locations: Locations
    unix: Callable[[], float]
    ids: Callable[[], str]

    def add_to(self, table: CommandTable) -> None:
        """Offer them."""
        table.add("ul.dump", self.dump, "[brief]: every registration; brief: who is registered")
        table.add("ul.lookup", self.lookup, "TABLE AOR: the registrations of one subscriber")
        table.add("ul.add", self.add, "TABLE AOR CONTACT EXPIRES Q PATH FLAGS CFLAGS …: register a contact")
        table.add("ul.rm", self.remove, "TABLE AOR: forget all contacts of a subscriber")
        table.add("ul.rm_contact", self.remove_contact, "TABLE AOR CONTACT: forget one contact")
        table.add("ul.flush", self.flush, "write to the database what is not there yet: nothing, ever")

    def dump(self, what: str = "") -> dict[str, Json]:
        """Return the current registrations, ordered by address-of-record."""
        if what not in ("", "brief"):
            raise CommandError(400, f"expected brief or nothing, not {what}")
        aors = sorted({binding.aor for binding in self.locations.registrar})
        shown = [self._info(aor, is_brief=what == "brief") for aor in aors]
        records: list[Json] = [{"Info": info} for info in shown if info is not None]
        stats: Json = {"Records": len(records), "Max-Slots": SHARDS}
        return {
            "Domains": [
                {"Domain": {"Domain": TABLE, "Size": SHARDS, "AoRs": records, "Stats": stats}},
            ]
        }

    def lookup(self, table: str, aor: str) -> dict[str, Json]:
        """Return those of one address-of-record, or fail with 404."""
        info = self._info(_read_aor(table, aor), is_brief=False)
        if info is None:
            raise CommandError(404, f"{aor} is not registered")
        return info

    async def add(self, table: str, aor: str, contact: str, expires: int, q: float = 1.0, *more: Json) -> str:
        """Register `contact` for `expires` seconds, 0 for ever.

        `more` is path, flags and cflags, and what is not used; cflag 1 means a contact behind NAT.
        """
        given = dict(enumerate(more))
        path, cflags = given.get(0, ""), given.get(2, 0)
        address = _read_aor(table, aor)
        if not isinstance(path, str) or not isinstance(cflags, int):
            raise CommandError(400, f"a path and whole numbers are expected, not {path!r} and {cflags!r}")
        _check(contact, path)
        known = self._find(address, contact)
        source = Source(path or (known.source.path if known else None), is_behind_nat=bool(cflags & NAT))
        binding = Binding(
            ruid=known.ruid if known else self.ids(),
            aor=address,
            contact=contact,
            expires_at=self.unix() + expires if expires else NEVER,
            call_id=known.call_id if known else self.ids(),
            cseq=known.cseq if known else 1,
            q=float(q),
            source=source,
            user_agent="ngcp-api",
        )
        if known is not None:  # what only the phone can tell stays
            binding = replace(binding, instance=known.instance, reg_id=known.reg_id)
        await self._store(Update(address, saved=[binding]))
        return binding.ruid

    async def remove(self, table: str, aor: str) -> int:
        """Forget every contact; return how many there were."""
        address = _read_aor(table, aor)
        bindings = self.locations.registrar.bindings(address, self.unix())
        await self._store(Update(address, removed=bindings))
        return len(bindings)

    async def remove_contact(self, table: str, aor: str, contact: str) -> int:
        """Forget one contact, or fail with 404."""
        address = _read_aor(table, aor)
        binding = self._find(address, contact)
        if binding is None:
            raise CommandError(404, f"{aor} is not registered at {contact}")
        await self._store(Update(address, removed=[binding]))
        return 1

    def flush(self) -> None:
        """Do nothing: no registration is confirmed before it is in the table."""

    def _find(self, aor: AddressOfRecord, contact: str) -> Binding | None:
        bindings = self.locations.registrar.bindings(aor, self.unix())
        return next((binding for binding in bindings if binding.contact == contact), None)

    def _info(self, aor: AddressOfRecord, *, is_brief: bool) -> dict[str, Json] | None:
        """Return an address-of-record with its contacts, None without any."""
        now = self.unix()
        bindings = self.locations.registrar.bindings(aor, now)
        if not bindings:
            return None
        if is_brief:
            return {"AoR": str(aor)}
        return {"AoR": str(aor), "Contacts": [{"Contact": _contact(binding, now)} for binding in bindings]}

    async def _store(self, update: Update) -> None:
        try:
            await settled(partial(self.locations.store, update))
        except DatabaseUnavailable as error:
            raise CommandError(503, str(error)) from error
        except SipError as error:
            raise CommandError(error.status, str(error)) from error


def _read_aor(table: str, aor: str) -> AddressOfRecord:
    username, at, domain = aor.removeprefix("sip:").rpartition("@")
    if table != TABLE or not (username and at and domain):
        raise CommandError(400, f"expected {TABLE} USER@DOMAIN, not {table} {aor}")
    return AddressOfRecord(username, domain.lower())


def _check(contact: str, path: str) -> None:
    """Refuse what could not be written into a request."""
    if not path.isprintable():
        raise CommandError(400, "a path is one line of printable text")
    try:
        check_contact(contact)
        for value in split_list(path) if path else ():
            check_contact(NameAddr.parse(value, "Path").address)
    except SipError as error:
        raise CommandError(error.status, str(error)) from error


def _contact(binding: Binding, now: float) -> Json:
    source = binding.source
    return {
        "Address": binding.contact,
        "Expires": "permanent" if binding.expires_at >= NEVER else round(binding.expires_at - now),
        "Q": binding.q,
        "Call-ID": binding.call_id,
        "CSeq": binding.cseq,
        "User-Agent": binding.user_agent or NOT_SET,
        "Received": source.received or NOT_SET,
        "Path": source.path or NOT_SET,
        "State": "CS_SYNC",
        "Flags": 0,
        "CFlags": NAT if source.is_behind_nat else 0,
        "Socket": source.socket or NOT_SET,
        "Ruid": binding.ruid,
        "Instance": binding.instance or NOT_SET,
        "Reg-Id": binding.reg_id,
    }
