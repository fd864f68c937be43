"""Registrations that are kept alive at foreign registrars (RFC 3261 §10.2), as a user agent of the core.

What is wanted comes in whole, again and again; REGISTER goes out by the load-balancer. Times are those of the
user agent's clock; `Standing` has those of the wall, for the table.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Final

from ngcp.service.commands import Json
from ngcp.sip.core.agent import UserAgent
from ngcp.sip.core.uac import Outgoing
from ngcp.sip.errors import SipError
from ngcp.sip.syntax import NameAddr, Request, Response, Uri
from ngcp.sip.transaction.timers import Alarm
from ngcp.sip.transport.flow import Flow

from .accounts import Account, Key, Standing

#: Seconds that are asked for, and the most that is believed.
EXPIRES: Final = 3600
LONGEST: Final = 86_400
#: A registration is refreshed after this share of its time, and up to `SPREAD` more of it.
SHARE: Final = 0.75
SPREAD: Final = 0.15
#: RFC 5626 §4.5: seconds before another try, doubled with each failure in a row, at most `SLOWEST`.
BASE: Final = 30.0
SLOWEST: Final = 1800.0
#: Seconds over which a start spreads its registrations: 20 a second, but in ten minutes all.
START_RATE: Final = 20.0
LONGEST_START: Final = 600.0


class Registrations:
    """All of one process."""

    def __init__(
        self, agent: UserAgent, load_balancer: tuple[str, Flow], public: str, wall: Callable[[], float]
    ) -> None:
        """Send by `load_balancer`, its Route and the way to it; be reached at address and port `public`."""
        self.agent = agent
        self.route, self.flow = load_balancer
        self.public = public
        self.wall = wall
        self.changed: set[Key] = set()
        """Whose standing is to be stored, or forgotten if it is no longer in `standings`."""
        self.noticed: Callable[[], None] = lambda: None
        """Called when something is in `changed`."""
        self._wanted: dict[Key, Registration] = {}
        self._leaving: list[Registration] = []

    @property
    def standings(self) -> Mapping[Key, Standing]:
        """How we stand with each that is wanted."""
        return {key: one.standing for key, one in self._wanted.items()}

    def __iter__(self) -> Iterator["Registration"]:
        return iter(list(self._wanted.values()))

    def want(
        self, accounts: Iterable[Account], now: float, stored: Mapping[Key, Standing] | None = None
    ) -> None:
        """Have these registrations and no others; at a start, `stored` says how we stood before."""
        wanted = {account.key: account for account in accounts}
        for key in [*(stored or {}), *self._wanted]:
            if key not in wanted:
                self.remove(key, now)
        spread = 0.0 if stored is None else min(len(wanted) / START_RATE, LONGEST_START)
        for account in wanted.values():
            known = self._wanted.get(account.key)
            if known is not None and known.account.address == account.address:
                known.change(account, now)
                continue
            if known is not None:
                self.remove(account.key, now)
            standing = (stored or {}).get(account.key, Standing())
            self._wanted[account.key] = made = self._revived(account) or Registration(self, account, standing)
            made.note()
            made.start(now, spread * self.agent.draw())

    def remove(self, key: Key, now: float) -> bool:
        """Unregister; tell whether there was such a registration."""
        self.changed.add(key)
        gone = self._wanted.pop(key, None)
        if gone is not None:
            self._leaving.append(gone)
            gone.leave(now)
        self.noticed()
        return gone is not None

    def refresh(self, key: Key, now: float) -> bool:
        """Register now; tell whether there is such a registration."""
        known = self._wanted.get(key)
        if known is not None:
            known.start(now)
        return known is not None

    def left(self, registration: "Registration") -> None:
        """Learn that the registrar was told, or will not listen."""
        self._leaving = [one for one in self._leaving if one is not registration]

    def _revived(self, account: Account) -> "Registration | None":
        """Return the registration that is about to leave from the same address: its order is kept (§10.3)."""
        for one in self._leaving:
            if one.account.key == account.key and one.account.address == account.address:
                self.left(one)
                one.account, one.is_wanted = account, True
                return one
        return None


class Registration:
    """One account, registered or on the way to be."""

    def __init__(self, all_of_them: Registrations, account: Account, standing: Standing) -> None:
        agent = all_of_them.agent
        self.account, self.standing = account, standing
        self.is_wanted = True
        self._all, self._agent = all_of_them, agent
        self._call_id, self._tag = f"{agent.ids()}{agent.ids()}", agent.ids()
        self._number = 0
        self._expires = EXPIRES
        self._failures = 0
        self._outgoing: Outgoing | None = None
        self._is_due = False
        self._alarm: Alarm | None = None

    # What is wanted

    def change(self, account: Account, now: float) -> None:
        """Be known to the registrar as before, but log in otherwise."""
        if account != self.account:
            self.account = account
            self.start(now)

    def start(self, now: float, delay: float = 0.0) -> None:
        """Register after `delay` seconds, whenever it was to be."""
        self._failures = 0
        if delay > 0:
            self._wake_at(now + delay)
        else:
            self._register(now)

    def leave(self, now: float) -> None:
        """Unregister, once, if the registrar may know us."""
        self.is_wanted = False
        self._sleep()
        if self._outgoing is None:
            if self.standing.is_bound(self._all.wall()):
                self._send(0, now)
            else:
                self._all.left(self)

    def note(self) -> None:
        """Let the standing be stored."""
        if self.is_wanted:
            self._all.changed.add(self.account.key)
            self._all.noticed()

    def describe(self) -> dict[str, Json]:
        """Return what operators see of it."""
        account, standing = self.account, self.standing
        return {
            **account.key._asdict(),
            "user": account.name,
            "registrar": str(account.registrar),
            "state": standing.status.name.lower(),
            "seconds": max(round((standing.expiry or 0.0) - self._all.wall()), 0),
            "code": standing.code or 0,
            "reason": standing.reason,
        }

    # What is sent

    def _register(self, now: float) -> None:
        self._sleep()
        if self._outgoing is not None:  # §10.2: one at a time
            self._is_due = True
            return
        self._send(self._expires, now)
        self.standing = self.standing.pending()
        self.note()

    def _send(self, expires: int, now: float) -> None:
        account, agent = self.account, self._agent
        branch = agent.new_branch()
        self._number += 1
        us = f"<sip:{account.name}@{account.domain}>"
        lines = [
            f"Via: {agent.via(branch)}",
            f"Route: {self._all.route}, <sip:{account.next_hop};lr>",
            "Max-Forwards: 70",
            f"From: {us};tag={self._tag}",
            f"To: {us}",
            f"Call-ID: {self._call_id}",
            f"CSeq: {self._number} REGISTER",
            f"Contact: <{account.contact(self._all.public)}>;expires={expires}",
            f"Expires: {expires}",
            "Content-Length: 0",
        ]
        request = Request("REGISTER", str(account.registrar), lines)
        self._outgoing = agent.send(request, self._all.flow, branch, self._heard, now)
        self._outgoing.secret = account.secret

    # What comes of it

    def _heard(self, response: Response, now: float) -> None:
        if self._outgoing is None or not response.is_final:
            return
        self._number = self._outgoing.request.cseq.number  # a challenge was one more
        was_leaving = self._outgoing.request.get("expires") == "0"
        self._outgoing = None
        if not was_leaving:
            self._learn(response, now)
        if not self.is_wanted:
            if was_leaving:
                self._all.left(self)
            else:
                self.leave(now)
        elif was_leaving or self._is_due:
            self._is_due = False
            self._register(now)

    def _learn(self, response: Response, now: float) -> None:
        granted = _granted(response, self.account.contact(self._all.public), self._expires)
        if response.status < 300 and granted > 0:
            self._failures = 0
            self.standing = self.standing.granted(
                self.account.contact(self._all.public), self._all.wall(), granted
            )
            self._wake_at(now + granted * (SHARE + SPREAD * self._agent.draw()))
        else:
            at_least = _seconds(response, "min-expires") if response.status == 423 else 0
            self.standing = self.standing.failed(response.status, response.reason)
            if self._expires < at_least <= LONGEST:  # §10.2.8
                self._expires = at_least
                self._is_due = True
            else:
                self._wake_at(now + self._pause(_seconds(response, "retry-after")))
        self.note()

    def _pause(self, asked: int) -> float:
        """Return the seconds until another try, at least those that the registrar `asked` for."""
        upper = min(SLOWEST, BASE * 2.0 ** min(self._failures, 10))
        self._failures += 1
        return max(upper * (0.5 + 0.5 * self._agent.draw()), min(float(asked), SLOWEST))

    def _wake_at(self, when: float) -> None:
        self._sleep()
        if self.is_wanted:
            self._alarm = self._agent.at(when, self._register)

    def _sleep(self) -> None:
        if self._alarm is not None:
            self._agent.forget(self._alarm)
            self._alarm = None


def _granted(response: Response, contact: str, asked: int) -> int:
    """Return the seconds that a 2xx is good for: of our Contact, else of the whole (§10.2.4)."""
    whole = _seconds(response, "expires", asked)
    ours = Uri.parse(contact)
    values = response.all("contact")
    for value in values:
        try:
            found = NameAddr.parse(value)
            if (found.uri.user, found.uri.host, found.uri.params.get("uuid")) == (
                ours.user,
                ours.host,
                ours.params.get("uuid"),
            ):
                return min(_number(found.params.get("expires"), whole), LONGEST)
        except SipError:
            continue
    return min(whole, LONGEST)


def _seconds(response: Response, header: str, otherwise: int = 0) -> int:
    return _number((response.get(header) or "").partition(";")[0].partition("(")[0].strip(), otherwise)


def _number(text: str | None, otherwise: int) -> int:
    return int(text) if text and text.isascii() and text.isdecimal() and len(text) <= 10 else otherwise
