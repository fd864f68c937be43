"""Which preferences there are (`catalogue.tsv`): their type, where they can be set, and what they mean."""

import sys
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from importlib import resources
from typing import Final

#: Letters of the levels in the catalogue, and the levels as tables name them.
LEVELS: Final[Mapping[str, str]] = {
    "U": "usr",
    "F": "prof",
    "D": "dom",
    "P": "peer",
    "C": "contract",
    "R": "reseller",
}


@dataclass(frozen=True, slots=True)
class Attribute:
    """One preference."""

    name: str
    group: str
    data_type: str
    """boolean, int, string, enum or blob."""
    is_list: bool
    levels: frozenset[str]
    """usr, prof, dom, peer, contract, reseller."""
    access: str
    """Empty: as it is. `internal`: only we write it; `read-only`: and everybody sees it; `named`: by the name
    of what it refers to; `networks`: as a list of networks.
    """
    is_exposed: bool
    """Whether customers may set it for themselves."""
    default: str | None
    """What holds where nobody set anything."""
    choices: tuple[str, ...]
    """Values of an enum; none: whatever the configuration has."""
    description: str

    @property
    def is_writable(self) -> bool:
        """Whether operators may set it."""
        return self.access not in ("internal", "read-only")

    @property
    def is_visible(self) -> bool:
        """Whether operators see it among the preferences."""
        return self.access != "internal"


def _attribute(line: str) -> Attribute:
    name, group, data_type, occurs, levels, access, exposed, default, choices, text = line.split("\t")
    return Attribute(
        sys.intern(name),
        group,
        data_type,
        occurs == "list",
        frozenset(LEVELS[letter] for letter in levels),
        access,
        exposed == "customer",
        default or None,
        tuple(choices.split("|")) if choices else (),
        text,
    )


def _read() -> Mapping[str, Attribute]:
    text = resources.files(__package__).joinpath("catalogue.tsv").read_text("utf-8")
    attributes = map(_attribute, text.splitlines()[1:])
    return {attribute.name: attribute for attribute in attributes}


CATALOGUE: Final = _read()


def at_level(level: str) -> Mapping[str, Attribute]:
    """Return what can be set at `level`, by name."""
    return {name: attribute for name, attribute in CATALOGUE.items() if level in attribute.levels}


def suggestion(wrong: str, right: Collection[str]) -> str:
    """Return how to go on after a wrong word, or nothing if no right one resembles it."""
    near = get_close_matches(wrong, right, n=1)
    return f", did you mean '{near[0]}'?" if near else ""
