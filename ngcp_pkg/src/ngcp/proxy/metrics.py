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
    Family("calls", f"{PREFIX}_calls", "Calls alive, ringing or answered.", "gauge"),
    Family("answered", f"{PREFIX}_answered_total", "Calls answered."),
    Family("failed", f"{PREFIX}_failed_total", "Calls that rang and were not answered."),
    Family("expired", f"{PREFIX}_expired_total", "Calls ended because they lasted too long."),
    Family("over_limit", f"{PREFIX}_over_limit_total", "Calls refused to who has too many.", label="place"),
    Family("transactions", f"{PREFIX}_transactions", "Transactions alive.", "gauge"),
    Family("registrations", f"{PREFIX}_registrations", "Registered contacts.", "gauge"),
    *PROCESS,
)


def metrics(core: ProxyCore) -> str:
    """Return everything in Prometheus' text format."""
    return exposition(PREFIX, FAMILIES, statistics(core) | process.usage())
