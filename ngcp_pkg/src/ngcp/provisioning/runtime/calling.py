"""What subscribers have their calls do, read for many of them at once, and whom they trust, read whole."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from ngcp.provisioning.line import Line, Row, tuple_of

from .features import Destination, Forward, LocationMapping, PatternSet, Period, TrustedSource

_OF: Final = "FROM provisioning.voip_subscribers s JOIN provisioning."
_FORWARDS: Final = f"""
SELECT s.uuid, m.id, m.type, m.use_redirection, m.time_set_id, m.source_set_id, m.bnumber_set_id,
 d.destination, d.timeout, d.announcement_id
{_OF}voip_cf_mappings m ON m.subscriber_id = s.id
JOIN provisioning.voip_cf_destinations d ON d.destination_set_id = m.destination_set_id
WHERE m.enabled AND s.uuid IN %s ORDER BY m.id, d.priority, d.id"""
_SPEED_DIALS: Final = f"""
SELECT s.uuid, d.slot, d.destination {_OF}voip_speed_dial d ON d.subscriber_id = s.id WHERE s.uuid IN %s"""
_LOCATIONS: Final = f"""
SELECT s.uuid, l.location, l.mode, l.caller_pattern, l.callee_pattern, l.to_username
{_OF}voip_subscriber_location_mappings l ON l.subscriber_id = s.id
WHERE l.enabled AND s.uuid IN %s ORDER BY l.id"""
_PERIODS: Final = """
SELECT time_set_id, year, month, mday, wday, hour, minute FROM provisioning.voip_cf_periods
WHERE time_set_id IN %s ORDER BY id"""
_SOURCES: Final = """
SELECT s.id, s.mode = 'whitelist', s.is_regex, p.source FROM provisioning.voip_cf_source_sets s
LEFT JOIN provisioning.voip_cf_sources p ON p.source_set_id = s.id WHERE s.id IN %s ORDER BY p.id"""
_BNUMBERS: Final = """
SELECT s.id, s.mode = 'whitelist', s.is_regex, p.bnumber FROM provisioning.voip_cf_bnumber_sets s
LEFT JOIN provisioning.voip_cf_bnumbers p ON p.bnumber_set_id = s.id WHERE s.id IN %s ORDER BY p.id"""
_TRUSTED: Final = "SELECT tag, src_ip, proto, from_pattern FROM kamailio.trusted ORDER BY id"


@dataclass(slots=True)
class Calling:
    """What one subscriber has his calls do."""

    forwards: tuple[Forward, ...] = ()
    speed_dials: dict[str, str] = field(default_factory=dict)
    locations: tuple[LocationMapping, ...] = ()


async def load_calling(line: Line, uuids: Collection[str]) -> Mapping[str, Calling]:
    """Return what these subscribers have their calls do, as far as they have anything done."""
    found: dict[str, Calling] = defaultdict(Calling)
    if not uuids:
        return found
    asked = tuple_of([*uuids])
    for uuid, slot, destination in await line.fetch(_SPEED_DIALS % asked):
        found[str(uuid)].speed_dials[str(slot)] = str(destination)
    for uuid, *columns in _typed(await line.fetch(_LOCATIONS % asked)):
        found[uuid].locations += (LocationMapping(*columns),)
    for uuid, forward in await _load_forwards(line, asked):
        found[uuid].forwards += (forward,)
    return found


async def load_trusted(line: Line) -> tuple[TrustedSource, ...]:
    """Return the addresses whose calls need no credentials."""
    rows = _typed(await line.fetch(_TRUSTED))
    return tuple(TrustedSource(tag or "", ip, proto, pattern) for tag, ip, proto, pattern in rows)


async def _load_forwards(line: Line, asked: str) -> list[tuple[str, Forward]]:
    """Return the forwards, each with its subscriber's UUID, in order."""
    mappings: dict[int, list[tuple[Any, ...]]] = defaultdict(list)
    for row in _typed(await line.fetch(_FORWARDS % asked)):
        mappings[row[1]].append(row)
    first = [rows[0] for rows in mappings.values()]
    periods = await _load_periods(line, {row[4] for row in first} - {None})
    sources = await _load_numbers(line, _SOURCES, {row[5] for row in first} - {None})
    bnumbers = await _load_numbers(line, _BNUMBERS, {row[6] for row in first} - {None})
    return [
        (
            rows[0][0],
            Forward(
                rows[0][2],
                tuple(Destination(uri, float(timeout), sound) for *_, uri, timeout, sound in rows),
                None if rows[0][4] is None else tuple(periods.get(rows[0][4], ())),
                sources.get(rows[0][5]),
                bnumbers.get(rows[0][6]),
                bool(rows[0][3]),
            ),
        )
        for rows in mappings.values()
    ]


async def _load_periods(line: Line, sets: Collection[int]) -> Mapping[int, list[Period]]:
    """Return the periods of time sets; a set without any never applies."""
    found: dict[int, list[Period]] = defaultdict(list)
    if sets:
        for number, *parts in _typed(await line.fetch(_PERIODS % tuple_of([*sets]))):
            found[number].append(Period(*parts))
    return found


async def _load_numbers(line: Line, query: str, sets: Collection[int]) -> Mapping[int | None, PatternSet]:
    found: dict[int | None, PatternSet] = {}
    if sets:
        for number, is_whitelist, is_regex, pattern in _typed(await line.fetch(query % tuple_of([*sets]))):
            before = found[number].patterns if number in found else ()
            patterns = before if pattern is None else (*before, pattern)
            found[number] = PatternSet(patterns, bool(is_whitelist), bool(is_regex))
    return found


def _typed(rows: Iterable[Row]) -> Iterable[tuple[Any, ...]]:
    """Let the columns' types be those that their definitions promise."""
    return rows
