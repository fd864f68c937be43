"""The plane that the core sees: user space always has every flow, a fast plane those that it can take over.

A flow is taken over once both ends of its link are learned and it has somewhere to go; until then, and
whenever the fast plane fails, its packets come to our sockets and are forwarded all the same.
"""

from typing import Final

from .flows import Address, Counters, FastPlane, Flow, Plane, PlaneLost

_NOTHING: Final = Counters()


class Forwarding:
    """Forwards by user space, and by a fast plane where there is one (a `Plane`)."""

    def __init__(self, userspace: Plane, fast: FastPlane | None) -> None:
        self._userspace = userspace
        self._fast = fast
        self._problem: str | None = None
        self._flows: dict[Address, Flow] = {}
        self._taken: set[Address] = set()
        self._past: dict[Address, Counters] = {}
        """What the fast plane had forwarded of flows that changed since."""

    @property
    def status(self) -> str:
        """Who forwards, for the operator."""
        if self._fast is None:
            return "forwarding in user space"
        if self._problem:
            return f"forwarding in user space, {self._fast.name} failed: {self._problem}"
        return f"{len(self._taken)} of {len(self._flows)} flows by {self._fast.name}"

    @property
    def fast_name(self) -> str:
        """What the fast plane is called; empty without one."""
        return self._fast.name if self._fast else ""

    def is_fast(self, local: Address) -> bool:
        """Whether the fast plane forwards what arrives at `local`."""
        return local in self._taken

    def add(self, flow: Flow) -> None:
        """Execute `flow` from now on, in place of the one with the same `local`."""
        self._withdraw(flow.local)
        self._userspace.add(flow)
        self._flows[flow.local] = flow
        self._offer(flow)
        back = self._flows.get(flow.send_from)
        if back is not None:
            self._offer(back)

    def remove(self, local: Address) -> None:
        """Forward nothing more that arrives at `local`, and forget its counters."""
        self._withdraw(local)
        self._past.pop(local, None)
        self._flows.pop(local, None)
        self._userspace.remove(local)

    def counters(self, local: Address) -> Counters:
        """Return what has arrived at `local`, by whichever way it was forwarded."""
        found = _sum(self._userspace.counters(local), self._past.get(local, _NOTHING))
        if self._fast is not None and local in self._taken:
            return _sum(found, self._fast.counters(local))
        return found

    def credit(self, local: Address, counted: Counters) -> None:
        """Add what was counted of a flow before it was ours."""
        self._past[local] = _sum(self._past.get(local, _NOTHING), counted)

    def send(self, local: Address, to: Address, packet: bytes) -> None:
        """Send a packet as it is from the port `local`."""
        self._userspace.send(local, to, packet)

    def inject(self, local: Address, packet: bytes) -> None:
        """Send a packet on the way of what arrives at `local`."""
        self._userspace.inject(local, packet)

    def check(self) -> str | None:
        """Leave the fast plane if it fails, return to it if it works again; return what changed, for the log.

        To be called about once a second.
        """
        if self._fast is None:
            return None
        problem, before = self._fast.check(), self._problem
        if problem == before:
            if not problem:
                self._offer_all()
            return None
        if problem:
            self._leave(problem)
            return f"{self._fast.name} failed, forwarding in user space: {problem}"
        self._problem = None
        self._offer_all()
        return f"{self._fast.name} works again"

    def _offer_all(self) -> None:
        """Let the fast plane take over what it could not before."""
        for local in self._flows.keys() - self._taken:
            self._offer(self._flows[local])

    def _offer(self, flow: Flow) -> None:
        """Let the fast plane take `flow` over if it may and can."""
        fast = self._fast
        if fast is None or self._problem or flow.local in self._taken or not self._is_settled(flow):
            return
        if fast.can(flow):
            try:
                fast.add(flow)
            except PlaneLost as lost:
                self._leave(str(lost))
            else:
                self._taken.add(flow.local)

    def _is_settled(self, flow: Flow) -> bool:
        back = self._flows.get(flow.send_from)
        is_learned = bool(flow.expect_from and back is not None and back.expect_from)
        return is_learned and flow.send_to is not None and flow.process is None

    def _leave(self, problem: str) -> None:
        self._problem = problem
        for local in list(self._taken):
            self._withdraw(local)

    def _withdraw(self, local: Address) -> None:
        """Take a flow back into user space, with what was counted."""
        if self._fast is not None and local in self._taken:
            self._past[local] = _sum(self._past.get(local, _NOTHING), self._fast.counters(local))
            self._fast.remove(local)
            self._taken.remove(local)


def _sum(one: Counters, other: Counters) -> Counters:
    moments = [each.last_packet for each in (one, other) if each.last_packet is not None]
    return Counters(
        one.packets + other.packets,
        one.bytes + other.bytes,
        one.errors + other.errors,
        max(moments, default=None),
    )
