"""What values in config.yml may be: one rule for each kind, with the words that say what is allowed."""

import ipaddress
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final

from ngcpcfg.values import Switch, Value


@dataclass(frozen=True, slots=True)
class Rule:
    """The values one key may have."""

    allowed: str
    """Completes the sentence "allowed is …"."""

    accepts: Callable[[Value], bool]


def matches(pattern: str) -> Callable[[Value], bool]:
    """Accept text that `pattern` matches as a whole."""
    return lambda value: isinstance(value, str) and re.fullmatch(pattern, value) is not None


def number(low: int, high: int, what: str = "a whole number") -> Rule:
    """Allow whole numbers from `low` to `high`."""
    return Rule(
        f"{what} from {low} to {high}",
        lambda value: isinstance(value, int) and not isinstance(value, bool) and low <= value <= high,
    )


def one_of(*words: str) -> Rule:
    """Allow these words."""
    return Rule(" or ".join(words), lambda value: isinstance(value, str) and value in words)


def list_of(what: str, read: Callable[[str], object]) -> Rule:
    """Allow lists, empty ones too, of texts that `read` can read."""
    return Rule(
        f"a list of {what}",
        lambda value: isinstance(value, list) and all(_is_readable(one, read) for one in value),
    )


def _is_readable(value: Value, read: Callable[[str], object]) -> bool:
    if not isinstance(value, str):
        return False
    try:
        read(value)
    except (ValueError, re.error):
        return False
    return True


def read_pattern(text: str) -> None:
    """Refuse what `ngcp.lb.agent_patterns` refuses, for its reasons."""
    repetitions, choices = len(re.findall(r"[*+{]", text)), len(re.findall(r"[?|]", text))
    if not 0 < len(text) <= 128 or 7 * (1 + repetitions) + choices > 21:
        raise ValueError(text)
    if re.search(r"\)[*+{]|\(\?|\\[1-9]", text):
        raise ValueError(text)
    re.compile(text)


PORT: Final = number(1, 65535, "a port number")
MEDIA_PORT: Final = number(1024, 65535, "a port number")
EVEN_MEDIA_PORT: Final = Rule(
    "an even port number from 1024 to 65534: RTP uses the even one, RTCP the next",
    lambda value: MEDIA_PORT.accepts(value) and isinstance(value, int) and value % 2 == 0,
)
WORKERS: Final = Rule(
    "a whole number from 1 to 16, or auto",
    lambda value: value == "auto" or number(1, 16).accepts(value),
)
WORKER_PORT: Final = number(1024, 65521, "the first of 15 port numbers,")
TOS: Final = number(0, 255, "the whole TOS byte,")
SECONDS: Final = number(1, 31_536_000, "a number of seconds")
YES_NO: Final = Rule("yes or no", lambda value: isinstance(value, Switch) and value in {"yes", "no"})
TEXT: Final = Rule("one line of text", matches(r"[^\x00-\x1f\x7f]*"))
MAIL: Final = Rule("a mail address such as admin@example.org", matches(r"[^@\s]+@[^@\s]+"))
DIGITS: Final = Rule('1 to 20 digits, in quotes ("80")', matches("[0-9]{1,20}"))
E164: Final = Rule('a number of digits without "+", in quotes, or empty', matches("[0-9]{0,20}"))
DIGESTS: Final = Rule(
    "a list of MD5 or SHA-256 or both",
    lambda value: isinstance(value, list) and value != [] and all(one in ("MD5", "SHA-256") for one in value),
)
PATH: Final = Rule("the full path of a file", matches(r"/[^\x00-\x1f\x7f]+"))
PATH_OR_NONE: Final = Rule("the full path of a file, or empty", matches(r"(/[^\x00-\x1f\x7f]+)?"))
HOST: Final = Rule("a host name or an IP address", matches(r"[A-Za-z0-9.:-]{1,255}"))
USER: Final = Rule("the user part of a SIP address", matches(r"[A-Za-z0-9._+-]{1,64}"))
#: What stands behind each $ of a letter, which the app server fills in.
_VARIABLE: Final = r"\$(?:\$|\{VM_(?:CALLERID|CIDNAME|CIDNUM|DATE|DUR|MAILBOX|MSGNUM|NAME)\})"
_KNOWN: Final = "with no other variables than ${VM_CALLERID} and its like, see asterisk(8)"
LETTER_LINE: Final = Rule(f"one line {_KNOWN}", matches(rf"(?:[^\x00-\x1f\x7f$]|{_VARIABLE})+"))
LETTER: Final = Rule(f"a text {_KNOWN}", matches(rf"(?:[^\x00-\x08\x0b-\x1f\x7f$]|{_VARIABLE})+"))
DAYS: Final = Rule(
    "a list of numbers from 1 (Sunday) to 7 (Saturday)",
    lambda value: isinstance(value, list) and all(one in range(1, 8) for one in value),
)


def is_address(value: Value) -> bool:
    """Whether this is an IP address."""
    try:
        ipaddress.ip_address(value if isinstance(value, str) else "")
    except ValueError:
        return False
    return True


def _is_network(value: Value) -> bool:
    try:
        ipaddress.ip_network(value if isinstance(value, str) else "")
    except ValueError:
        return False
    return True


def _list_of(what: str, accepts: Callable[[Value], bool]) -> Rule:
    return Rule(f"a list of {what}", lambda value: isinstance(value, list) and all(map(accepts, value)))


ADDRESSES: Final = _list_of("IP addresses", is_address)
NETWORKS: Final = _list_of("networks such as 192.0.2.0/24", _is_network)

_OF_A_PROXY: Final[Mapping[str, Rule]] = {
    "address": Rule("an IP address", is_address),
    "port": PORT,
    "weight": number(1, 1000),
    "enabled": Rule("yes or no", lambda value: isinstance(value, bool) or YES_NO.accepts(value)),
}


def _is_proxy(value: Value) -> bool:
    return (
        isinstance(value, dict)
        and "address" in value
        and all(key in _OF_A_PROXY and _OF_A_PROXY[key].accepts(item) for key, item in value.items())
    )


PROXIES: Final = Rule(
    "a list of at most 64 proxies: address, and if you like port, weight (1 to 1000) and enabled (yes or no)",
    lambda value: isinstance(value, list) and len(value) <= 64 and all(map(_is_proxy, value)),
)

_ORIGIN: Final = matches(r"https?://[A-Za-z0-9.\[\]:-]+")
ORIGINS: Final = Rule(
    "a list of origins such as https://phone.example.org",
    lambda value: isinstance(value, list) and len(value) <= 64 and all(map(_ORIGIN, value)),
)

_SLOT: Final = matches(r"[*#0-9]{1,16}")
SLOTS: Final = Rule(
    "a list of at most 100 speed-dial slots such as '*0'",
    lambda value: isinstance(value, list) and len(value) <= 100 and all(map(_SLOT, value)),
)

_HEADER: Final = matches(r"[A-Za-z0-9-]*(\*[A-Za-z0-9-]*){0,2}")
HEADERS: Final = Rule(
    "a list of at most 200 names of headers, each with at most two *",
    lambda value: (
        isinstance(value, list)
        and len(value) <= 200
        and all(_HEADER(name) and 0 < len(str(name)) <= 64 for name in value)
    ),
)
METHODS: Final = _list_of("methods such as INFO", matches(r"[A-Z]{1,20}"))
MEDIA_NAMES: Final = _list_of("names such as audio or PCMA", matches(r"[A-Za-z0-9._-]{1,40}"))
