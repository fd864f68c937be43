"""A fast plane in memory."""

from dataclasses import dataclass, field

from ngcp.rtpengine.flows import Address, Counters, Flow, PlaneLost


@dataclass
class Kernel:
    """A fast plane that forwards nothing, and counts what a test lets pass."""

    name: str = "kernel module"
    flows: dict[Address, Flow] = field(default_factory=dict)
    problem: str | None = None
    breaks: bool = False
    counted: dict[Address, Counters] = field(default_factory=dict)

    def can(self, flow: Flow) -> bool:
        return flow.decrypt is None

    def add(self, flow: Flow) -> None:
        if self.breaks:
            raise PlaneLost("the table is gone")
        self.flows[flow.local] = flow
        self.counted[flow.local] = Counters()

    def remove(self, local: Address) -> None:
        self.flows.pop(local, None)

    def counters(self, local: Address) -> Counters:
        return self.counted[local]

    def check(self) -> str | None:
        return self.problem
