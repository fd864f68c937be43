"""Keep-alive pings along the Path of bindings (RFC 5626 §4.4, platform preference `nat_sipping`).

Everything that a ping is about stands in it and comes back with its answer: the address-of-record in To, the
binding in the branch, under a signature. So nothing is kept of one, and nobody else can end a registration.
"""

import hashlib
import hmac
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final
from urllib.parse import quote

from ngcp.sip.core.bindings import AddressOfRecord, Binding
from ngcp.sip.core.registrar import Registrar
from ngcp.sip.errors import SipError
from ngcp.sip.syntax import Response
from ngcp.sip.transaction.matching import COOKIE
from ngcp.sip.transport import Flow
from ngcp.sip.transport.flow import format_address

from .edge import Edge

#: How the branches of pings begin.
BRANCH: Final = f"{COOKIE}np-"
#: What stays as it is in a user part (§25.1).
_PLAIN: Final = "!*'()&=+$,?/"
#: The edge's answer if the connection to the phone is gone (RFC 5626 §5.3.1).
FLOW_FAILED: Final = 430


@dataclass(frozen=True, slots=True)
class Keepalive:
    """Which phones are pinged, how, and how often."""

    nat_sipping: str = "yes"
    """`yes`: phones behind NAT; `always`: all phones on UDP, too; `no`: none. Subscribers may differ."""
    method: str = "options"
    """`options`: a phone gets OPTIONS and answers; `crlf`: only empty lines, which cost it nothing."""
    interval: float = 30.0
    """Seconds between two pings of a phone."""
    failures: int = 0
    """Pings by OPTIONS in a row without an answer after which a registration ends; 0: never."""

    def __post_init__(self) -> None:
        if self.nat_sipping not in ("yes", "no", "always"):
            raise ValueError(f"nat_sipping is yes, no or always, not {self.nat_sipping!r}")
        if self.method not in ("options", "crlf"):
            raise ValueError(f"method is options or crlf, not {self.method!r}")
        if not 5 <= self.interval <= 3600:
            raise ValueError(f"interval is from 5 to 3600 seconds, not {self.interval:g}")
        if not 0 <= self.failures <= 100:
            raise ValueError(f"failures is from 0 to 100, not {self.failures}")


class Pings:
    """Writes pings and reads their answers."""

    def __init__(self, keepalive: Keepalive, registrar: Registrar, secret: bytes, edge: Edge) -> None:
        """`secret` signs."""
        self._keepalive = keepalive
        self._registrar = registrar
        self.rekey(secret, ())
        self._edge = edge
        self._missing: dict[str, int] = {}
        self._missed: dict[str, int] = {}  # of the last round: who is gone falls out by itself

    def rekey(self, secret: bytes, earlier: Sequence[bytes]) -> None:
        """Sign with another secret from now on; answers to what `earlier` ones signed are heard as well."""
        self._key, *self._earlier = (hashlib.sha256(b"ping " + one).digest() for one in (secret, *earlier))

    def start_round(self) -> None:
        """Begin to ping everybody anew."""
        self._missed, self._missing = self._missing, {}

    def ping(self, binding: Binding, now: float) -> tuple[bytes, Flow] | None:
        """Return the ping that `binding` is due, and its way; None if it wants none. `now` is Unix time."""
        if not self._wants(binding):
            return None
        if self._counts:
            self._missing[binding.ruid] = self._missed.get(binding.ruid, 0) + 1
        aor, flow = binding.aor, self._edge.towards(binding.source.path)
        branch = f"{BRANCH}{binding.ruid}.{binding.cseq}.{_sign(self._key, binding.ruid, binding.cseq, aor)}"
        lines = (
            f"OPTIONS {binding.contact} SIP/2.0",
            f"Via: SIP/2.0/UDP {format_address(flow.local)};branch={branch}",
            f"Route: {binding.source.path}",
            "Max-Forwards: 70",
            f"From: <sip:ping@{aor.domain}>;tag={binding.ruid}",
            f"To: <sip:{quote(aor.username, _PLAIN)}@{aor.domain}>",
            f"Call-ID: {int(now):x}-{binding.ruid}",
            "CSeq: 1 OPTIONS",
            f"P-NGCP-Ping: {self._keepalive.method}",
            "Content-Length: 0",
            "",
            "",
        )
        return "\r\n".join(lines).encode("utf-8", "surrogateescape"), flow

    def is_lost(self, binding: Binding) -> bool:
        """Whether a phone was silent so often that its registration ends."""
        return self._counts and self._missed.get(binding.ruid, 0) >= self._keepalive.failures

    def hear(self, response: Response, now: float) -> Binding | None:
        """Take an answer; return the binding whose connection is gone, None if that is not what it proves."""
        try:
            ruid, cseq, signature = response.via.branch.removeprefix(BRANCH).rsplit(".", 2)
            uri = response.to.uri
            aor = AddressOfRecord(uri.name, uri.host)
            if not self._is_ours(signature.encode(), ruid, int(cseq), aor):
                return None
        except (SipError, ValueError):
            return None
        if response.status != FLOW_FAILED:
            self._missed.pop(ruid, None)
            self._missing.pop(ruid, None)
            return None
        known = self._registrar.bindings(aor, now)
        return next((one for one in known if one.ruid == ruid and one.cseq == int(cseq)), None)

    @property
    def _counts(self) -> bool:
        return self._keepalive.failures > 0 and self._keepalive.method == "options"

    def _wants(self, binding: Binding) -> bool:
        source = binding.source
        wanted = source.pinging or self._keepalive.nat_sipping
        if wanted == "no" or source.path is None:
            return False
        return source.is_behind_nat or (wanted == "always" and _is_udp(source.path))

    def _is_ours(self, signature: bytes, ruid: str, cseq: int, aor: AddressOfRecord) -> bool:
        keys = (self._key, *self._earlier)
        return any(hmac.compare_digest(signature, _sign(key, ruid, cseq, aor).encode()) for key in keys)


def _sign(key: bytes, ruid: str, cseq: int, aor: AddressOfRecord) -> str:
    text = f"{ruid} {cseq} {aor}".encode("utf-8", "surrogateescape")
    return hashlib.blake2s(text, key=key, digest_size=10).hexdigest()


def _is_udp(path: str) -> bool:
    """Whether the edge wrote that the phone came by UDP: it names other transports."""
    return "transport%3D" not in path
