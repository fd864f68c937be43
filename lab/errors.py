"""What the lab raises."""


class LabError(Exception):
    """Something did not work; the text says what, and which log tells why."""
