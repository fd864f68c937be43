"""Where messages come from and go to, as values (RFC 3261 §18): flows, stream framing, Via handling."""

from .flow import Flow
from .framing import StreamFramer
from .via import response_flow, stamp_via

__all__ = ["Flow", "StreamFramer", "response_flow", "stamp_via"]
