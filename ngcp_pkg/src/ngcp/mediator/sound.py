"""How a call sounded, as its stop record says."""

import json
from decimal import Decimal, InvalidOperation
from typing import Final

from ngcp.provisioning.mediation import Sound

_NAMES: Final = ("avg_score", "avg_packetloss", "avg_jitter", "avg_rtt")
_HUNDREDTH: Final = Decimal("0.01")
#: What the columns hold at most.
_MOST: Final = Decimal("99999.99")


def read_sound(text: str) -> Sound | None:
    """Return what a stop record's `dst_leg` says; None if nobody measured, or it says nonsense."""
    try:
        means = json.loads(text)["mos"]
        values = [Decimal(str(means[name])).quantize(_HUNDREDTH) for name in _NAMES]
    except (ValueError, TypeError, LookupError, InvalidOperation):
        return None
    return Sound(*values) if all(0 <= value <= _MOST for value in values) else None
