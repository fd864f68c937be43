"""Commands that operators and the REST API send to the proxy: `ul.*` (platform names) and `stats`."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Final

from ngcp.provisioning.runtime import DatabaseUnavailable
from ngcp.service.commands import CommandError, CommandTable, Json
from ngcp.service.statistics import Statistics, add_statistics
from ngcp.sip.core.registrar import AddressOfRecord, Binding, Source, Update, check_contact
from ngcp.sip.errors import SipError
from ngcp.sip.syntax import NameAddr
from ngcp.sip.syntax.fields import split_list

from .batches import settled
from .core import ProxyCore
from .locations import Locations

#: The table name that the platform's callers pass.
TABLE: Final = "location"
#: Unix time at which a permanent registration ends (2106, the largest of 32 bits).
NEVER: Final = 2**32 - 1


def make_commands(
    core: ProxyCore, locations: Locations, unix: Callable[[], float], ids: Callable[[], str]
) -> CommandTable:
    """Return the table of the proxy's commands."""
    table = CommandTable("kamailio-proxy")
    registrations = Registrations(locations, unix, ids)
    add_statistics(table, lambda: statistics(core))
    table.add("ul.dump", registrations.dump, "every registration")
    table.add("ul.lookup", registrations.lookup, "TABLE AOR: the registrations of one subscriber")
    table.add("ul.add", registrations.add, "TABLE AOR CONTACT EXPIRES Q PATH …: register a contact")
    table.add("ul.rm", registrations.remove, "TABLE AOR: forget all contacts of a subscriber")
    table.add("ul.rm_contact", registrations.remove_contact, "TABLE AOR CONTACT: forget one contact")
    table.add("directory.drop", partial(_drop, core), "NAME …: user@domain, domain or * has changed")
    return table


def _drop(core: ProxyCore, *names: str) -> int:
    """Have the directory forget; return how many names that were."""
    for name in names:
        core.directory.drop(name)
    return len(names)


def statistics(core: ProxyCore) -> Statistics:
    """Return counters by name, and what is alive now."""
    alive: Statistics = {"transactions": core.transactions, "registrations": core.registrations}
    return alive | dict(sorted(core.counters.items()))


@dataclass(frozen=True, slots=True)
class Registrations:
    """The registrations as an operator handles them."""

    locations: Locations
    unix: Callable[[], float]
    ids: Callable[[], str]

    def dump(self) -> list[Json]:
        """Return the current registrations, ordered by address-of-record."""
        aors = sorted({binding.aor for binding in self.locations.registrar})
        return [row for aor in aors for row in self._rows(aor)]

    def lookup(self, table: str, aor: str) -> list[Json]:
        """Return those of one address-of-record, or fail with 404."""
        rows = self._rows(_read_aor(table, aor))
        if not rows:
            raise CommandError(404, f"{aor} is not registered")
        return rows

    async def add(
        self, table: str, aor: str, contact: str, expires: int, q: float = 1.0, path: str = "", *_: Json
    ) -> str:
        """Register `contact` for `expires` seconds, 0 for ever; flags, methods and socket are not used."""
        address = _read_aor(table, aor)
        _check(contact, path)
        now = self.unix()
        known = self._find(address, contact)
        binding = Binding(
            ruid=known.ruid if known else self.ids(),
            aor=address,
            contact=contact,
            expires_at=now + expires if expires else NEVER,
            call_id=known.call_id if known else self.ids(),
            cseq=known.cseq if known else 1,
            q=float(q),
            source=Source(path or (known.source.path if known else None)),
            user_agent="ngcp-api",
        )
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

    def _find(self, aor: AddressOfRecord, contact: str) -> Binding | None:
        bindings = self.locations.registrar.bindings(aor, self.unix())
        return next((binding for binding in bindings if binding.contact == contact), None)

    def _rows(self, aor: AddressOfRecord) -> list[Json]:
        now = self.unix()
        return [_row(binding, now) for binding in self.locations.registrar.bindings(aor, now)]

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


def _row(binding: Binding, now: float) -> Json:
    return {
        "aor": str(binding.aor),
        "contact": binding.contact,
        "expires": round(binding.expires_at - now),
        "q": binding.q,
        "call_id": binding.call_id,
        "cseq": binding.cseq,
        "user_agent": binding.user_agent,
        "received": binding.source.received or "",
        "path": binding.source.path or "",
        "instance": binding.instance or "",
        "reg_id": binding.reg_id,
        "ruid": binding.ruid,
    }
