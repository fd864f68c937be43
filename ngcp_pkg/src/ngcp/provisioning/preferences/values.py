"""Values of preferences: as JSON has them, and as tables keep them, which is text."""

import re
from collections.abc import Iterable
from typing import Final, TypeAlias

from ngcp.provisioning.preferences.catalogue import Attribute, suggestion
from ngcp.provisioning.refusals import InvalidValue

#: Values of one attribute as tables keep them, in order; none: it is not set.
Texts: TypeAlias = tuple[str, ...]

LENGTH: Final = 128
DOCUMENT_LENGTH: Final = 65_536
LIST_LENGTH: Final = 1000
NUMBERS: Final = range(2**31)
STATUSES: Final = range(300, 700)
_SECRET: Final = re.compile("pass|pin$|secret")
_NUMBER: Final = re.compile("[0-9]{1,10}")


def to_texts(attribute: Attribute, value: object) -> Texts:
    """Return a value from JSON as it is kept; raises InvalidValue."""
    if value is None or value in ("", []):
        return ()
    if not attribute.is_list:
        return (_to_text(attribute, value),)
    if not isinstance(value, list):
        raise wrong(attribute, value, "a list expected")
    if len(value) > LIST_LENGTH:
        raise wrong(attribute, f"{len(value)} values", f"at most {LIST_LENGTH} expected")
    return tuple(dict.fromkeys(_to_text(attribute, one) for one in value))


def from_texts(attribute: Attribute, texts: Texts) -> object:
    """Return what is kept as JSON has it."""
    values = [_from_text(attribute.data_type, text) for text in texts]
    return values if attribute.is_list else values[0]


def wrong(attribute: Attribute, value: object, problem: str) -> InvalidValue:
    """Return the refusal of a value; a secret is not repeated."""
    shown = "" if _SECRET.search(attribute.name) else str(value)[:LENGTH]
    return InvalidValue(attribute.name, shown, problem)


def _to_text(attribute: Attribute, value: object) -> str:
    match attribute.data_type:
        case "boolean":
            if value not in (True, False):
                raise wrong(attribute, value, "true or false expected")
            return str(int(bool(value)))
        case "int":
            return _number(attribute, value)
        case "enum" if attribute.choices:
            return _choice(attribute, str(value), attribute.choices)
        case "blob":
            return _text(attribute, value, DOCUMENT_LENGTH)
        case _:
            return _line(attribute, value)


def _number(attribute: Attribute, value: object) -> str:
    text = str(value)
    is_number = not isinstance(value, bool) and _NUMBER.fullmatch(text)
    allowed = STATUSES if attribute.group == "SIP Response Codes" else NUMBERS
    if not is_number or int(text) not in allowed:
        raise wrong(attribute, value, f"a number from {allowed[0]} to {allowed[-1]} expected")
    return str(int(text))


def _choice(attribute: Attribute, text: str, choices: Iterable[str]) -> str:
    known = tuple(choices)
    if text not in known:
        problem = f"must be one of {', '.join(known)}{suggestion(text, known)}"
        raise wrong(attribute, text, problem)
    return text


def _line(attribute: Attribute, value: object) -> str:
    text = _text(attribute, value, LENGTH)
    if not text.isprintable() or not text:
        raise wrong(attribute, value, "printable characters expected")
    return text


def _text(attribute: Attribute, value: object, most: int) -> str:
    if isinstance(value, bool) or not isinstance(value, str | int):
        raise wrong(attribute, value, "a text expected")
    text = str(value)
    if len(text) > most:
        raise wrong(attribute, value, f"at most {most} characters expected")
    return text


def _from_text(data_type: str, text: str) -> object:
    match data_type:
        case "boolean":
            return text == "1"
        case "int":
            return int(text) if _NUMBER.fullmatch(text) else text
        case _:
            return text
