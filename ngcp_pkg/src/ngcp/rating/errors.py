"""Why a call cannot be rated."""


class RatingError(Exception):
    """A call cannot be rated as things are; its text is for the operator."""


class NoFee(RatingError):
    """Nothing says what the call costs."""

    def __init__(self, profile: int, source: str, destination: str) -> None:
        super().__init__(f"billing profile {profile} has no fee for calls from {source} to {destination}")


class NoProfile(RatingError):
    """Nobody says how a contract is charged."""

    def __init__(self, contract: int) -> None:
        super().__init__(f"contract {contract} does not exist, or has no billing profile at that time")
