"""What Prometheus is told of the proxy."""

from typing import Final

from ngcp.service import process
from ngcp.service.metrics import PROCESS, Family, exposition

from .control import statistics
from .core import ProxyCore

PREFIX: Final = "ngcp_proxy"
FAMILIES: Final = (
    Family("requests", f"{PREFIX}_requests_total", "Requests decided.", label="method"),
    Family("replies", f"{PREFIX}_replies_total", "Answers that the proxy gave itself.", label="class"),
    Family("malformed", f"{PREFIX}_malformed_total", "Messages that could not be read."),
    Family("transactions", f"{PREFIX}_transactions", "Transactions alive.", "gauge"),
    Family("registrations", f"{PREFIX}_registrations", "Registered contacts.", "gauge"),
    *PROCESS,
)


def metrics(core: ProxyCore) -> str:
    """Return everything in Prometheus' text format."""
    return exposition(PREFIX, FAMILIES, statistics(core) | process.usage())
