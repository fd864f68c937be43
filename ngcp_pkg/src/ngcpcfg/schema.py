"""What the keys of config.yml may hold: one table, from which every check and every message is made."""

import ipaddress
import itertools
import operator
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Final

from ngcpcfg.values import KeyPath, Switch, Value


@dataclass(frozen=True, slots=True)
class Rule:
    """The values one key may have."""

    allowed: str
    """Completes the sentence "allowed is …"."""

    accepts: Callable[[Value], bool]


def _matches(pattern: str) -> Callable[[Value], bool]:
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


def _read_pattern(text: str) -> None:
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
TEXT: Final = Rule("one line of text", _matches(r"[^\x00-\x1f\x7f]*"))
MAIL: Final = Rule("a mail address such as admin@example.org", _matches(r"[^@\s]+@[^@\s]+"))
PATH: Final = Rule("the full path of a file", _matches(r"/[^\x00-\x1f\x7f]+"))


def _is_address(value: Value) -> bool:
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


ADDRESSES: Final = _list_of("IP addresses", _is_address)
NETWORKS: Final = _list_of("networks such as 192.0.2.0/24", _is_network)

_OF_A_PROXY: Final[Mapping[str, Rule]] = {
    "address": Rule("an IP address", _is_address),
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

_ORIGIN: Final = _matches(r"https?://[A-Za-z0-9.\[\]:-]+")
ORIGINS: Final = Rule(
    "a list of origins such as https://phone.example.org",
    lambda value: isinstance(value, list) and len(value) <= 64 and all(map(_ORIGIN, value)),
)

#: Groups whose members have labels of the operator's choice: the rules of all members are those of LABEL.
LABELLED: Final = ("kamailio.lb.extra_sockets",)

SCHEMA: Final[Mapping[str, Rule]] = {
    "general.companyname": TEXT,
    "general.adminmail": MAIL,
    "kamailio.lb.dispatcher.proxies": PROXIES,
    "kamailio.lb.dispatcher.patience": number(1, 30, "a number of seconds"),
    "kamailio.lb.dispatcher.probe_interval": number(0, 3600, "a number of seconds"),
    "kamailio.lb.dispatcher.down_after": number(1, 100),
    "kamailio.lb.dispatcher.up_after": number(1, 100),
    "kamailio.lb.nattest_exception_ips": ADDRESSES,
    "kamailio.lb.nattest_exception_nets": NETWORKS,
    "kamailio.lb.port": PORT,
    "kamailio.lb.block_useragents.enable": YES_NO,
    "kamailio.lb.block_useragents.mode": one_of("blacklist", "whitelist"),
    "kamailio.lb.block_useragents.action": one_of("drop", "reject"),
    "kamailio.lb.block_useragents.ua_patterns": list_of(
        "regular expressions of 1 to 128 characters that repeat no group and hold few of * + { ? |",
        _read_pattern,
    ),
    "kamailio.lb.block_useragents.block_empty": YES_NO,
    "kamailio.lb.block_useragents.block_absent": YES_NO,
    "kamailio.lb.security.topoh.enable": YES_NO,
    "kamailio.lb.security.topos.enable": YES_NO,
    "kamailio.lb.security.dos_ban_enable": YES_NO,
    "kamailio.lb.security.dos_ban_time": SECONDS,
    "kamailio.lb.security.dos_reqs_density_per_unit": number(1, 1_000_000),
    "kamailio.lb.security.dos_sampling_time_unit": SECONDS,
    "kamailio.lb.security.dos_whitelisted_ips": list_of("IP addresses", ipaddress.ip_address),
    "kamailio.lb.security.dos_whitelisted_subnets": list_of(
        "networks such as 192.0.2.0/24", ipaddress.ip_network
    ),
    "kamailio.lb.security.failed_auth_ban_enable": YES_NO,
    "kamailio.lb.security.failed_auth_attempts": number(1, 1000),
    "kamailio.lb.security.failed_auth_ban_time": SECONDS,
    "kamailio.lb.server_header": TEXT,
    "kamailio.lb.extra_sockets": Rule("a label for each, below it transport, ip and port", lambda v: v == {}),
    "kamailio.lb.extra_sockets.LABEL.transport": Rule("udp, tcp or tls", _matches("udp|tcp|tls")),
    "kamailio.lb.extra_sockets.LABEL.ip": Rule("an IP address", _is_address),
    "kamailio.lb.extra_sockets.LABEL.port": PORT,
    "kamailio.lb.tcp.max_connections": number(1, 60_000),
    "kamailio.lb.tcp.max_connections_per_address": number(1, 60_000),
    "kamailio.lb.tcp.first_message_timeout": SECONDS,
    "kamailio.lb.tcp.unfinished_message_timeout": SECONDS,
    "kamailio.lb.tcp.idle_timeout": SECONDS,
    "kamailio.lb.tcp.max_unsent": number(1024, 64 * 1024 * 1024, "a number of bytes"),
    "kamailio.lb.ws.enable": YES_NO,
    "kamailio.lb.ws.port": PORT,
    "kamailio.lb.ws.origins": ORIGINS,
    "kamailio.lb.wss.enable": YES_NO,
    "kamailio.lb.wss.port": PORT,
    "kamailio.lb.tls.enable": YES_NO,
    "kamailio.lb.tls.port": PORT,
    "kamailio.lb.tls.sslcertfile": PATH,
    "kamailio.lb.tls.sslcertkeyfile": PATH,
    "kamailio.lb.worker_port": WORKER_PORT,
    "kamailio.lb.workers": WORKERS,
    "kamailio.lb.xmlrpc.port": PORT,
    "kamailio.lb.metrics.enable": YES_NO,
    "kamailio.lb.metrics.port": PORT,
    "kamailio.proxy.port": PORT,
    "kamailio.proxy.server_header": TEXT,
    "kamailio.proxy.xmlrpc.port": PORT,
    "kamailio.proxy.metrics.enable": YES_NO,
    "kamailio.proxy.metrics.port": PORT,
    "kamailio.proxy.default_expires": SECONDS,
    "kamailio.proxy.min_expires": SECONDS,
    "kamailio.proxy.max_expires": SECONDS,
    "kamailio.proxy.max_contacts": number(1, 1000),
    "kamailio.proxy.nonce_expire": SECONDS,
    "kamailio.proxy.ring_timeout": SECONDS,
    "kamailio.proxy.nat_sipping": one_of("yes", "no", "always"),
    "kamailio.proxy.natping_method": one_of("options", "crlf"),
    "kamailio.proxy.natping_interval": number(5, 3600, "a number of seconds"),
    "kamailio.proxy.natping_failures": number(0, 100, "a number of pings"),
    "rtpproxy.minport": EVEN_MEDIA_PORT,
    "rtpproxy.maxport": MEDIA_PORT,
    "rtpproxy.control_port": PORT,
    "rtpproxy.timeout": SECONDS,
    "rtpproxy.silent_timeout": SECONDS,
    "qos.tos_rtp": TOS,
    "qos.tos_sip": TOS,
    "sshd.port": PORT,
    "www_admin.http_admin.port": PORT,
    "security.firewall.enable": YES_NO,
}

#: Of each pair the first must not be above the second.
ASCENDING: Final = (
    ("kamailio.proxy.min_expires", "kamailio.proxy.default_expires"),
    ("kamailio.proxy.default_expires", "kamailio.proxy.max_expires"),
    ("rtpproxy.timeout", "rtpproxy.silent_timeout"),
)

#: Of each pair the first must be below the second.
BELOW: Final = (("rtpproxy.minport", "rtpproxy.maxport"),)

#: Ports of one transport on one side of the node: two daemons cannot have the same.
DISTINCT: Final = (
    ("kamailio.lb.port", "kamailio.lb.worker_port", "kamailio.proxy.port", "rtpproxy.control_port"),
    (
        "kamailio.lb.port",
        "kamailio.lb.tls.port",
        "kamailio.lb.ws.port",
        "kamailio.lb.wss.port",
        "www_admin.http_admin.port",
        "sshd.port",
    ),
    (
        "kamailio.lb.xmlrpc.port",
        "kamailio.proxy.xmlrpc.port",
        "kamailio.lb.metrics.port",
        "kamailio.proxy.metrics.port",
        "www_admin.http_admin.port",
        "sshd.port",
    ),
)

SECTIONS: Final = frozenset(key.split(".")[0] for key in SCHEMA)


def check_value(path: KeyPath, value: Value) -> str | None:
    """Say what is wrong with the value of a known key; None if it is right or the key is not known here."""
    rule = SCHEMA.get(_ruled(path))
    if rule is None or rule.accepts(value):
        return None
    return f"{_shown(value)} is not allowed; allowed is {rule.allowed}"


def check_key(path: KeyPath) -> str | None:
    """Say that a key is not known and which one may have been meant; None if it is known."""
    key = _ruled(path)
    if key in SCHEMA:
        return None
    below = sorted(known for known in SCHEMA if known.startswith(f"{key}."))
    if below:
        return f"is a section; it must hold keys such as {below[0]}"
    return f"unknown key{suggest(key, SCHEMA)}"


def _ruled(path: KeyPath) -> str:
    """Return the key in the table that rules a key: labels of the operator's choice are LABEL there."""
    for group in LABELLED:
        depth = group.count(".") + 1
        if len(path) > depth and ".".join(path[:depth]) == group:
            return ".".join((group, "LABEL", *path[depth + 1 :]))
    return ".".join(path)


def check_relations(value_of: Callable[[str], Value]) -> Iterator[tuple[str, str]]:
    """Compare keys that limit each other; yields the key at fault and what is wrong with it."""
    for low, high in ASCENDING:
        if _compare(value_of(low), operator.gt, value_of(high)):
            yield low, f"{value_of(low)} is not allowed; it is above {high}, which is {value_of(high)}"
    for low, high in BELOW:
        if _compare(value_of(low), operator.ge, value_of(high)):
            yield low, f"{value_of(low)} is not allowed; it is not below {high}, which is {value_of(high)}"
    for one, other in dict.fromkeys(pair for group in DISTINCT for pair in itertools.combinations(group, 2)):
        if _compare(value_of(one), operator.eq, value_of(other)):
            yield other, f"{value_of(other)} is not allowed; it is the port of {one}"


def _compare(one: Value, relation: Callable[[int, int], bool], other: Value) -> bool:
    """Compare two numbers; what is none is complained of elsewhere."""
    return isinstance(one, int) and isinstance(other, int) and relation(one, other)


def suggest(word: str, known: Iterable[str]) -> str:
    """Complete a sentence about an unknown word with the known one that looks most like it."""
    nearest = get_close_matches(word, list(known), n=1, cutoff=0.6)
    return f"; did you mean {nearest[0]}?" if nearest else ""


def _shown(value: Value) -> str:
    match value:
        case None:
            return "nothing"
        case list():
            return "a list"
        case dict():
            return "a group of keys"
        case str():
            return repr(str(value))
    return str(value).lower()
