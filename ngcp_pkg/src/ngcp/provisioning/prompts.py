"""What is played for a handle: the sound of a set, or of the nearest set above it that has one."""

from typing import NamedTuple

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncConnection

from ngcp.provisioning.sounds import GENERATIONS
from ngcp.provisioning.tables.sounds import voip_sound_files, voip_sound_handles, voip_sound_sets


class Sound(NamedTuple):
    """A sound of a set."""

    wav: bytes
    is_looped: bool


async def find_sound(connection: AsyncConnection, sound_set: int, handle: str) -> Sound | None:
    """Return what is played for `handle` in set number `sound_set`, None if there is nothing."""
    files, sets = voip_sound_files.c, voip_sound_sets.c
    named = select(voip_sound_handles.c.id).where(voip_sound_handles.c.name == handle)
    query = select(sets.parent_id, files.data, files.loopplay).join_from(
        voip_sound_sets,
        voip_sound_files,
        (files.set_id == sets.id) & files.handle_id.in_(named) & files.data.is_not(None),
        isouter=True,
    )
    above: int | None = sound_set
    for _ in range(GENERATIONS):
        row = (await connection.execute(query.where(sets.id == above).limit(1))).first()
        if row is None:
            return None
        if row.data is not None:
            return Sound(bytes(row.data), bool(row.loopplay))
        if row.parent_id is None:
            return None
        above = row.parent_id
    return None
