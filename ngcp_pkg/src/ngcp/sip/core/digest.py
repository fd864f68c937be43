"""Digest authentication of requests (RFC 3261 §22, RFC 7616, RFC 8760), with qop auth.

Of the algorithms that we offer, each has a challenge of its own, the strongest first; a phone answers the
first that it knows. What happens to a nonce is said in `nonces.py`.
"""

import hashlib
import hmac
import re
from collections.abc import Callable, Collection
from dataclasses import dataclass
from enum import Enum, auto
from functools import lru_cache
from typing import Final, Protocol, Self

from ..syntax.fields import parse_auth, parse_username, user_in
from ..syntax.message import Request
from .nonces import Nonces

#: Letters, digits, hyphens: names of parameters, and values that need no quotes.
_USUAL: Final = re.compile(r"[A-Za-z0-9_-]+").fullmatch
_REQUIRED: Final = frozenset({"nonce", "uri", "response"})


def _md5(text: str) -> str:
    return hashlib.md5(text.encode("utf-8", "surrogateescape"), usedforsecurity=False).hexdigest()


def _sha256(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8", "surrogateescape")).hexdigest()


@dataclass(frozen=True, eq=False, slots=True)
class Algorithm:
    """How responses are hashed."""

    name: str
    """As in challenges (RFC 7616 §6.1)."""
    hash: Callable[[str], str]
    """Return the digest of a text, in hexadecimal."""


SHA_256: Final = Algorithm("SHA-256", _sha256)
MD5: Final = Algorithm("MD5", _md5)
#: By name, the strongest first.
ALGORITHMS: Final = {algorithm.name: algorithm for algorithm in (SHA_256, MD5)}


class Verdict(Enum):
    """What a response to a challenge is worth."""

    GOOD = auto()
    STALE = auto()
    """The password is right, the nonce is not: the client should try again without asking its user."""
    WRONG = auto()


class Account(Protocol):
    """Whose password it is."""

    @property
    def username(self) -> str:
        """The user name, without its domain."""

    @property
    def ha1(self) -> str:
        """`ha1_of` for MD5, this user name, and its domain as realm."""

    @property
    def password(self) -> str:
        """The password itself."""


@dataclass(slots=True)
class Credentials:
    """The answer to a challenge (§20.7, §20.27); the parameters are unquoted."""

    username: str
    realm: str
    nonce: str
    uri: str
    response: str
    qop: str | None = None
    nc: str = ""
    cnonce: str = ""
    algorithm: Algorithm = MD5

    @classmethod
    def find(cls, request: Request, realm: str) -> Self | None:
        """Return what `request` offers for `realm`, or None; raises `InvalidHeader` for broken syntax.

        What nobody can have been asked for is as good as nothing: another algorithm, auth-int, userhash.
        """
        header = "authorization" if request.method == "REGISTER" else "proxy-authorization"
        for value in request.all(header):
            scheme, params = _read_usual(value) or parse_auth(value)
            algorithm, qop = ALGORITHMS.get(params.get("algorithm", "MD5").upper()), params.get("qop")
            username = parse_username(params)
            if scheme != "digest" or params.get("realm") != realm or algorithm is None or username is None:
                continue
            if qop not in (None, "auth") or params.get("userhash", "").lower() == "true":
                continue
            if params.keys() >= _REQUIRED:
                nonce, uri, response = params["nonce"], params["uri"], params["response"]
                nc, cnonce = params.get("nc", ""), params.get("cnonce", "")
                return cls(username, realm, nonce, uri, response, qop, nc, cnonce, algorithm)
        return None

    @property
    def user(self) -> str:
        """The user name, without its domain."""
        return user_in(self.username, self.realm)


def ha1_of(algorithm: Algorithm, username: str, realm: str, password: str) -> str:
    """Return the hash that stands for a password in one realm (RFC 7616 §3.4.2)."""
    return algorithm.hash(f"{username}:{realm}:{password}")


def response_of(credentials: Credentials, method: str, ha1: str) -> str:
    """Compute the response that proves the knowledge of `ha1` (RFC 7616 §3.4.1)."""
    ha2 = _ha2(credentials.algorithm, method, credentials.uri)
    hashed = credentials.algorithm.hash
    if credentials.qop is None:  # RFC 2069: what clients without qop compute
        return hashed(f"{ha1}:{credentials.nonce}:{ha2}")
    count = f"{credentials.nc}:{credentials.cnonce}:{credentials.qop}"
    return hashed(f"{ha1}:{credentials.nonce}:{count}:{ha2}")


class Authenticator:
    """Makes challenges and judges the answers."""

    def __init__(self, nonces: Nonces, algorithms: Collection[str]) -> None:
        """Offer the `algorithms` of these names, and no other."""
        self._nonces = nonces
        self._algorithms = [algorithm for name, algorithm in ALGORITHMS.items() if name in algorithms]

    def challenges(self, realm: str, now: float, *, stale: bool = False) -> list[str]:
        """Return the values of WWW-Authenticate or Proxy-Authenticate, in order; `now` is Unix time."""
        made = f'Digest realm="{realm}", nonce="{self._nonces.make(realm, now)}", algorithm='
        rest = ', qop="auth", stale=true' if stale else ', qop="auth"'
        return [f"{made}{algorithm.name}{rest}" for algorithm in self._algorithms]

    def judge(self, request: Request, credentials: Credentials, account: Account, now: float) -> Verdict:
        """Judge an answer; a nonce that we did not make, or made for another realm, counts as stale."""
        expected = response_of(credentials, request.method, _ha1(credentials, account))
        if not hmac.compare_digest(
            expected.encode(), credentials.response.lower().encode("utf-8", "replace")
        ):
            return Verdict.WRONG
        if credentials.algorithm not in self._algorithms:
            return Verdict.STALE
        use = credentials.nc, request.via.branch
        is_good = self._nonces.use(credentials.nonce, credentials.realm, use, now)
        return Verdict.GOOD if is_good else Verdict.STALE


def _ha1(credentials: Credentials, account: Account) -> str:
    if credentials.algorithm is MD5 and credentials.username == account.username:
        return account.ha1
    return ha1_of(credentials.algorithm, credentials.username, credentials.realm, account.password)


def _read_usual(text: str) -> tuple[str, dict[str, str]] | None:
    """Read what phones send as `parse_auth` does, at a third of its cost; None for anything unusual."""
    scheme, _, rest = text.partition(" ")
    if "\\" in rest:
        return None
    params: dict[str, str] = {}
    for part in rest.split(","):
        name, _, value = part.partition("=")
        name, value = name.strip(" "), value.strip(" ")
        quoted = value[:1] == '"'
        if value.count('"') != 2 * quoted or (quoted and value[-1] != '"') or not _USUAL(name):
            return None
        if quoted:
            value = value[1:-1]
        elif not value or not _USUAL(value):
            return None
        params.setdefault(name.lower(), value)
    return scheme.lower(), params


@lru_cache(256)
def _ha2(algorithm: Algorithm, method: str, uri: str) -> str:
    """Hash what most phones of a domain have in common."""
    return algorithm.hash(f"{method}:{uri}")
