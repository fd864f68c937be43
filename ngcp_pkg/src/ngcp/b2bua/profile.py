"""What the operator lets pass from one leg to the other: the section `profile` of the configuration."""

from dataclasses import dataclass
from typing import Final

from .sessions import SessionFilter

#: Patterns in a list, and characters in one: names of headers are short.
MAX_PATTERNS: Final = 200
MAX_PATTERN: Final = 64

#: What can become of a REFER.
PASS, REFUSE, EXECUTE = "pass", "refuse", "execute"
REFER: Final = (PASS, REFUSE, EXECUTE)

#: What phones and peers say to each other, and what the proxy says to itself through us.
HEADERS: Final = (
    *(
        "Accept",
        "Accept-Contact",
        "Accept-Encoding",
        "Accept-Language",
        "Alert-Info",
        "Allow",
        "Allow-Events",
    ),
    *("Call-Info", "Content-Disposition", "Content-Encoding", "Content-Language", "Content-Type", "Date"),
    *(
        "Diversion",
        "Error-Info",
        "Event",
        "Expires",
        "Geolocation*",
        "History-Info",
        "Identity",
        "Info-Package",
    ),
    *("MIME-Version", "P-Asserted-Identity", "P-Early-Media", "P-Preferred-Identity", "Priority", "Privacy"),
    *("Reason", "Recv-Info", "Refer-Sub", "Referred-By", "Reject-Contact", "Remote-Party-ID"),
    *("Request-Disposition", "Resource-Priority", "Retry-After", "Server", "Subject", "Subscription-State"),
    *("Unsupported", "User-Agent", "User-to-User", "Warning", "WWW-Authenticate", "Proxy-Authenticate"),
    *(
        "P-NGCP-*",
        "P-Caller-UUID",
        "P-Callee-UUID",
        "P-Called-Party-ID",
        "P-D-Uri",
        "P-Out-Socket",
        "P-CF-Depth",
    ),
    *("P-First-Caller-*", "P-From-Peer", "P-Acc-State", "P-HIH-Cause"),
)


@dataclass(frozen=True, slots=True)
class HeaderFilter:
    """Headers by name; `*` stands for any characters."""

    allow: tuple[str, ...] = HEADERS
    """Names that pass; no other does."""
    deny: tuple[str, ...] = ()
    """Of those, names that do not."""

    def __post_init__(self) -> None:
        for pattern in (*self.allow, *self.deny):
            if not pattern or len(pattern) > MAX_PATTERN or pattern.count("*") > 2 or ":" in pattern:
                raise ValueError(f"{pattern!r} is no name of a header with at most two *")
        if max(len(self.allow), len(self.deny)) > MAX_PATTERNS:
            raise ValueError(f"more than {MAX_PATTERNS} patterns")


@dataclass(frozen=True, slots=True)
class Profile:
    """How legs are told apart."""

    headers: HeaderFilter = HeaderFilter()
    """Headers that pass."""
    methods: tuple[str, ...] = ("INFO", "MESSAGE", "NOTIFY", "OPTIONS", "PRACK", "REFER", "UPDATE")
    """Methods that pass within a call, beside INVITE and BYE; others are answered with 405."""
    session: SessionFilter = SessionFilter()  # noqa: RUF009 - frozen
    """Media and codecs that pass."""
    refer: str = "pass"
    """What becomes of a REFER, where the call does not say: `pass` it on, `refuse` it (603), `execute` it."""

    def __post_init__(self) -> None:
        if self.refer not in REFER:
            raise ValueError(f"refer is one of {', '.join(REFER)}, not {self.refer!r}")
