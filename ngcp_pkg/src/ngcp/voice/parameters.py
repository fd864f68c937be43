"""What the proxy wants for one call: the parameters of P-App-Param, `;calltimer=21600;sst_enable=no`."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Final, TypeVar

from ngcp.sip.dialog.session_timer import METHODS, Policy
from ngcp.sip.errors import InvalidHeader
from ngcp.sip.syntax.fields import split_outside, unquote_string

HEADER: Final = "p-app-param"
#: Seconds of a call where nobody says more: none is longer.
LONGEST: Final = 21_600.0
#: Spellings of yes and no.
_YES: Final = {"yes": True, "1": True, "true": True, "no": False, "0": False, "false": False, "": False}

_Value = TypeVar("_Value")


def read(text: str) -> dict[str, str]:
    """Read `;name=value;name="value"`; names in lower case, the first of equal names counts."""
    parameters: dict[str, str] = {}
    for part in split_outside(text, ";"):
        name, _, value = part.partition("=")
        parameters.setdefault(name.strip().lower(), unquote_string(value.strip()))
    return parameters


def seconds(parameters: Mapping[str, str], name: str, default: float) -> float:
    """Return a parameter in seconds, or raise `InvalidHeader`."""
    return one(parameters, name, default, _number)


def whole(parameters: Mapping[str, str], name: str, digits: int) -> int | None:
    """Return a parameter that is a number of so many digits at most; None if it is none."""
    text = parameters.get(name, "")
    return int(text) if text.isascii() and text.isdecimal() and len(text) <= digits else None


def flag(parameters: Mapping[str, str], name: str) -> bool:
    """Return a parameter that is yes or no, or raise `InvalidHeader`."""
    return one(parameters, name, False, lambda text: _YES[text.lower()])


def session_timer(given: Mapping[str, str], prefix: str) -> Policy | None:
    """Return the terms of the session timer that `PREFIXsst_*` ask for; None: there is none."""
    if not flag(given, f"{prefix}sst_enable"):
        return None
    usual = Policy()
    least = max(int(seconds(given, f"{prefix}sst_min_timer", usual.least)), usual.least)
    most = max(int(seconds(given, f"{prefix}sst_max_timer", usual.most)), least)
    expires = int(seconds(given, f"{prefix}sst_expires", usual.expires))
    method = one(given, f"{prefix}sst_refresh_method", usual.method, _METHODS.__getitem__)
    return replace(usual, expires=min(max(expires, least), most), least=least, most=most, method=method)


_METHODS: Final = {method: method for method in METHODS}


def _number(text: str) -> float:
    if not (text.isascii() and text.isdigit() and len(text) <= 9):
        raise ValueError(text)
    return float(text)


def one(
    parameters: Mapping[str, str], name: str, default: _Value, read_value: Callable[[str], _Value]
) -> _Value:
    """Return a parameter as `read_value` reads it, or raise `InvalidHeader`; without one, the default."""
    text = parameters.get(name)
    if not text:
        return default
    try:
        return read_value(text)
    except (KeyError, ValueError):
        raise InvalidHeader("P-App-Param", f"{name}={text}") from None
