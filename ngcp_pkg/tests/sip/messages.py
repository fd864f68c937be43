"""Messages and flows as tests need them."""

from itertools import count

from ngcp.sip.syntax import Request
from ngcp.sip.transport import Flow

HERE = ("192.0.2.1", 5060)
ALICE = ("192.0.2.2", 5060)
BOB = ("192.0.2.3", 5060)
CAROL = ("192.0.2.4", 5060)


class Ids:
    """Tokens that a run repeats exactly: `x1`, `x2`, …"""

    def __init__(self, prefix: str = "id") -> None:
        self._prefix = prefix
        self._count = count(1)

    def __call__(self) -> str:
        return f"{self._prefix}{next(self._count)}"


def flow(remote: tuple[str, int] = ALICE, transport: str = "udp") -> Flow:
    return Flow(transport, HERE, remote)


def make_request(
    method: str = "INVITE",
    branch: str = "z9hG4bKa1",
    *extra: str,
    cseq: str | None = None,
    to_tag: str = "",
    sent_by: str = "192.0.2.2:5060",
) -> Request:
    """Build a request as Alice would send it to Bob."""
    parameter = f";branch={branch}" if branch else ""
    lines = [
        f"Via: SIP/2.0/UDP {sent_by}{parameter}",
        "Max-Forwards: 70",
        "From: <sip:alice@example.org>;tag=alice",
        f"To: <sip:bob@example.org>{f';tag={to_tag}' if to_tag else ''}",
        "Call-ID: call-1",
        f"CSeq: {cseq or f'1 {method}'}",
        *extra,
        "Content-Length: 0",
    ]
    return Request(method, "sip:bob@example.org", lines)
