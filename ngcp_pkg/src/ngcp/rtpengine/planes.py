"""Which fast planes there are, and which one of them forwards."""

from collections.abc import Callable, Sequence
from typing import Final, Protocol

from .ebpf import EbpfPlane
from .flows import Address, Counters, FastPlane, Flow, Handover
from .module import ModulePlane
from .table import KernelTable

#: What an operator may choose: the fast planes to try, in this order. User space is always behind them.
CHOICES: Final = {
    "auto": ("module", "ebpf"),
    "module": ("module",),
    "ebpf": ("ebpf",),
    "userspace": (),
}


class ClosablePlane(FastPlane, Protocol):
    """A fast plane that holds something of the system's."""

    def close(self) -> None:
        """Let go of it; nothing is forwarded any more."""


def fast_plane(choice: str, table: int, ports: int, userspace: Handover) -> ClosablePlane | None:
    """Return what forwards for `userspace` under this choice: by this table of the module, so many ports."""
    make: dict[str, Callable[[], ClosablePlane]] = {
        "module": lambda: ModulePlane(KernelTable(table), userspace),
        "ebpf": lambda: EbpfPlane(ports),
    }
    planes = [make[name]() for name in CHOICES[choice]]
    return Best(planes) if planes else None


class Best:
    """The first of several fast planes that works (a `ClosablePlane`)."""

    def __init__(self, planes: Sequence[ClosablePlane]) -> None:
        self._planes = planes
        self._chosen = planes[0]
        self._is_idle = True
        self.name = self._chosen.name

    def can(self, flow: Flow) -> bool:
        """Whether the one that forwards is able to forward such a flow."""
        return self._chosen.can(flow)

    def add(self, flow: Flow) -> None:
        """Forward `flow` from now on, or raise `PlaneLost`."""
        self._chosen.add(flow)

    def remove(self, local: Address) -> None:
        """Let all that arrives at `local` come to our socket; nothing is wrong if it does already."""
        self._chosen.remove(local)

    def counters(self, local: Address) -> Counters:
        """Return what was forwarded from `local` since the flow was added."""
        return self._chosen.counters(local)

    def check(self) -> str | None:
        """Return what keeps all of them from working.

        Before another one takes over all flows have to go back to user space: one check says why.
        """
        problems: list[str] = []
        for plane in self._planes:
            problem = plane.check()
            if problem is None:
                return self._choose(plane, problems)
            problems.append(problem)
        self._is_idle = True
        return "; ".join(problems)

    def close(self) -> None:
        """Forward nothing more."""
        for plane in self._planes:
            plane.close()

    def _choose(self, plane: ClosablePlane, problems: list[str]) -> str | None:
        if self._is_idle:
            self._chosen, self._is_idle = plane, False
            self.name = plane.name
        if plane is self._chosen:
            return None
        self._is_idle = True
        return "; ".join([*problems, f"{plane.name} takes over"])
