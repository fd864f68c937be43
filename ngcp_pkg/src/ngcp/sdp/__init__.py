"""Session descriptions (RFC 4566): read what offer and answer need, edit by splicing; no sockets or clock."""

from .connection import Connection
from .description import Description, Media
from .errors import SdpError

__all__ = ["Connection", "Description", "Media", "SdpError"]
