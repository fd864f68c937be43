"""The secrets that a node has made for itself: one file each, for root alone.

What daemons sign with is hex digits on the first line; the secrets before it follow, each with the Unix time
until which what they signed is still good (`ngcp.service.credentials` reads that).
"""

import secrets
import string
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from ngcp.tools import files

DIRECTORY: Final = Path("/var/lib/ngcp/secrets")
#: Bytes of a secret; its file holds twice as many hex digits.
SECRET_BYTES: Final = 32
#: Secrets that daemons sign with, and what; each is a credential of one unit (`LoadCredential=secret:…`).
SIGNING: Final[Mapping[str, str]] = {
    "lb": "masked contacts and routes that phones are given (kamailio-lb)",
    "proxy": "routes, digest nonces, GRUUs and pings (kamailio-proxy)",
}
UNITS: Final[Mapping[str, str]] = {"lb": "kamailio-lb", "proxy": "kamailio-proxy"}
#: The first password of the REST API's administrator.
ADMINISTRATOR: Final = "administrator"
#: Read from a console and typed by hand: no characters that look alike (93 bits in 16 of them).
PASSWORD_ALPHABET: Final = "".join(sorted(set(string.ascii_letters + string.digits) - set("0OolI1")))
PASSWORD_LENGTH: Final = 16


@dataclass(frozen=True, slots=True)
class Kept:
    """A signing secret on the disk."""

    current: str
    earlier: tuple[tuple[str, float], ...] = ()
    """Those before it, the latest first, and until when each is good."""

    @classmethod
    def read(cls, path: Path) -> "Kept":
        """Read a file; raises OSError or ValueError."""
        first, *others = path.read_text(encoding="ascii").splitlines()
        bytes.fromhex(first)
        return cls(first, tuple((text, float(until)) for text, until in map(str.split, others)))

    def rotated(self, fresh: str, until: float, now: float) -> "Kept":
        """Return it with another secret; the present one is good until then, as are those before."""
        return Kept(fresh, ((self.current, until), *self.expired(now).earlier))

    def expired(self, now: float) -> "Kept":
        """Return it without the secrets that are no good any more."""
        return Kept(self.current, tuple(one for one in self.earlier if one[1] > now))

    def write(self, path: Path) -> None:
        """Replace a file."""
        lines = [self.current, *(f"{text} {until:.0f}" for text, until in self.earlier)]
        files.write(path, "\n".join(lines).encode() + b"\n", 0o600)


def make_secret() -> bytes:
    """Return a new secret as its file holds it."""
    return secrets.token_hex(SECRET_BYTES).encode()


def make_password() -> bytes:
    """Return a new password."""
    return "".join(secrets.choice(PASSWORD_ALPHABET) for _ in range(PASSWORD_LENGTH)).encode()
