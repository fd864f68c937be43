"""RTP and RTCP as bytes (RFC 3550), and what they tell; no sockets, no clock."""

from .errors import RtpError
from .header import is_rtcp, is_rtp
from .packet import Packet

__all__ = ["Packet", "RtpError", "is_rtcp", "is_rtp"]
