"""Messages, header fields and URIs as bytes and as values (RFC 3261 §7, §19.1, §20, §25)."""

from .fields import CSeq, NameAddr, Via
from .message import Message, Request, Response
from .parser import parse
from .uri import Uri

__all__ = ["CSeq", "Message", "NameAddr", "Request", "Response", "Uri", "Via", "parse"]
