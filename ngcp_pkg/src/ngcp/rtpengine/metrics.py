"""What Prometheus is told of the media relay."""

from typing import Final

from ngcp.service import process
from ngcp.service.metrics import PROCESS, Family, exposition

from .view import View

PREFIX: Final = "ngcp_rtpengine"
FAMILIES: Final = (
    Family("commands", f"{PREFIX}_commands_total", "Commands received, and refused ones.", label="command"),
    Family("calls", f"{PREFIX}_calls", "Calls alive.", "gauge"),
    Family("calls_total", f"{PREFIX}_calls_total", "Calls that began."),
    Family("ended", f"{PREFIX}_ended_calls_total", "Calls that ended.", label="cause"),
    Family("refused", f"{PREFIX}_refused_offers_total", "Offers refused: no ports were left."),
    Family("seconds", f"{PREFIX}_call_seconds_total", "Seconds that the ended calls lasted."),
    Family("packets", f"{PREFIX}_packets_total", "Packets relayed."),
    Family("bytes", f"{PREFIX}_bytes_total", "Bytes in them."),
    Family("errors", f"{PREFIX}_errors_total", "Packets from strangers, or that could not be sent."),
    Family("streams", f"{PREFIX}_ended_streams_total", "Ended streams with a silent side.", label="way"),
    Family("ports", f"{PREFIX}_free_port_pairs", "Pairs of ports that are free.", "gauge", label="address"),
    Family("flows", f"{PREFIX}_flows", "Flows, by who forwards them.", "gauge", label="plane"),
    *PROCESS,
)


def metrics(view: View) -> str:
    """Return everything in Prometheus' text format."""
    return exposition(PREFIX, FAMILIES, view.statistics() | process.usage())
