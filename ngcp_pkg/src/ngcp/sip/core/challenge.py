"""A challenge to us, answered with a secret (RFC 3261 §22.2, RFC 7616, RFC 8760)."""

from dataclasses import dataclass, field
from typing import Final

from ..syntax.fields import parse_auth, quote_string
from ..syntax.message import Request, Response
from .digest import ALGORITHMS, Credentials, ha1_of, response_of

_HEADERS: Final = {
    401: ("www-authenticate", "Authorization"),
    407: ("proxy-authenticate", "Proxy-Authorization"),
}
#: Answers that are challenges.
CHALLENGES: Final = frozenset(_HEADERS)


@dataclass(frozen=True, slots=True)
class Secret:
    """Who we are to somebody."""

    username: str
    password: str = field(repr=False)
    realm: str = ""
    """Whose challenges are answered; empty: anybody's."""


def respond(response: Response, request: Request, secret: Secret, cnonce: str) -> tuple[str, str] | None:
    """Return the header by which `request` answers the first challenge of `response` that we can, or None."""
    asks, answers = _HEADERS[response.status]
    for value in response.all(asks):
        scheme, params = parse_auth(value)
        realm, nonce = params.get("realm"), params.get("nonce")
        algorithm = ALGORITHMS.get(params.get("algorithm", "MD5").upper())
        if scheme != "digest" or not realm or not nonce or algorithm is None:
            continue
        if secret.realm not in ("", realm):
            continue
        qop = _qop(params.get("qop"))
        if qop is None and "qop" in params:
            continue
        made = Credentials(secret.username, realm, nonce, request.uri, "", qop, "00000001", cnonce, algorithm)
        ha1 = ha1_of(algorithm, secret.username, realm, secret.password)
        made.response = response_of(made, request.method, ha1)
        return answers, _write(made, params.get("opaque"))
    return None


def _qop(offered: str | None) -> str | None:
    words = [] if offered is None else [word.strip().lower() for word in offered.split(",")]
    return "auth" if "auth" in words else None


def _write(made: Credentials, opaque: str | None) -> str:
    parts = [
        f"username={quote_string(made.username)}",
        f"realm={quote_string(made.realm)}",
        f"nonce={quote_string(made.nonce)}",
        f"uri={quote_string(made.uri)}",
        f'response="{made.response}"',
        f"algorithm={made.algorithm.name}",
    ]
    if made.qop is not None:
        parts += (f"qop={made.qop}", f"nc={made.nc}", f'cnonce="{made.cnonce}"')
    if opaque is not None:
        parts.append(f"opaque={quote_string(opaque)}")
    return f"Digest {', '.join(parts)}"
