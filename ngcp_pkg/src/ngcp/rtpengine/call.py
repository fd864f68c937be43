"""A call, and what a command says of it: which dialogue is meant."""

from dataclasses import dataclass, field

from .bodies import UNKNOWN_SENDER, Sender
from .dialogs import Dialog
from .errors import UnknownCall
from .flags import USUAL, Wishes
from .treatments import AS_IS, Treatment


@dataclass(frozen=True, slots=True)
class Signal:
    """What one command says."""

    call_id: str
    """The Call-ID."""
    from_tag: str = ""
    """The tag of who made the offer."""
    to_tag: str = ""
    """The tag of who answers; empty before the first answer."""
    via_branch: str = ""
    """Distinguishes offers to several branches of one request."""
    sdp: bytes = b""
    """The body."""
    sender: Sender = UNKNOWN_SENDER
    """Where the body came from."""
    wishes: Wishes = USUAL
    """What is wished beside."""


@dataclass(slots=True)
class Call:
    """The dialogues of one Call-ID."""

    created: float
    name: str = ""
    """The Call-ID."""
    dialogs: list[Dialog] = field(default_factory=list)
    treatment: Treatment = AS_IS
    """What is done with the media of all of them."""
    is_recorded: bool = False
    """Whether all that is said is recorded."""

    def pass_on(self, dialog: Dialog) -> None:
        """Let `dialog` be treated as all are."""
        dialog.treatment = self.treatment
        dialog.recorded_as = self.name if self.is_recorded else ""

    def for_offer(self, signal: Signal) -> Dialog | None:
        """Return the dialogue of an offer: an initial one belongs to its branch, others to their tags."""
        found = self._best(signal)
        is_initial = not signal.to_tag
        return None if found and is_initial and found.via_branch != signal.via_branch else found

    def for_answer(self, signal: Signal) -> Dialog:
        """Return the dialogue that an answer belongs to; a new tag is one more fork of the offer."""
        found = self._best(signal)
        if found is None:
            raise UnknownCall
        return found

    def concerned(self, signal: Signal) -> list[Dialog]:
        """Return the dialogues that a signal without body is about, or raise `UnknownCall`.

        A branch that made no offer, such as that of a BYE, does not narrow them down.
        """
        branch = [dialog for dialog in self.dialogs if dialog.via_branch == signal.via_branch != ""]
        found = [dialog for dialog in branch or self.dialogs if _concerns(signal, dialog)]
        if not found:
            raise UnknownCall
        return found

    def _best(self, signal: Signal) -> Dialog | None:
        """Prefer who faces the other tag already, then the same branch, then the newest."""
        known = [dialog for dialog in self.dialogs if dialog.side_of(signal.from_tag) is not None]
        return max(
            reversed(known),
            key=lambda dialog: (
                dialog.is_between(signal.from_tag, signal.to_tag),
                dialog.via_branch == signal.via_branch,
            ),
            default=None,
        )


def _concerns(signal: Signal, dialog: Dialog) -> bool:
    """Whether a signal without body is about `dialog`.

    No tag means all dialogues, one tag those it takes part in, two those between them; a tag that never
    answered belongs to a dialogue without answer.
    """
    if not signal.from_tag:
        return True
    if not signal.to_tag:
        return dialog.side_of(signal.from_tag) is not None
    if dialog.is_between(signal.from_tag, signal.to_tag):
        return True
    return dialog.side_of(signal.from_tag) == 0 and not dialog.sides[1].tags


def fork_to_drop(signal: Signal, dialog: Dialog) -> tuple[int, str] | None:
    """Return the side and the tag that a signal with both tags ends, if others of that side live on."""
    for tag in (signal.from_tag, signal.to_tag):
        side = dialog.side_of(tag)
        if signal.from_tag and signal.to_tag and side is not None and len(dialog.sides[side].tags) > 1:
            return side, tag
    return None
