"""SIP, SIPS and tel URIs (RFC 3261 §19.1, RFC 3966): text to value and back."""

import re
from dataclasses import dataclass, field
from typing import Final, Self
from urllib.parse import unquote

from ..errors import InvalidUri
from .usual import Params, read_uri

#: What SIP calls white space (§25.1): Python would strip more, and so lose bytes of values.
LWS: Final = " \t\r\n"

#: SIP-URI and SIPS-URI of §25.1. The user part may hold ";", "?" and "/", so it ends at the "@".
_SIP: Final = re.compile(
    r"(sips?):"
    r"(?:(?P<user>[^@<>\"\s]++)@)?"
    r"(?P<host>\[[0-9A-F:.]++\]|[A-Z0-9_][A-Z0-9_.-]*+(?<!-))"
    r"(?::(?P<port>[0-9]{1,5}))?"
    r"(?P<params>(?:;[^;?<>\"\s@]++)*+)"
    r"(?:\?(?P<headers>[^<>\"\s]*+))?",
    re.IGNORECASE,
)
_OTHER: Final = re.compile(r"([A-Za-z][A-Za-z0-9+.-]*+):([^\s<>\"]++)")

#: Parameters whose presence in one URI only makes two URIs differ (§19.1.4).
_SIGNIFICANT: Final = ("user", "ttl", "method", "maddr", "transport")


def parse_params(text: str) -> Params:
    """Read `;name=value;flag`; names become lower case, the first of equal names counts."""
    params: Params = {}
    for part in text.split(";"):
        if part:
            name, equals, value = part.partition("=")
            params.setdefault(name.strip(LWS).lower(), value.strip(LWS) if equals else None)
    return params


def format_params(params: Params) -> str:
    """Write what `parse_params` reads."""
    return "".join(f";{name}" if value is None else f";{name}={value}" for name, value in params.items())


@dataclass(slots=True)
class Uri:
    """A URI; of other schemes than sip and sips, `host` is the whole scheme-specific part."""

    scheme: str
    user: str | None
    host: str
    port: int | None = None
    params: Params = field(default_factory=dict)
    headers: str | None = None

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read a URI without angle brackets, or raise `InvalidUri`."""
        usual = read_uri(text)
        if usual is not None:
            return cls(*usual)
        match = _SIP.fullmatch(text)
        if match is None:
            return cls._parse_other(text)
        scheme, user, host, port, params, headers = match.groups()
        if port is not None and not 0 < int(port) < 65536:
            raise InvalidUri(text)
        return cls(
            scheme.lower(),
            user,
            host.lower(),
            int(port) if port else None,
            parse_params(params) if params else {},
            headers,
        )

    @classmethod
    def _parse_other(cls, text: str) -> Self:
        match = _OTHER.fullmatch(text)
        if match is None or match[1].lower() in ("sip", "sips"):
            raise InvalidUri(text)
        scheme, rest = match[1].lower(), match[2]
        if scheme != "tel":
            return cls(scheme, None, rest)
        number, _, params = rest.partition(";")
        return cls(scheme, number, "", None, parse_params(params))

    def __str__(self) -> str:
        if self.scheme == "tel":
            return f"tel:{self.user}{format_params(self.params)}"
        user = "" if self.user is None else f"{self.user}@"
        port = "" if self.port is None else f":{self.port}"
        headers = "" if self.headers is None else f"?{self.headers}"
        return f"{self.scheme}:{user}{self.host}{port}{format_params(self.params)}{headers}"

    @property
    def name(self) -> str:
        """The user part as people mean it: unescaped, without password and user parameters."""
        return unquote((self.user or "").partition(":")[0].partition(";")[0])

    @property
    def transport(self) -> str:
        """The transport this URI asks for, in lower case (§19.1.1, RFC 3263 §4.1)."""
        asked = self.params.get("transport")
        if self.scheme == "sips":
            return "tls"
        return asked.lower() if asked else "udp"

    def is_equivalent(self, other: "Uri") -> bool:
        """Compare as §19.1.4 demands: escapes, case and parameter order do not matter."""
        if self.scheme != other.scheme or self.host != other.host or self.port != other.port:
            return False
        if unquote(self.user or "") != unquote(other.user or ""):
            return False
        return self._agrees(other) and (self.headers or "") == (other.headers or "")

    def _agrees(self, other: "Uri") -> bool:
        for name in self.params.keys() | other.params.keys():
            shared = name in self.params and name in other.params
            if not shared and name in _SIGNIFICANT:
                return False
            if shared and (self.params[name] or "").lower() != (other.params[name] or "").lower():
                return False
        return True
