"""Which participants a command is about: by tag, label or announced address."""

from collections.abc import Iterator
from typing import Final

from ..call import Call
from ..dialogs import Dialog
from ..errors import UnknownParticipant
from .command import Request

#: Keys that say so.
KEYS: Final = frozenset({"address", "all"})


def is_selective(request: Request) -> bool:
    """Whether a request names a participant."""
    return any(_names(request))


def wants_all(request: Request) -> bool:
    """Whether it is about everybody, one by one."""
    return "all" in request.signal.wishes.flags or request.message.text("all") == "all"


def chosen(request: Request, call: Call) -> list[tuple[Dialog, int]]:
    """Return the sides that a request is about; `UnknownParticipant` if it names one who is not there."""
    if wants_all(request):
        return [(dialog, side) for dialog in call.dialogs for side in (0, 1)]
    found = list(_named(request, call))
    if is_selective(request) and not found:
        raise UnknownParticipant
    return found


def _names(request: Request) -> tuple[str, str, str]:
    """Return the tag, label and announced address of the participant that a request is about."""
    signal = request.signal
    return signal.from_tag, signal.wishes.label, request.message.text("address") or ""


def _named(request: Request, call: Call) -> Iterator[tuple[Dialog, int]]:
    tag, label, address = _names(request)
    for dialog in call.dialogs:
        for number, side in enumerate(dialog.sides):
            if (
                (tag and tag in side.tags)
                or (label and label == side.label)
                or (address and address in dialog.announced_hosts(number))
            ):
                yield dialog, number
