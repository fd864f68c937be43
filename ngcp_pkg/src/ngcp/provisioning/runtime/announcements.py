"""Which announcements there are, by sound set: not what they say (database `provisioning`)."""

from collections.abc import Mapping
from typing import Final

from ngcp.provisioning.line import Line

_SETS: Final = "SELECT id, parent_id FROM provisioning.voip_sound_sets"
_FILES: Final = """
SELECT f.set_id, h.name FROM provisioning.voip_sound_files f
JOIN provisioning.voip_sound_handles h ON h.id = f.handle_id WHERE f.data IS NOT NULL"""


async def load_announcements(line: Line) -> Mapping[int, frozenset[str]]:
    """Return the handles that have a sound in each set, or in one above it."""
    above = {int(str(number)): parent for number, parent in await line.fetch(_SETS)}
    own: dict[int, set[str]] = {}
    for number, handle in await line.fetch(_FILES):
        own.setdefault(int(str(number)), set()).add(str(handle))
    return {number: _inherited(number, above, own) for number in above}


def _inherited(number: int, above: Mapping[int, object], own: Mapping[int, set[str]]) -> frozenset[str]:
    found: set[str] = set()
    seen: set[int] = set()
    while number not in seen:
        seen.add(number)
        found |= own.get(number, set())
        parent = above.get(number)
        number = number if parent is None else int(str(parent))
    return frozenset(found)
