"""What an operator is told: where something is wrong, what it is, what would be right."""

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing that keeps the configuration from being used."""

    text: str
    file: Path | None = None
    line: int | None = None
    key: str = ""

    def __str__(self) -> str:
        place = f"{self.file}:{self.line}" if self.file and self.line else str(self.file or "")
        return ": ".join(part for part in (place, self.key, self.text) if part)


class RefusedError(Exception):
    """Nothing was changed, for the reasons given."""

    def __init__(self, problems: Problem | str | Iterable[Problem]) -> None:
        if isinstance(problems, str):
            problems = Problem(problems)
        self.problems = (problems,) if isinstance(problems, Problem) else tuple(problems)
        super().__init__("\n".join(map(str, self.problems)))


class InvalidError(RefusedError):
    """Values are not what they may be."""
