"""Regular expressions that an operator writes and strangers' text meets: only such as cannot take for ever.

Python's matcher goes back and tries again. That grows beyond measure where a repeated group can itself match
in more than one way; everything else multiplies, and what is let pass takes less than a tenth of a second.
"""

import re
from typing import Final

#: Characters of a pattern, and of the text that is looked at.
LONGEST: Final = 128
MOST: Final = 128
#: Steps that a search may take at worst.
STEPS: Final = 2**22

#: What a pattern consists of: escapes, classes, counts, single characters.
_PIECES: Final = re.compile(r"\\.|\[\^?\]?(?:\\.|[^\]\\])*\]|\{\d*(?:,\d*)?\}|.", re.DOTALL)


def check_pattern(text: str) -> None:
    """Raise `ValueError` if `text` is no regular expression, or one that could take too long."""
    if not 0 < len(text) <= LONGEST:
        raise ValueError(f"a pattern has 1 to {LONGEST} characters")
    try:
        re.compile(text)
    except (re.error, OverflowError, RecursionError) as error:
        raise ValueError(f"no regular expression: {error}") from error
    if "(?" in text or re.search(r"\\[1-9]", text):
        raise ValueError("neither (?…) nor a reference back to a group is allowed")
    if _steps(_PIECES.findall(text)) > STEPS:
        raise ValueError("it has too many of * + ? { | to be matched in time")


def _steps(pieces: list[str]) -> int:
    """Return how many steps a search can take: each endless repetition is worth the text, each choice two."""
    steps = MOST  # the places where a match can begin
    choices = [False]  # of each group that is open: whether it can match in several ways
    closed = False  # whether the piece before closed a group that can
    for piece in pieces:
        repeats = piece in ("*", "+") or (len(piece) > 1 and piece[0] == "{")
        if repeats and closed:
            raise ValueError("a repeated group may hold neither alternatives nor repetitions")
        if piece in ("*", "+") or (repeats and "," in piece):
            steps *= MOST
        elif piece == "?" or (piece == "|" and len(choices) > 1):
            steps *= 2
        closed = False
        if piece == "(":
            choices.append(False)
        elif piece == ")":
            closed = choices.pop()
            choices[-1] = choices[-1] or closed
        elif piece in ("*", "+", "?", "|") or piece[0] == "{":
            choices[-1] = True
    return steps
