"""Regular expressions that an operator writes and strangers' text meets: only such as cannot take for ever.

Python's matcher goes back and tries again. That grows beyond measure where a group is repeated that can match
in more than one way; everything else multiplies, and what is let pass takes a tenth of a second at worst.
ngcpcfg refuses the same (`ngcpcfg.schema`), so that no daemon is restarted to find out.
"""

import re
from typing import Final

#: Characters of a pattern, and of the text that is looked at.
LONGEST: Final = 128
MOST: Final = 128
#: Steps that a search may take at worst.
STEPS: Final = 2**21

_FORBIDDEN: Final = re.compile(r"\)[*+{]|\(\?|\\[1-9]")


def check_pattern(text: str) -> None:
    """Raise `ValueError` if `text` is no regular expression, or one that could take too long."""
    if not 0 < len(text) <= LONGEST:
        raise ValueError(f"a pattern has 1 to {LONGEST} characters")
    try:
        re.compile(text)
    except (re.error, OverflowError, RecursionError) as error:
        raise ValueError(f"no regular expression: {error}") from error
    if _FORBIDDEN.search(text):
        raise ValueError("no group may be repeated, begin with (? or be referred to")
    repetitions, choices = len(re.findall(r"[*+{]", text)), len(re.findall(r"[?|]", text))
    if MOST ** (1 + repetitions) * 2**choices > STEPS:
        raise ValueError("it has too many of * + { ? | to be matched in time")
