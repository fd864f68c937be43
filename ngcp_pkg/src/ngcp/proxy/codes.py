"""What service codes look like when they are dialled; their numbers are the operator's to choose.

`*72*NUMBER` sets a service, `#72` or `#72#` ends it.
"""

import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Final, NamedTuple

OVERRIDE: Final = "80"


@dataclass(frozen=True, slots=True)
class ServiceCodes:
    """The digits of each service; empty: nobody is served."""

    clir: str = "31"
    """Hide the own number."""
    block_in_clir: str = "32"
    """Refuse callers who hide theirs."""
    speed_dial: str = "50"
    """Fill a slot: `*50*3NUMBER` for `*3`."""
    reminder: str = "55"
    """A wake-up call: `*55*0630`."""
    cfu: str = "72"
    """Forward all calls."""
    colr: str = "77"
    """Hide the own number from callers."""
    dnd: str = "78"
    """Do not disturb."""
    all: str = "88"
    """`#88#`: end all of them."""
    cfb: str = "90"
    """Forward calls while busy."""
    cft: str = "92"
    """Forward calls that ring too long: `*92*SECONDS*NUMBER`."""
    cfna: str = "93"
    """Forward calls while no phone is registered."""
    forwards: str = "99"
    """`#99#`: end all forwards."""

    def __post_init__(self) -> None:
        used = [code for code in asdict(self).values() if code]
        if not all(code.isascii() and code.isdecimal() for code in used):
            raise ValueError("service_codes are digits, or empty")
        if len(used) != len(set(used)):
            raise ValueError("service_codes are all different")


class Dialled(NamedTuple):
    """A service code."""

    service: str
    """By its name in `ServiceCodes`."""
    is_on: bool
    is_complete: bool = True
    """Whether it says what the service needs, and no more."""
    number: str = ""
    """As dialled."""
    slot: str = ""
    """`*0` to `*9`."""
    seconds: str = ""
    time: str = ""
    """Four digits."""


_NUMBER: Final = r"(?P<number>\+?[0-9]{1,64})"
#: What follows the code of a service that is set; those that are not here need nothing.
_NEEDS: Final[Mapping[str, re.Pattern[str]]] = {
    **dict.fromkeys(("cfu", "cfb", "cfna"), re.compile(_NUMBER)),
    "cft": re.compile(rf"(?P<seconds>[1-9][0-9]{{0,2}})\*{_NUMBER}"),
    "speed_dial": re.compile(rf"(?P<slot>[0-9])\*?{_NUMBER}"),
    "reminder": re.compile(r"(?P<time>(?:[01][0-9]|2[0-3])[0-5][0-9])"),
}
#: What can only be ended.
_OFF_ONLY: Final = frozenset({"all", "forwards"})
_CODE: Final = re.compile(r"(?P<mark>[*#])(?P<code>[0-9]{1,8})(?:[*#](?P<rest>.*))?", re.DOTALL)
_NOTHING: Final = re.compile("")
_SLOT: Final = re.compile("(?P<slot>[0-9])")


@dataclass(frozen=True, slots=True)
class Codes:
    """Reads what was dialled."""

    services: Mapping[str, str]
    """Names of services by their codes."""
    override: re.Pattern[str]
    """`*80*PIN*NUMBER`."""

    @classmethod
    def of(cls, services: ServiceCodes, override: str = OVERRIDE) -> "Codes":
        """Take the codes themselves: digits."""
        return cls(
            {code: name for name, code in asdict(services).items() if code},
            re.compile(rf"\*{re.escape(override)}\*(?P<pin>[0-9]+)\*(?P<number>.+)", re.DOTALL),
        )

    def read(self, dialled: str) -> Dialled | None:
        """Return the service code that was dialled, None if it is none."""
        found = _CODE.fullmatch(dialled)
        service = self.services.get(found["code"]) if found else None
        if found is None or service is None:
            return None
        is_on = found["mark"] == "*"
        needed = _NEEDS.get(service, _NOTHING) if is_on else _NOTHING
        if service == "speed_dial" and not is_on:
            needed = _SLOT
        said = needed.fullmatch((found["rest"] or "").removesuffix("#"))
        if said is None or (is_on and service in _OFF_ONLY):
            return Dialled(service, is_on, is_complete=False)
        details = said.groupdict("")
        slot = details.get("slot")
        return Dialled(
            service,
            is_on,
            number=details.get("number", ""),
            slot=f"*{slot}" if slot else "",
            seconds=details.get("seconds", ""),
            time=details.get("time", ""),
        )


USUAL: Final = Codes.of(ServiceCodes())
