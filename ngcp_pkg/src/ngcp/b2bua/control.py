"""What operators may ask the back-to-back user agent."""

from collections.abc import Callable, Sequence
from itertools import islice
from typing import Final

from ngcp.provisioning.engine import DatabaseUnavailable
from ngcp.service.commands import CommandError, CommandTable, Json
from ngcp.sip.core.challenge import Secret
from ngcp.sip.errors import SipError
from ngcp.voice import control
from ngcp.voice.control import PAGE

from .accounts import PEERING, SUBSCRIBER, Key
from .core import B2bua
from .dial import NAMES, Order
from .enrolment import Enrolment

#: Arguments of `dial_auth_b2b`, in the order that the OSS/BSS has them.
DIAL: Final = "APPLICATION ANNOUNCEMENT CALLER CALLEE CALLER_URI CALLEE_URI REALM USER PASSWORD"


def _order(words: Sequence[str]) -> Order:
    if len(words) != len(DIAL.split()):
        raise CommandError(400, f"dial_auth_b2b takes {DIAL}, not {len(words)} arguments")
    application, _, caller, callee, first, second, *secret = words
    if application not in NAMES:
        raise CommandError(404, f"there is no application {application}, but {' and '.join(NAMES)}")
    realm, user, password = secret
    try:
        return Order.read((caller, callee, first, second), Secret(user, password, realm))
    except SipError as error:
        raise CommandError(400, f"dial_auth_b2b: {error}") from error


def make_commands(core: B2bua, clock: Callable[[], float]) -> CommandTable:
    """Return the table of commands."""
    table = control.make_commands(core, "ngcp-sems", clock)

    def dial(*words: str) -> str:
        if core.is_draining:
            raise CommandError(503, "the daemon is about to stop and takes no new calls")
        call = core.dial(_order(words), clock())
        core.progressed()
        return call

    table.add("dial_auth_b2b", dial, f"{DIAL}: connect two parties; returns the id of the call")
    return table


def add_registrations(table: CommandTable, enrolment: Enrolment, clock: Callable[[], float]) -> None:
    """Offer commands about registrations at peers: a number, and `peering` if it is no subscriber's."""
    registrations = enrolment.registrations

    async def reload(*whatever: Json) -> str:
        try:
            await enrolment.reload()
        except DatabaseUnavailable as error:
            raise CommandError(503, f"the database: {error}") from error
        return "OK"

    def refresh(number: int, *more: Json) -> str:
        return _found(registrations.refresh(_key(number, more), clock()), number)

    def remove(number: int, *more: Json) -> str:
        return _found(registrations.remove(_key(number, more), clock()), number)

    def _found(is_found: bool, number: int) -> str:
        if not is_found:
            raise CommandError(404, f"there is no registration {number}; registrations lists them")
        enrolment.transmit()
        return "OK"

    def listed(first: int = 0, count: int = PAGE) -> list[Json]:
        rows = islice(registrations, max(first, 0), max(first, 0) + max(count, 0))
        return [one.describe() for one in rows]

    prefix, argument = "db_reg_agent", f"NUMBER … [{PEERING}]"
    for name in ("createRegistration", "updateRegistration"):
        table.add(f"{prefix}.{name}", reload, f"{argument}: register what the database says")
    table.add(f"{prefix}.removeRegistration", remove, f"{argument}: unregister, until the database is read")
    table.add(f"{prefix}.refreshRegistration", refresh, f"{argument}: register again, now")
    table.add(f"{prefix}.reload", reload, "register what the database says")
    table.add("registrations", listed, "[FIRST [COUNT]]: the registrations at peers, and how they stand")


def _key(number: int, more: tuple[Json, ...]) -> Key:
    return Key(PEERING if PEERING in more else SUBSCRIBER, number)
