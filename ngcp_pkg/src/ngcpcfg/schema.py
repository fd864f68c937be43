"""What the keys of config.yml may hold: one table, from which every check and every message is made."""

import ipaddress
import itertools
import operator
from collections.abc import Callable, Iterable, Iterator, Mapping
from difflib import get_close_matches
from typing import Final

from ngcpcfg.values import KeyPath, Value

from .rules import (
    ADDRESSES,
    DAYS,
    DIGESTS,
    DIGITS,
    E164,
    EVEN_MEDIA_PORT,
    HEADERS,
    HOST,
    LETTER,
    LETTER_LINE,
    MAIL,
    MEDIA_NAMES,
    MEDIA_PORT,
    METHODS,
    NETWORKS,
    ORIGINS,
    PATH,
    PATH_OR_NONE,
    PORT,
    PROXIES,
    SECONDS,
    SLOTS,
    TEXT,
    TOS,
    USER,
    WORKER_PORT,
    WORKERS,
    YES_NO,
    Rule,
    is_address,
    list_of,
    matches,
    number,
    one_of,
    read_pattern,
)

#: Services that subscribers set by codes.
SERVICES: Final = (
    *("all", "block_in_clir", "cfb", "cfna", "cft", "cfu", "clir", "colr", "dnd", "forwards", "reminder"),
    "speed_dial",
)
#: Groups whose members have labels of the operator's choice: the rules of all members are those of LABEL.
LABELLED: Final = ("kamailio.lb.extra_sockets",)

FILE_NAME: Final = Rule("part of a file's name", matches(r"[A-Za-z0-9_][A-Za-z0-9._-]{0,31}"))
COLUMN_NAMES: Final = Rule(
    "a list of names of columns",
    lambda value: isinstance(value, list) and all(map(matches(r"[a-z0-9_]{1,64}"), value)),
)

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
        read_pattern,
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
    "kamailio.lb.extra_sockets.LABEL.transport": Rule("udp, tcp or tls", matches("udp|tcp|tls")),
    "kamailio.lb.extra_sockets.LABEL.ip": Rule("an IP address", is_address),
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
    "kamailio.proxy.digest_algorithms": DIGESTS,
    "kamailio.proxy.ring_timeout": SECONDS,
    "kamailio.proxy.max_call_duration": SECONDS,
    "kamailio.proxy.voicemail_number": TEXT,
    "kamailio.proxy.voicemail_access_number": E164,
    "kamailio.proxy.peer_probe_interval": number(1, 3600, "a number of seconds"),
    "kamailio.proxy.peer_probe_failures": number(1, 100, "a number of probes"),
    "kamailio.proxy.nat_sipping": one_of("yes", "no", "always"),
    "kamailio.proxy.natping_method": one_of("options", "crlf"),
    "kamailio.proxy.natping_interval": number(5, 3600, "a number of seconds"),
    "kamailio.proxy.natping_failures": number(0, 100, "a number of pings"),
    **{
        f"kamailio.proxy.service_codes.{service}": Rule(
            'digits in quotes ("72"), or "" for none',
            lambda value: value == "" or DIGITS.accepts(value),
        )
        for service in (
            "all",
            "block_in_clir",
            "cfb",
            "cfna",
            "cft",
            "cfu",
            "clir",
            "colr",
            "dnd",
            "forwards",
            "reminder",
            "speed_dial",
        )
    },
    "kamailio.proxy.block_override_code": DIGITS,
    "mediator.xmlrpc.port": PORT,
    "mediator.metrics.enable": YES_NO,
    "mediator.metrics.port": PORT,
    "mediator.interval": number(1, 3600, "a number of seconds"),
    "mediator.patience": SECONDS,
    "b2b.port": PORT,
    "b2b.bypass": YES_NO,
    "b2b.control_port": PORT,
    "b2b.xmlrpc.port": PORT,
    "b2b.metrics.enable": YES_NO,
    "b2b.metrics.port": PORT,
    "b2b.server_header": TEXT,
    "b2b.minport": MEDIA_PORT,
    "b2b.maxport": MEDIA_PORT,
    "b2b.sounds": PATH,
    "b2b.headers.allow": HEADERS,
    "b2b.headers.deny": HEADERS,
    "b2b.methods": METHODS,
    "b2b.refer": one_of("pass", "refuse", "execute"),
    "b2b.session.media": MEDIA_NAMES,
    "b2b.session.codecs": MEDIA_NAMES,
    "b2b.session.without": MEDIA_NAMES,
    "b2b.drain": number(0, 7, "a number of seconds"),
    "asterisk.port": PORT,
    "asterisk.control_port": PORT,
    "asterisk.xmlrpc.port": PORT,
    "asterisk.metrics.enable": YES_NO,
    "asterisk.metrics.port": PORT,
    "asterisk.server_header": TEXT,
    "asterisk.minport": MEDIA_PORT,
    "asterisk.maxport": MEDIA_PORT,
    "asterisk.sounds": PATH,
    "asterisk.voicemail.maxmsg": number(1, 9999),
    "asterisk.voicemail.maxsecs": number(1, 600, "a number of seconds"),
    "asterisk.voicemail.minsecs": number(0, 60, "a number of seconds"),
    "asterisk.voicemail.maxsilence": number(0, 60, "a number of seconds"),
    "asterisk.voicemail.silencethreshold": number(0, 32_768),
    "asterisk.voicemail.held": number(0, 100_000, "a number of megabytes"),
    "asterisk.voicemail.serveremail": MAIL,
    "asterisk.voicemail.fromstring": TEXT,
    "asterisk.voicemail.mailsubject": LETTER_LINE,
    "asterisk.voicemail.mailbody": LETTER,
    "asterisk.voicemail.smtp.host": HOST,
    "asterisk.voicemail.smtp.port": number(0, 65_535),
    "asterisk.voicemail.smtp.security": one_of("none", "starttls", "tls"),
    "asterisk.voicemail.smtp.ca_file": PATH_OR_NONE,
    "asterisk.voicemail.smtp.user": TEXT,
    "asterisk.voicemail.smtp.password_file": PATH_OR_NONE,
    "asterisk.drain": number(0, 7, "a number of seconds"),
    "reminder.retries": number(0, 10),
    "reminder.retry_time": number(10, 3600, "a number of seconds"),
    "reminder.wait_time": number(5, 180, "a number of seconds"),
    "reminder.late": number(60, 3600, "a number of seconds"),
    "reminder.weekdays": DAYS,
    "reminder.sip_fromuser": USER,
    "reminder.sip_fromdomain": HOST,
    "rtpproxy.minport": EVEN_MEDIA_PORT,
    "rtpproxy.maxport": MEDIA_PORT,
    "rtpproxy.control_port": PORT,
    "rtpproxy.tcp_control.enable": YES_NO,
    "rtpproxy.tcp_control.port": PORT,
    "rtpproxy.cli_port": PORT,
    "rtpproxy.metrics.enable": YES_NO,
    "rtpproxy.metrics.port": PORT,
    "rtpproxy.timeout": SECONDS,
    "rtpproxy.silent_timeout": SECONDS,
    "rtpproxy.final_timeout": number(0, 31_536_000, "a number of seconds"),
    "rtpproxy.delete_delay": number(0, 3600, "a number of seconds"),
    "rtpproxy.forward_to": Rule(
        "empty, or ADDRESS:PORT", matches(r"([0-9.]{7,15}|\[[0-9a-fA-F:.]{2,45}\]):[0-9]{1,5}|")
    ),
    "rtpproxy.forwarding": one_of("auto", "module", "ebpf", "userspace"),
    "rtpproxy.recording.enable": YES_NO,
    "rtpproxy.recording.mixed": YES_NO,
    "rtpproxy.recording.longest": number(1, 86_400, "a number of seconds, a day at most"),
    "rtpproxy.sound_dir": Rule("empty, or an absolute path", matches(r"(/[A-Za-z0-9._-]+)*")),
    "rtpproxy.music_on_hold": Rule(
        "empty, or the name of a file", matches(r"([A-Za-z0-9_][A-Za-z0-9._-]*)?")
    ),
    "cdrexport.directory": PATH,
    "cdrexport.prefix": FILE_NAME,
    "cdrexport.suffix": FILE_NAME,
    "cdrexport.monthly_folder": YES_NO,
    "cdrexport.daily_folder": YES_NO,
    "cdrexport.max_rows_per_file": number(1, 100_000),
    "cdrexport.export_unrated": YES_NO,
    "cdrexport.export_failed": YES_NO,
    "cdrexport.export_incoming": YES_NO,
    "cdrexport.admin_export_fields": COLUMN_NAMES,
    "cdrexport.reseller_export_fields": COLUMN_NAMES,
    "cleanuptools.acc_cleanup_days": number(1, 1200, "a number of days"),
    "cleanuptools.cdr_keep_months": number(0, 1200, "a number of months"),
    "cleanuptools.cdr_months_ahead": number(1, 1200, "a number of months"),
    "qos.tos_rtp": TOS,
    "qos.tos_sip": TOS,
    "sshd.port": PORT,
    "sshd.password_authentication": YES_NO,
    "www_admin.http_admin.port": PORT,
    "www_admin.speed_dial_vsc_presets.vsc": SLOTS,
    "security.firewall.enable": YES_NO,
}

#: Of each pair the first must not be above the second.
ASCENDING: Final = (
    ("kamailio.proxy.min_expires", "kamailio.proxy.default_expires"),
    ("kamailio.proxy.default_expires", "kamailio.proxy.max_expires"),
    ("rtpproxy.timeout", "rtpproxy.silent_timeout"),
)

#: Of each pair the first must be below the second.
BELOW: Final = (
    ("rtpproxy.minport", "rtpproxy.maxport"),
    ("b2b.minport", "b2b.maxport"),
    ("asterisk.minport", "asterisk.maxport"),
    ("asterisk.voicemail.minsecs", "asterisk.voicemail.maxsecs"),
)

#: Ports of one transport on one side of the node: two daemons cannot have the same.
DISTINCT: Final = (
    (
        "kamailio.lb.port",
        "kamailio.lb.worker_port",
        "kamailio.proxy.port",
        "rtpproxy.control_port",
        "b2b.port",
        "b2b.control_port",
        "asterisk.port",
        "asterisk.control_port",
    ),
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
        "rtpproxy.tcp_control.port",
        "rtpproxy.cli_port",
        "rtpproxy.metrics.port",
        "b2b.xmlrpc.port",
        "b2b.metrics.port",
        "mediator.xmlrpc.port",
        "mediator.metrics.port",
        "asterisk.xmlrpc.port",
        "asterisk.metrics.port",
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
