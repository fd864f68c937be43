"""What Prometheus is told of the load-balancer."""

from typing import Final

from ngcp.lb.colleagues import Colleagues
from ngcp.lb.control import statistics
from ngcp.lb.core import LoadBalancer
from ngcp.lb.fanout import total
from ngcp.service import process
from ngcp.service.metrics import PROCESS, Family, exposition

PREFIX: Final = "ngcp_lb"
FAMILIES: Final = (
    Family("received", f"{PREFIX}_received_messages_total", "Messages received.", label="transport"),
    Family("requests", f"{PREFIX}_requests_total", "Requests that could be read.", label="method"),
    Family("responses", f"{PREFIX}_responses_total", "Responses passed on.", label="class"),
    Family("refused", f"{PREFIX}_refused_total", "Requests answered with a refusal.", label="reason"),
    Family("dropped", f"{PREFIX}_dropped_total", "Messages dropped: nobody to answer.", label="reason"),
    Family("sent", f"{PREFIX}_sent_messages_total", "Messages sent, repetitions included."),
    Family("keepalives", f"{PREFIX}_keepalives_total", "Keep-alives that are no SIP."),
    Family("stun", f"{PREFIX}_stun_answers_total", "STUN keep-alives answered."),
    Family("send_failures", f"{PREFIX}_send_failures_total", "Messages that could not be sent."),
    Family("transactions", f"{PREFIX}_transactions", "Transactions alive.", "gauge"),
    Family("open_connections", f"{PREFIX}_connections", "Connections alive.", "gauge", label="transport"),
    Family("connections", f"{PREFIX}_lost_connections_total", "Connections we ended.", label="reason"),
    Family("tls.failed", f"{PREFIX}_failed_tls_handshakes_total", "Failed TLS handshakes.", label="reason"),
    Family("banned", f"{PREFIX}_banned_messages_total", "Messages dropped unread: their source is banned."),
    Family("bans", f"{PREFIX}_bans", "Entries of the tables of bans.", "gauge", label="table"),
    *PROCESS,
)


async def metrics(core: LoadBalancer, colleagues: Colleagues | None = None) -> str:
    """Return everything in Prometheus' text format: with `colleagues`, what all workers have counted.

    What a process uses is told of the main one.
    """
    own = statistics(core)
    counted = own if colleagues is None else await total(own, colleagues)
    return exposition(PREFIX, FAMILIES, counted | process.usage())
