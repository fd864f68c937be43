"""What the mediator reads and writes in MariaDB: records that wait, records that are done, CDRs.

One transaction stores a CDR and keeps its records; their unique keys let no record serve twice, whoever
tries. That records are taken out of `acc` comes after that: who is late finds that they are done.
"""

from collections.abc import Collection, Iterable
from dataclasses import dataclass, field
from decimal import Decimal
from enum import IntEnum
from typing import Final, NamedTuple

from ngcp.provisioning.acc import AccRow
from ngcp.provisioning.cdr import CDR_COLUMNS, Cdr, values_of
from ngcp.provisioning.line import Line, Row, literal, tuple_of
from ngcp.provisioning.tables import kamailio

#: Only one mediator is at work.
LOCK: Final = "ngcp-mediator"
#: Characters of a leg's JSON that fit into its column, however many octets they have.
LONGEST_LEG: Final = 16_383
_LEGS: Final = frozenset(("src_leg", "dst_leg"))
_LENGTHS: Final = tuple(
    LONGEST_LEG if name in _LEGS else getattr(kamailio.acc.c[name].type, "length", None) or 20
    for name in AccRow._fields
)

_COLUMNS: Final = ", ".join(AccRow._fields)
_TAKE_TURN: Final = (
    f"SELECT IF(IS_USED_LOCK('{LOCK}') <=> CONNECTION_ID(), 2, COALESCE(GET_LOCK('{LOCK}', 0), 0))"
)
_KEY: Final = "callid, method, time_hires, branch_id"
_TOLD: Final = f"{_KEY}, from_tag, to_tag, sip_code"
_PROVIDERS: Final = """
SELECT s.uuid, r.contract_id FROM billing.voip_subscribers s
JOIN billing.contracts c ON c.id = s.contract_id
JOIN billing.contacts t ON t.id = c.contact_id
JOIN billing.resellers r ON r.id = t.reseller_id WHERE s.uuid IN """
_CARRIERS: Final = """
SELECT h.id, g.peering_contract_id FROM provisioning.voip_peer_hosts h
JOIN provisioning.voip_peer_groups g ON g.id = h.group_id
WHERE g.peering_contract_id IS NOT NULL AND h.id IN """
_INSERT_CDR: Final = f"INSERT INTO accounting.cdr ({', '.join(CDR_COLUMNS)}) VALUES "


class Turn(IntEnum):
    """Whether we may work."""

    NO = 0
    """Another mediator is at work."""
    NEW = 1
    """We may from now on; nobody knows what others did before."""
    KEPT = 2
    """We still may."""


class Done(NamedTuple):
    """A record that was used already, or thrown away."""

    callid: str
    method: str
    time_hires: str
    branch_id: str
    from_tag: str
    to_tag: str
    sip_code: str


class Sound(NamedTuple):
    """How a call sounded, as its stop record says."""

    average: Decimal
    packetloss: Decimal
    jitter: Decimal
    roundtrip: Decimal


@dataclass(slots=True)
class Batch:
    """What is stored together, or not at all."""

    cdrs: list[Cdr] = field(default_factory=list)
    sounds: dict[int, Sound] = field(default_factory=dict)
    """By the CDR's place in the list."""
    done: list[AccRow] = field(default_factory=list)
    trash: list[tuple[AccRow, str]] = field(default_factory=list)
    """Records that nothing can be made of, and why."""


def fit(row: AccRow) -> AccRow:
    """Return a record as its table can hold it: what is too long is cut, what is no text is replaced."""
    return AccRow(
        *(
            (text if text.isascii() else text.encode("utf-8", "replace").decode())[:length]
            for text, length in zip(row, _LENGTHS, strict=True)
        )
    )


class MediationTables:
    """The tables, over one line; every method raises DatabaseUnavailable, and StatementRefused for values."""

    def __init__(self, line: Line) -> None:
        self._line = line

    async def take_turn(self) -> Turn:
        """Tell whether we may work: nobody else does. The turn ends with the line."""
        return Turn(int(str((await self._line.fetch(_TAKE_TURN))[0][0])))

    # What waits

    async def waiting(self, after: int, most: int) -> list[int]:
        """Return numbers of records in `acc`, from the first one after `after`."""
        rows = await self._line.fetch(
            f"SELECT id FROM kamailio.acc WHERE id > {after:d} ORDER BY id LIMIT {most:d}"
        )
        return [int(str(number)) for (number,) in rows]

    async def keys(self, numbers: Collection[int]) -> dict[int, tuple[str, str, str, str]]:
        """Return what tells these records apart."""
        if not numbers:
            return {}
        rows = await self._line.fetch(f"SELECT id, {_KEY} FROM kamailio.acc WHERE id IN {_list(numbers)}")
        return {int(str(row[0])): _key(row[1:]) for row in rows}

    async def records(self, numbers: Collection[int]) -> dict[int, dict[str, str]]:
        """Return the columns of these records."""
        if not numbers:
            return {}
        rows = await self._line.fetch(f"SELECT id, {_COLUMNS} FROM kamailio.acc WHERE id IN {_list(numbers)}")
        return {
            int(str(row[0])): {
                name: "" if value is None else str(value)
                for name, value in zip(AccRow._fields, row[1:], strict=True)
            }
            for row in rows
        }

    async def forget(self, rows: Collection[AccRow]) -> None:
        """Take records out of `acc`, where they are there."""
        if rows:
            keys = ",".join(tuple_of((row.callid, row.method, row.time_hires, row.branch_id)) for row in rows)
            callids = _list({row.callid for row in rows})
            await self._line.run(
                f"DELETE FROM kamailio.acc WHERE callid IN {callids} AND ({_KEY}) IN ({keys})"
            )

    # What is done

    async def done(self, callids: Collection[str]) -> list[Done]:
        """Return the records of these calls that were used, or thrown away."""
        if not callids:
            return []
        calls = _list(callids)
        rows = await self._line.fetch(
            f"SELECT {_TOLD} FROM kamailio.acc_backup WHERE callid IN {calls}"
            f" UNION ALL SELECT {_TOLD} FROM kamailio.acc_trash WHERE callid IN {calls}"
        )
        return [Done(*_key(row), *map(str, row[4:])) for row in rows]

    async def store(self, batch: Batch) -> None:
        """Store a batch; StatementRefused: something in it was stored before, or cannot be stored."""
        work = [*_insert_records(batch), *_insert_cdrs(batch)]
        if work:
            await self._line.run(*work)

    # Whose calls they are

    async def providers(self, uuids: Collection[str]) -> dict[str, int]:
        """Return the contracts of these subscribers' resellers."""
        return await self._numbers(_PROVIDERS, uuids)

    async def carriers(self, hosts: Collection[str]) -> dict[str, int]:
        """Return the contracts of the peers that these servers belong to."""
        return await self._numbers(_CARRIERS, [host for host in hosts if host.isdecimal()])

    async def _numbers(self, query: str, names: Collection[str]) -> dict[str, int]:
        rows = await self._line.fetch(query + _list(names)) if names else ()
        return {str(name): int(str(number)) for name, number in rows}


def _key(row: Row) -> tuple[str, str, str, str]:
    callid, method, seconds, branch = row[:4]
    return str(callid), str(method), str(seconds), str(branch)


def _list(values: Iterable[str] | Iterable[int]) -> str:
    return f"({','.join(map(literal, values))})"


def _insert_records(batch: Batch) -> Iterable[str]:
    if batch.done:
        rows = ",".join(map(tuple_of, batch.done))
        yield f"INSERT INTO kamailio.acc_backup ({_COLUMNS}) VALUES {rows}"
    if batch.trash:  # whatever is wrong with them
        rows = ",".join(tuple_of((*row, reason[:255])) for row, reason in batch.trash)
        yield f"INSERT IGNORE INTO kamailio.acc_trash ({_COLUMNS}, reason) VALUES {rows}"


def _insert_cdrs(batch: Batch) -> Iterable[str]:
    if batch.cdrs:
        yield _INSERT_CDR + ",".join([tuple_of(values_of(cdr)) for cdr in batch.cdrs])
    if batch.sounds:  # rows of one statement are numbered one after the other, the first number is known
        sounds = ",".join(
            f"(LAST_INSERT_ID()+{index},{','.join(map(literal, (batch.cdrs[index].start_time, *sound)))})"
            for index, sound in batch.sounds.items()
        )
        yield f"INSERT INTO accounting.cdr_mos_data VALUES {sounds}"
