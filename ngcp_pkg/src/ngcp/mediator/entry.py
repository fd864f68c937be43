"""A call record as the mediator holds it, wherever it was read, and what is said of it elsewhere."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal
from functools import cached_property
from typing import Final, NamedTuple

from ngcp.provisioning.acc import AccRow
from ngcp.provisioning.mediation import fit

START: Final = "INVITE"
STOP: Final = "BYE"
ANSWERED: Final = "200"
#: What our elements put behind a Call-ID: of a call on its other side, and of one that follows from it.
_SAME: Final = re.compile(r"(?:_(?:b2b|pbx)-1)+$")
_ALL: Final = re.compile(r"(?:_(?:b2b|pbx|xfer)-1)+$")
SUFFIXES: Final = ("_b2b-1", "_pbx-1")
_SECONDS: Final = re.compile(r"\d{1,10}(?:\.\d+)?")
_TIME: Final = re.compile(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d")
MILLISECOND: Final = Decimal("0.001")
#: Of a record that does not say when it was written.
NO_TIME: Final = "1970-01-01 00:00:00"


class Unusable(Exception):
    """Nothing can be made of a record; it says why."""


class Key(NamedTuple):
    """What no other record has."""

    callid: str
    method: str
    time_hires: str
    branch_id: str


class Dialog(NamedTuple):
    """Whose start or stop a record is: a Call-ID without suffix, and the tags in whatever order."""

    name: str
    tags: frozenset[str]


@dataclass
class Entry:
    """One record."""

    row: AccRow
    """As the table would hold it."""
    redis_key: str = ""
    """Where it is in Redis, if it was read there."""
    problem: str = ""
    """Why nothing can be made of it."""
    is_done: bool = False
    """Whether it has served other records already."""

    @cached_property
    def key(self) -> Key:
        """What no other record has."""
        row = self.row
        return Key(row.callid, row.method, row.time_hires, row.branch_id)

    @cached_property
    def name(self) -> str:
        """The Call-ID by which records find each other."""
        return name_of(self.row.callid)

    @property
    def ms(self) -> int:
        """When it was written: Unix time in milliseconds."""
        return int(self.row.time_hires.replace(".", ""))

    @property
    def dialog(self) -> Dialog:
        """Whose it is."""
        return Dialog(self.name, frozenset((self.row.from_tag, self.row.to_tag)))

    @property
    def is_answered(self) -> bool:
        """Whether it begins a call that a stop record ends."""
        return self.row.method == START and self.row.sip_code == ANSWERED

    @property
    def is_stop(self) -> bool:
        """Whether it ends a call."""
        return self.row.method == STOP

    @property
    def is_suffixed(self) -> bool:
        """Whether it is of a call's other side, which has tags of its own."""
        return self.name != self.row.callid


def name_of(callid: str) -> str:
    """Return a Call-ID without what tells one side of a call from the other."""
    return _SAME.sub("", callid) or callid


def split(callid: str) -> tuple[str, str]:
    """Return the caller's Call-ID, and what our elements put behind it."""
    match = _ALL.search(callid)
    return (callid[: match.start()], match[0]) if match and match.start() else (callid, "")


def read(fields: Mapping[str, str], redis_key: str = "") -> Entry:
    """Read a record's columns, some of which may be missing or nonsense."""
    problem, seconds = "", fields.get("time_hires", "")
    moment = fields.get("time", "")
    if not _SECONDS.fullmatch(seconds):
        problem, seconds = f"time_hires is {seconds!r}", "0.000"
    elif not _TIME.fullmatch(moment):
        problem = f"time is {moment!r}"
    if not (fields.get("callid") and fields.get("method")):
        problem = "it has no callid or no method"
    row = AccRow(
        method=fields.get("method", ""),
        from_tag=fields.get("from_tag", ""),
        to_tag=fields.get("to_tag", ""),
        callid=fields.get("callid", "") or redis_key,
        sip_code=fields.get("sip_code", ""),
        sip_reason=fields.get("sip_reason", ""),
        time=moment if _TIME.fullmatch(moment) else NO_TIME,
        time_hires=str(Decimal(seconds).quantize(MILLISECOND, ROUND_HALF_UP)),
        src_leg=fields.get("src_leg", ""),
        dst_leg=fields.get("dst_leg", ""),
        src_user=fields.get("src_user", ""),
        src_domain=fields.get("src_domain", ""),
        dst_user=fields.get("dst_user", ""),
        dst_ouser=fields.get("dst_ouser", ""),
        dst_domain=fields.get("dst_domain", ""),
        branch_id=fields.get("branch_id", "0"),
    )
    return Entry(fit(row), redis_key, problem)
