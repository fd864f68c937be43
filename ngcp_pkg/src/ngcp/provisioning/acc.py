"""Call records on their way to the mediator: rows of `kamailio.acc`."""

from collections.abc import Collection
from typing import Final, NamedTuple

from ngcp.provisioning.line import Line, tuple_of


class AccRow(NamedTuple):
    """One record: how an INVITE ended, or a BYE."""

    method: str
    from_tag: str
    to_tag: str
    callid: str
    sip_code: str
    sip_reason: str
    time: str
    """UTC, YYYY-MM-DD hh:mm:ss."""
    time_hires: str
    """Unix time with three decimals."""
    src_leg: str = ""
    """JSON: who called."""
    dst_leg: str = ""
    """JSON: who was called."""
    src_user: str = ""
    src_domain: str = ""
    dst_user: str = ""
    dst_ouser: str = ""
    """The callee as the request named him."""
    dst_domain: str = ""
    branch_id: str = "0"
    """Tells the records of one INVITE apart: 0 for the caller's leg, 1 for that of the first forward …."""

    @property
    def key(self) -> str:
        """What no other record has."""
        return f"{self.callid}:{self.method}:{self.time_hires}:{self.branch_id}"


_NAMES: Final = ", ".join(AccRow._fields)
#: One that is there already is the same one, sent twice: its first answer got lost.
_INSERT: Final = f"INSERT IGNORE INTO kamailio.acc ({_NAMES}) VALUES "


class AccTable:
    """All records that the mediator has not taken yet."""

    def __init__(self, line: Line) -> None:
        self._line = line

    async def save(self, rows: Collection[AccRow]) -> None:
        """Store records, all or none; what is too long for its column is cut, not refused.

        Raises DatabaseUnavailable.
        """
        await self._line.run(_INSERT + ",".join([tuple_of(row) for row in rows]))
