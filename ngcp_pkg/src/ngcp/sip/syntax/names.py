"""Header field names: compact forms, which headers are lists, and default reason phrases."""

from typing import Final

#: Compact forms (RFC 3261 §7.3.3 and the extensions that registered one).
COMPACT: Final = {
    "a": "accept-contact",
    "b": "referred-by",
    "c": "content-type",
    "e": "content-encoding",
    "f": "from",
    "i": "call-id",
    "k": "supported",
    "l": "content-length",
    "m": "contact",
    "o": "event",
    "r": "refer-to",
    "s": "subject",
    "t": "to",
    "u": "allow-events",
    "v": "via",
    "x": "session-expires",
}

#: Headers whose lines may carry several values, separated by commas (§7.3.1).
LISTS: Final = frozenset(
    {
        "accept",
        "accept-encoding",
        "accept-language",
        "allow",
        "allow-events",
        "contact",
        "diversion",
        "history-info",
        "in-reply-to",
        "p-asserted-identity",
        "p-preferred-identity",
        "path",
        "proxy-require",
        "record-route",
        "require",
        "route",
        "service-route",
        "supported",
        "unsupported",
        "via",
        "warning",
    }
)

#: Spellings seen on the wire, so that the usual name costs one look-up.
KNOWN: Final = {
    spelling: name
    for name in (
        *COMPACT.values(),
        *LISTS,
        "authorization",
        "cseq",
        "expires",
        "max-forwards",
        "min-expires",
        "proxy-authenticate",
        "proxy-authorization",
        "server",
        "user-agent",
        "www-authenticate",
    )
    for spelling in (name, name.title(), {"call-id": "Call-ID", "cseq": "CSeq"}.get(name, name.title()))
} | {spelling: name for short, name in COMPACT.items() for spelling in (short, short.upper())}


def canonical(name: str) -> str:
    """Return the one name under which a header is kept: lower case, never compact."""
    known = KNOWN.get(name)
    if known is not None:
        return known
    name = name.lower()
    return COMPACT.get(name, name)


#: Reason phrases of §21 and its extensions; the wire does not depend on them.
PHRASES: Final = {
    100: "Trying",
    180: "Ringing",
    181: "Call Is Being Forwarded",
    183: "Session Progress",
    200: "OK",
    202: "Accepted",
    301: "Moved Permanently",
    302: "Moved Temporarily",
    400: "Bad Request",
    401: "Unauthorized",
    403: "Forbidden",
    404: "Not Found",
    405: "Method Not Allowed",
    407: "Proxy Authentication Required",
    408: "Request Timeout",
    410: "Gone",
    413: "Request Entity Too Large",
    415: "Unsupported Media Type",
    416: "Unsupported URI Scheme",
    420: "Bad Extension",
    421: "Extension Required",
    422: "Session Interval Too Small",
    423: "Interval Too Brief",
    430: "Flow Failed",
    480: "Temporarily Unavailable",
    481: "Call/Transaction Does Not Exist",
    482: "Loop Detected",
    483: "Too Many Hops",
    484: "Address Incomplete",
    486: "Busy Here",
    487: "Request Terminated",
    488: "Not Acceptable Here",
    491: "Request Pending",
    500: "Server Internal Error",
    501: "Not Implemented",
    502: "Bad Gateway",
    503: "Service Unavailable",
    504: "Server Time-out",
    505: "Version Not Supported",
    513: "Message Too Large",
    600: "Busy Everywhere",
    603: "Decline",
    604: "Does Not Exist Anywhere",
    606: "Not Acceptable",
}


def phrase(status: int) -> str:
    """Return the usual reason phrase of a status, or that of its class."""
    return PHRASES.get(status) or PHRASES.get(status // 100 * 100, "Unknown")
