"""Time zones by their names, and the node's own."""

from datetime import UTC, tzinfo
from functools import lru_cache
from pathlib import Path
from zoneinfo import ZoneInfo


@lru_cache(1024)
def find_zone(name: str) -> ZoneInfo | None:
    """Return the zone of that name, None if there is none."""
    try:
        return ZoneInfo(name) if name else None
    except (KeyError, OSError, ValueError):
        return None


def zone_or_home(name: str) -> tzinfo:
    """Return that zone; without one, or of an unknown one, the node's."""
    return find_zone(name) or _home()


@lru_cache(1)
def _home() -> tzinfo:
    """Return the zone of the node's clock."""
    name = str(Path("/etc/localtime").resolve()).rpartition("/zoneinfo/")[2]
    return find_zone(name) or UTC
