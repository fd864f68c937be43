"""Why a command cannot be executed; the texts are those that clients of rtpengine know."""

from typing import ClassVar


class RelayError(Exception):
    """A command that is answered with `result: error` and this text as `error-reason`."""

    reason: ClassVar[str] = "Internal error"

    def __init__(self, reason: str | None = None) -> None:
        super().__init__(reason or self.reason)


class Unrecognized(RelayError):
    """A command that this relay does not know."""

    reason = "Unrecognized command"


class Incomplete(RelayError):
    """A command lacks something that it must say."""

    def __init__(self, what: str) -> None:
        super().__init__(f"No {what} in message")


class Malformed(RelayError):
    """A command says something that means nothing."""

    def __init__(self, what: str) -> None:
        super().__init__(f"Invalid {what} in message")


class UnparsableSdp(RelayError):
    """A body that cannot be read."""

    def __init__(self, problem: str) -> None:
        super().__init__(f"Failed to parse SDP: {problem}")


class UnknownCall(RelayError):
    """No call has this call-id and these tags."""

    reason = "Unknown call-id"


class UnknownParticipant(RelayError):
    """Nobody in the call has this tag, label or address."""

    reason = "No matching call participant"


class NobodyListens(RelayError):
    """Media are to be forwarded, and the configuration does not say where to."""

    reason = "No forwarding destination configured"


class NothingToPlay(RelayError):
    """A sound that cannot be played; the text says why."""


class NobodyHears(RelayError):
    """Whoever shall hear something understands no codec of ours, or has no audio."""

    reason = "No suitable codec or media for playback"


class NotRecorded(RelayError):
    """There is no place for recordings."""

    reason = "No directory for recordings configured"


class UnexpectedAnswer(RelayError):
    """An answer to which there is no offer."""

    reason = "No offer to answer"


class TooManyTags(RelayError):
    """A call forks to more participants than anybody has phones."""

    reason = "Too many tags in one dialogue"


class OutOfPorts(RelayError):
    """Every port is in use."""

    reason = "Ran out of ports"


class Unprotected(RelayError):
    """One side wants its media protected, and nothing that it says lets us."""

    reason = "No usable key or certificate for a protected stream"
