"""What a command of the ng protocol wishes, beside whose session it is about.

Most can be said in two ways: as a key with a value or a list (`ICE: remove`, `codec: {strip: [G729]}`), or
as one word of `flags` (`ICE=remove`, `codec-strip-G729`); both are read into the same `Wishes`.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Final, NamedTuple

from ngcp.ng.bencode import Value

Fields = Mapping[str, Value]

#: Keys of a command that other rooms read, and one that says what we are anyway.
_ELSEWHERE: Final = frozenset(
    {"ICE-lite", "call-id", "command", "from-tag", "received-from", "sdp", "supports", "to-tag", "via-branch"}
)
#: Words of `flags` that mean something to us, or nothing to a relay that is symmetric anyway.
_FLAGS: Final = frozenset(
    {
        "SIP-source-address",
        "all",
        "allow-asymmetric-codecs",
        "allow-transcoding",
        "always-transcode",
        "asymmetric",
        "detect-DTMF",
        "discard-recording",
        "early-media",
        "fatal",
        "full-rtcp-attribute",
        "generate-RTCP",
        "generate-mid",
        "inject-DTMF",
        "loop-protect",
        "media-handover",
        "no-rtcp-attribute",
        "original-sendrecv",
        "pad-crypto",
        "port-latching",
        "record-call",
        "reset",
        "reuse-codecs",
        "single-codec",
        "strict-source",
        "strip-extmap",
        "symmetric",
        "symmetric-codecs",
        "trust-address",
        "unidirectional",
    }
)
_REPLACE: Final = frozenset(
    {"SDP-version", "force-increment-sdp-ver", "origin", "session-connection", "session-name", "username"}
    | {"zero-address"}
)
_ICE: Final = frozenset({"remove", "force", "default", "force-relay", "optional"})
_DTLS: Final = frozenset({"off", "no", "disable", "passive", "active"})
_MUX: Final = frozenset({"offer", "require", "demux", "accept", "reject"})
_RECORD: Final = {"yes": True, "on": True, "no": False, "off": False}
_OSRTP: Final = frozenset({"offer", "offer-RFC", "offer-legacy", "accept", "accept-RFC", "accept-legacy"})
#: What can be said of music on hold.
_MUSIC: Final = frozenset({"db-id", "file", "mode", "repeats"})
#: What can be done to a codec (key `codec`).
CODEC: Final = (
    "strip",
    "ignore",
    "offer",
    "mask",
    "except",
    "accept",
    "consume",
    "transcode",
    "set",
)
#: How often `sdes` and each list of codecs may name something.
MAX_WORDS: Final = 64


class Music(NamedTuple):
    """What whoever a side puts on hold shall hear (`moh`)."""

    file: str = ""
    """Name of a file below the directory of sounds; empty: the usual one, unless there is a set."""
    sound_set: int = 0
    """Number of the sound set whose `music_on_hold` is heard (`db-id`); 0: none."""
    times: int = 0
    """How often (`repeats`); 0: for as long as the hold lasts."""
    is_sendonly: bool = False
    """Whether who is held is offered `sendonly` where the offer says `inactive` (`mode`)."""


@dataclass(frozen=True, slots=True)
class Wishes:
    """What one command wishes."""

    flags: frozenset[str] = frozenset()
    """The plain words."""
    replace: frozenset[str] = frozenset()
    """Parts of the body to rewrite beside the streams."""
    ice: str = ""
    """`remove`, `force`, `default`, `force-relay`, `optional`; empty: not said."""
    dtls: str = ""
    """`off`, `passive`, `active`; empty: not said."""
    fingerprint: str = ""
    """The hash function for our certificate, `sha-256` …; empty: that of the other side."""
    sdes: tuple[str, ...] = ()
    """`off`, `no-SUITE`, `only-SUITE`, `prefer` …, as said."""
    osrtp: frozenset[str] = frozenset()
    """Opportunistic SRTP (RFC 8643): `offer`, `accept`."""
    transport_protocol: str = ""
    """What the receiver shall be offered: `RTP/AVP`, `UDP/TLS/RTP/SAVPF` …; empty: as received."""
    rtcp_mux: frozenset[str] = frozenset()
    """`offer`, `require`, `demux`, `accept`, `reject` (RFC 5761)."""
    codec: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """Names of codecs, `opus/48000/2` or short, by what is to be done to them (`CODEC`)."""
    ptime: int = 0
    """Milliseconds of media in a packet towards the receiver; 0: as received."""
    ptime_reverse: int = 0
    """The same towards the sender."""
    removed: frozenset[str] = frozenset()
    """Kinds of sections that the receiver is not offered: `video` …."""
    record: bool | None = None
    """Whether the call is recorded from now on; None: as it is."""
    label: str = ""
    """A name for this side of the call."""
    direction: tuple[str, ...] = ()
    """The interfaces that face sender and receiver."""
    address_family: str = ""
    """`IP4` or `IP6`: what the receiver gets; empty: as received."""
    media_address: str = ""
    """The address that the body is to name; empty: the interface's."""
    music: Music | None = None
    """What is heard by whom the sender puts on hold; None: as said before."""
    delete_delay: float | None = None
    """Seconds until a deleted call is gone; None: as configured."""


USUAL: Final = Wishes()


def read(fields: Fields) -> tuple[Wishes, list[str]]:
    """Read the fields of a command, keys spelt with hyphens; return what was not understood beside."""
    unknown: list[str] = []
    said = _Said(fields, unknown)
    wishes = Wishes(
        flags=said.plain,
        replace=said.among("replace", _REPLACE),
        ice=said.one("ICE", _ICE),
        dtls=said.one("DTLS", _DTLS),
        fingerprint=said.text("DTLS-fingerprint"),
        sdes=tuple(said.words("SDES"))[:MAX_WORDS],
        osrtp=said.among("OSRTP", _OSRTP),
        transport_protocol=said.text("transport-protocol"),
        rtcp_mux=said.among("rtcp-mux", _MUX),
        codec=said.codecs(),
        ptime=said.number("ptime"),
        ptime_reverse=said.number("ptime-reverse"),
        removed=frozenset(list(said.words("sdp-media-remove"))[:MAX_WORDS]),
        record=_RECORD.get(said.one("record-call", frozenset(_RECORD)), "record-call" in said.plain or None),
        label=said.text("label") or said.text("from-label"),
        direction=tuple(said.words("direction"))[:2],
        address_family=said.one("address-family", frozenset({"IP4", "IP6"})),
        media_address=said.text("media-address"),
        music=said.music(),
        delete_delay=float(said.number("delete-delay")) if "delete-delay" in fields else None,
    )
    unknown += [key for key in fields if key not in said.read and key not in _ELSEWHERE]
    return wishes, unknown


class _Said:
    """The fields, with words of `flags` sorted under the keys that they belong to."""

    def __init__(self, fields: Fields, unknown: list[str]) -> None:
        self._fields = fields
        self._unknown = unknown
        self.read = {"flags"}
        self._by_key: dict[str, list[str]] = {}
        plain = set()
        for word in _texts(fields.get("flags", [])):
            key, value = _split(word)
            if key:
                self._by_key.setdefault(key, []).append(value)
            elif word in _FLAGS:
                plain.add(word)
            else:
                unknown.append(f"flags:{word}")
        self.plain = frozenset(plain)

    def words(self, key: str) -> Iterator[str]:
        """Yield what is said of `key`."""
        self.read.add(key)
        yield from _texts(self._fields.get(key, []))
        yield from self._by_key.get(key, ())

    def among(self, key: str, allowed: frozenset[str]) -> frozenset[str]:
        """Return what of `allowed` is said of `key`."""
        found = frozenset(self.words(key))
        self._unknown += [f"{key}:{word}" for word in sorted(found - allowed)]
        return found & allowed

    def one(self, key: str, allowed: frozenset[str]) -> str:
        """Return the one word of `allowed` that is said of `key`, the last one if there are several."""
        last = ""
        for word in self.words(key):
            if word in allowed:
                last = word
            else:
                self._unknown.append(f"{key}:{word}")
        return last

    def text(self, key: str) -> str:
        """Return the last word said of `key`."""
        return next(reversed(list(self.words(key))), "")

    def number(self, key: str) -> int:
        """Return the number said of `key`, 0 if there is none."""
        self.read.add(key)
        value = self._fields.get(key, 0)
        text = self._by_key.get(key, [str(value)])[-1]
        if text.isascii() and text.isdecimal() and len(text) <= 6:
            return int(text)
        self._unknown.append(f"{key}:{text}")
        return 0

    def music(self) -> Music | None:
        """Return what is said of music on hold."""
        self.read.add("moh")
        said = self._fields.get("moh")
        if not isinstance(said, dict):
            self._unknown += ["moh"] if said is not None else []
            return None
        fields = {key.replace(" ", "-"): value for key, value in said.items()}
        self._unknown += [f"moh:{key}" for key in fields if key not in _MUSIC]
        mode = str(fields.get("mode", ""))
        self._unknown += [f"moh:mode:{mode}"] if mode not in ("", "sendonly") else []
        numbers = {}
        for key in ("db-id", "repeats"):
            text = str(fields.get(key, 0))
            is_number = text.isascii() and text.isdecimal() and len(text) <= 10
            numbers[key] = int(text) if is_number else 0
            self._unknown += [] if is_number else [f"moh:{key}:{text}"]
        return Music(str(fields.get("file", "")), numbers["db-id"], numbers["repeats"], mode == "sendonly")

    def codecs(self) -> dict[str, tuple[str, ...]]:
        """Return the lists of codecs."""
        self.read.add("codec")
        lists = self._fields.get("codec", {})
        named: dict[str, list[str]] = {}
        if isinstance(lists, dict):
            named = {action: _texts(names) for action, names in lists.items()}
        for words in self._by_key.get("codec", ()):
            action, _, name = words.partition("-")
            named.setdefault(action, []).append(name)
        self._unknown += [f"codec:{action}" for action in named if action not in CODEC]
        return {action: tuple(named[action])[:MAX_WORDS] for action in CODEC if named.get(action)}


#: Words of `flags` that stand for a key: what they begin with, and the key.
_PREFIXES: Final = (
    ("codec-", "codec"),
    ("transcode-", "codec"),
    ("SDES-", "SDES"),
    ("OSRTP-", "OSRTP"),
    ("rtcp-mux-", "rtcp-mux"),
    ("replace-", "replace"),
)
_ASSIGNED: Final = frozenset(
    {
        "DTLS",
        "DTLS-fingerprint",
        "ICE",
        "address-family",
        "delete-delay",
        "label",
        "media-address",
        "ptime",
        "ptime-reverse",
        "transport-protocol",
    }
)


def _split(word: str) -> tuple[str, str]:
    """Return the key that a word of `flags` belongs to and its value; no key for a plain one."""
    for prefix, key in _PREFIXES:
        if word.startswith(prefix):
            return key, word if prefix == "transcode-" else word.removeprefix(prefix)
    key, equals, value = word.partition("=")
    return (key, value) if equals and key in _ASSIGNED else ("", word)


def _texts(value: Value) -> list[str]:
    """Return the strings of a list, or the one string; spaces stand for hyphens in this protocol."""
    members = value if isinstance(value, list) else [value]
    return [member.replace(" ", "-") for member in members if isinstance(member, str) and member]
