"""STUN as bytes (RFC 8489): keep-alives on a SIP port, checks on a media port; no sockets, no clock."""
