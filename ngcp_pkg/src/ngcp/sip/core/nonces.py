"""Nonces of digest challenges, and which of their counts are used up (RFC 7616 §3.3, §3.4).

A nonce is the time at which it was made and a random part, signed together with the realm: a challenge costs
no memory. What an answer uses up is its count (`nc`). The counts that were used are remembered until their
nonce is too old, a bounded number of them: a nonce whose counts may have been forgotten is stale.
"""

import hashlib
import hmac
from collections.abc import Callable, Sequence
from typing import Final

#: Counts that are remembered in each of two generations: 12 MB at most in both.
SIZE: Final = 50_000


class Nonces:
    """Makes nonces, and lets each count of one be used once."""

    def __init__(self, secret: bytes, ids: Callable[[], str], *, lifetime: float, now: float) -> None:
        """`now` is Unix time: what was used up before, nobody knows any more."""
        self.rekey(secret, ())
        self._ids = ids
        self._lifetime = int(lifetime * 1000)
        self._used: dict[int, int] = {}
        self._used_before: dict[int, int] = {}
        self._begun = self._known_since = int(now * 1000)

    def rekey(self, secret: bytes, earlier: Sequence[bytes]) -> None:
        """Sign with another secret from now on; nonces of `earlier` ones are as good as ever."""
        self._key, *self._earlier = (hashlib.sha256(one).digest() for one in (secret, *earlier))

    def __len__(self) -> int:
        return len(self._used) + len(self._used_before)

    def make(self, realm: str, now: float) -> str:
        """Return a new nonce."""
        made = f"{int(now * 1000):x}.{self._ids()}"
        return f"{made}.{_sign(self._key, made, realm)}"

    def use(self, nonce: str, realm: str, use: tuple[str, str], now: float) -> bool:
        """Use up one count of a nonce; False if the nonce is not ours or too old, or the count is used.

        `use` is the count and what names the transaction: the same one may use it again, for it may be
        judged more than once, and be repeated by the hop before us.
        """
        made, _, signature = nonce.rpartition(".")
        if not self._is_ours(made, realm, signature.encode("utf-8", "replace")):
            return False
        clock = int(now * 1000)
        made_at = int(made.partition(".")[0], 16)
        if not max(self._known_since, clock - self._lifetime) <= made_at <= clock:
            return False
        count, transaction = use
        key, user = hash((nonce, count)), hash(transaction)
        known = self._used.get(key, self._used_before.get(key))
        if known is None:
            self._note(key, user, clock)
        return known is None or known == user

    def _note(self, key: int, user: int, clock: int) -> None:
        if len(self._used) >= SIZE or clock - self._begun > self._lifetime:
            self._known_since = self._begun  # what is forgotten now belongs to nonces before that
            self._used_before, self._used, self._begun = self._used, {}, clock
        self._used[key] = user

    def _is_ours(self, made: str, realm: str, signature: bytes) -> bool:
        keys = (self._key, *self._earlier)
        return any(hmac.compare_digest(_sign(key, made, realm).encode(), signature) for key in keys)


def _sign(key: bytes, made: str, realm: str) -> str:
    text = f"{made} {realm}".encode("utf-8", "replace")
    return hashlib.blake2s(text, key=key, digest_size=12).hexdigest()
