"""The last line of every command that changes things: a program tells by it whether anything has changed."""

from typing import Final

NOTHING: Final = "Nothing changed."


def changed(*parts: str) -> str:
    """Say what has changed; parts may be empty."""
    return _sentence("Changed", parts)


def would_change(*parts: str) -> str:
    """Say what a dry run would have changed."""
    return _sentence("Would change", parts)


def count(number: int, what: str) -> str:
    """Say how many; nothing at all for none."""
    return f"{number} {what}{'' if number == 1 else 's'}" if number else ""


def _sentence(verb: str, parts: tuple[str, ...]) -> str:
    said = ", ".join(filter(None, parts))
    return f"{verb}: {said}." if said else NOTHING
