"""RTP and RTCP as bytes (RFC 3550); no sockets, no clock."""

from .header import is_rtcp, is_rtp

__all__ = ["is_rtcp", "is_rtp"]
