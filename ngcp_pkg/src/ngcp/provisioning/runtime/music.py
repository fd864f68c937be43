"""Music on hold of a sound set, or of the nearest set above it that has some (database `provisioning`)."""

from typing import Final, cast

from ngcp.provisioning.line import Line

#: The handle that it goes by in sound sets.
HANDLE: Final = "music_on_hold"

_MUSIC: Final = """
WITH RECURSIVE above (id, parent_id, distance) AS (
  SELECT id, parent_id, 0 FROM provisioning.voip_sound_sets WHERE id = {number}
  UNION ALL
  SELECT s.id, s.parent_id, a.distance + 1 FROM provisioning.voip_sound_sets s
  JOIN above a ON s.id = a.parent_id WHERE a.distance < 16)
SELECT f.data FROM above a JOIN provisioning.voip_sound_files f ON f.set_id = a.id
JOIN provisioning.voip_sound_handles h ON h.id = f.handle_id
WHERE h.name = '{handle}' AND f.data IS NOT NULL ORDER BY a.distance LIMIT 1"""


async def load_music(line: Line, sound_set: int) -> bytes | None:
    """Return the WAV file, None if there is none. Raises DatabaseUnavailable."""
    rows = await line.fetch(_MUSIC.format(number=int(sound_set), handle=HANDLE))
    return cast("bytes", rows[0][0]) if rows else None
