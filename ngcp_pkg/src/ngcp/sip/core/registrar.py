"""The registrar's memory (RFC 3261 §10.3): which contacts an address-of-record is bound to.

A REGISTER is planned, stored by whoever owns the database, and only then committed to memory, so that
memory never promises what a restart would forget.
"""

from binascii import crc32
from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from typing import Final

from ..syntax.message import Request
from .bindings import AddressOfRecord, Binding, Rules, Source, Update
from .registration import Planner

#: Parts of the registrar's memory: whoever visits all bindings visits one part at a time, and nobody waits.
SHARDS: Final = 1024


class Registrar:
    """All bindings of a node, in memory."""

    def __init__(self, rules: Rules, ids: Callable[[], str]) -> None:
        self._rules = rules
        self._ids = ids
        self._shards: list[dict[AddressOfRecord, tuple[Binding, ...]]] = [{} for _ in range(SHARDS)]
        self._count = 0

    def load(self, bindings: Iterable[Binding]) -> None:
        """Take bindings as they are, as at a start."""
        for binding in bindings:
            shard = self._shard(binding.aor)
            known = shard.get(binding.aor)
            shard[binding.aor] = (binding,) if known is None else (*known, binding)
            self._count += 1

    def __iter__(self) -> Iterator[Binding]:
        return (binding for number in range(SHARDS) for binding in self.in_shard(number))

    def __len__(self) -> int:
        return self._count

    @property
    def users(self) -> int:
        """Addresses-of-record that have bindings, expired ones included."""
        return sum(map(len, self._shards))

    def in_shard(self, number: int) -> list[Binding]:
        """Return the bindings of one shard, expired ones included; there are `SHARDS`."""
        return [binding for bindings in self._shards[number].values() for binding in bindings]

    def _shard(self, aor: AddressOfRecord) -> dict[AddressOfRecord, tuple[Binding, ...]]:
        return self._shards[crc32(aor.username.encode("utf-8", "surrogateescape")) % SHARDS]

    def bindings(self, aor: AddressOfRecord, now: float) -> list[Binding]:
        """Return the current bindings of `aor`, the best first."""
        current = [b for b in self._shard(aor).get(aor, ()) if b.expires_at > now]
        if len(current) > 1:
            current.sort(key=lambda binding: (-binding.q, -binding.expires_at))
        return current

    def plan(self, aor: AddressOfRecord, request: Request, source: Source, now: float) -> Update:
        """Work out what an authorised REGISTER changes (§10.3 steps 6 and 7), or raise `SipError`."""
        return Planner(aor, self.bindings(aor, now), request, source, now).plan(self._rules, self._ids)

    def commit(self, update: Update) -> None:
        """Make a plan true."""
        shard = self._shard(update.aor)
        before = shard.get(update.aor, ())
        known = {binding.ruid: binding for binding in before}
        for binding in update.removed:
            known.pop(binding.ruid, None)
        for binding in update.saved:
            known[binding.ruid] = binding
        self._count += len(known) - len(before)
        if known:
            shard[update.aor] = tuple(known.values())
        elif before:
            del shard[update.aor]

    def hold(self, update: Update) -> None:
        """Keep the bindings that `update` would refresh as long as it says; add and remove none.

        For what could not be stored, and is not promised: the phone is there, and can be called meanwhile.
        """
        known = {binding.ruid: binding for binding in self._shard(update.aor).get(update.aor, ())}
        held = [binding for binding in update.saved if binding.ruid in known]
        if update.removed:  # what is to go stays, and nothing may take its URI or flow
            held = [replace(known[binding.ruid], expires_at=binding.expires_at) for binding in held]
        self.commit(Update(update.aor, held))

    def expire(self, now: float, numbers: Iterable[int] = range(SHARDS)) -> list[Binding]:
        """Forget the bindings, of all shards or of some, whose time is over, and return them."""
        over = [
            binding for number in numbers for binding in self.in_shard(number) if binding.expires_at <= now
        ]
        for binding in over:
            self.commit(Update(binding.aor, removed=[binding]))
        return over
