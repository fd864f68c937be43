"""What a scripted phone remembers: requests it sent, messages it repeats, what it does with a call."""

from dataclasses import dataclass, field

from ngcp.sip.syntax import Request, Response
from ngcp.sip.transport.flow import Flow

T1, T2, TIMEOUT = 0.5, 4.0, 32.0
SDP = b"v=0\r\no=- 1 1 IN IP4 192.0.2.1\r\ns=-\r\nc=IN IP4 192.0.2.1\r\nt=0 0\r\nm=audio 4000 RTP/AVP 8\r\n"

#: What a phone does with a call: seconds after the INVITE, and the status it then answers with.
Script = tuple[tuple[float, int], ...]
ANSWERS: Script = ((0.0, 180), (1.0, 200))
RINGS: Script = ((0.0, 180),)
IS_BUSY: Script = ((0.1, 486),)
IS_DEAD: Script = ()


@dataclass(eq=False)
class Repeated:
    """A message that is sent again until it is answered."""

    data: bytes
    flow: Flow
    due: float
    gives_up: float
    longest: float = T2
    interval: float = T1

    def send_again(self, now: float) -> bool:
        """Whether it is to be sent now."""
        if now < self.due or now > self.gives_up:
            return False
        self.interval = min(2 * self.interval, self.longest)
        self.due = now + self.interval
        return True


@dataclass(eq=False)
class Attempt:
    """A request that we sent, and what came back."""

    request: Request
    responses: list[Response] = field(default_factory=list)
    is_timed_out: bool = False

    @property
    def final(self) -> Response | None:
        return next((response for response in self.responses if response.status >= 200), None)

    @property
    def status(self) -> int | None:
        """The final status; 408 if nothing came."""
        if self.final is not None:
            return self.final.status
        return 408 if self.is_timed_out else None

    @property
    def is_over(self) -> bool:
        return self.status is not None
