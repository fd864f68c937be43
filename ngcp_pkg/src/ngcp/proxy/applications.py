"""The platform's own places to call: voicebox, conference and the like, and the elements that serve them.

Domains that end in `.local` name them; only a forward or a service number leads there, no stranger's URI.
"""

from dataclasses import dataclass
from typing import Final

from ngcp.sip.errors import SipError
from ngcp.sip.syntax import Uri
from ngcp.sip.transport import Flow
from ngcp.sip.transport.flow import Address

#: How the domain of an application ends.
SUFFIX: Final = ".local"
VOICEBOX: Final = "voicebox.local"
CONFERENCE: Final = "conference.local"
#: Where a caller says himself whose messages he wants to hear.
ACCESS: Final = f"sip:access@{VOICEBOX}"
#: What the app server calls its wake-up calls.
REMINDER: Final = "reminder"
#: Served by the back-to-back user agent.
_B2BUA: Final = frozenset({CONFERENCE, "app.local"})


@dataclass(frozen=True, slots=True)
class Applications:
    """Ways to the elements that serve calls."""

    app_server: Flow
    """To the voicebox."""
    b2bua: Flow
    """To conferences, calling cards and all else."""
    voicemail_number: str
    """What subscribers dial to hear their messages."""
    access_number: str = ""
    """What anybody dials to hear them, who knows a mailbox and its PIN; empty: nothing."""

    @classmethod
    def of(
        cls, own: Address, app_server: Address, b2bua: Address, voicemail_number: str, access_number: str = ""
    ) -> "Applications":
        """Lead from our socket to theirs."""
        return cls(Flow("udp", own, app_server), Flow("udp", own, b2bua), voicemail_number, access_number)

    @property
    def addresses(self) -> tuple[Address, Address]:
        """Where they send from."""
        return self.app_server.remote, self.b2bua.remote

    def serving(self, host: str) -> Flow | None:
        """Return the way to whoever serves the domain `host`; None: nobody does."""
        if host == VOICEBOX:
            return self.app_server
        return self.b2bua if host in _B2BUA else None

    def at(self, text: str) -> Flow | None:
        """Return the way to the element whose address a URI names; None: it is none of them."""
        try:
            uri = Uri.parse(text)
        except SipError:
            return None
        address = uri.host, uri.port or 5060
        return next((flow for flow in (self.app_server, self.b2bua) if flow.remote == address), None)


def is_application(host: str) -> bool:
    """Tell whether a domain is the platform's own."""
    return host.endswith(SUFFIX)
