"""docs/refusals.md says what the load-balancer answers by itself: no more, no less, and a test shows each."""

import importlib
import pkgutil
import re
from pathlib import Path

import ngcp.lb
from ngcp.lb.sanity import AT_MOST_ONCE, SINGLE, DuplicateHeader
from ngcp.sip.core.forwarding import TooManyHops
from ngcp.sip.errors import (
    InvalidHeader,
    InvalidRequestLine,
    InvalidUri,
    MissingHeader,
    SipError,
    VersionNotSupported,
)
from ngcp.sip.syntax.seal import ForgedToken

PROJECT = Path(__file__).resolve().parents[2]
TESTS = sorted((PROJECT / "tests").rglob("test_*.py"))

#: Answers of the engine under it, whose texts are the usual ones.
ENGINE = {"481 Call/Transaction Does Not Exist", "503 Service Unavailable"}
#: Whatever else has a grammar that is checked here.
CHECKED = ("Call-ID", "Content-Length", "CSeq", "From", "Max-Forwards", "Route", "To", "Via")


def documented() -> list[str]:
    text = (PROJECT / "docs/refusals.md").read_text()
    return re.findall(r"^\| `(\d{3} [^`]+)` \|", text, re.MULTILINE)


def kinds(root: type[SipError] = SipError) -> list[type[SipError]]:
    """Return every error there is, once all modules of the load-balancer are known."""
    return [kind for direct in root.__subclasses__() for kind in (direct, *kinds(direct))]


def raised() -> set[str]:
    for module in pkgutil.iter_modules(ngcp.lb.__path__):
        if module.name != "__main__":
            importlib.import_module(f"ngcp.lb.{module.name}")
    own = [kind for kind in kinds() if kind.__module__.startswith("ngcp.lb.") and kind is not DuplicateHeader]
    errors: list[type[SipError] | SipError] = [*own, InvalidRequestLine, TooManyHops, VersionNotSupported]
    errors += [ForgedToken, InvalidUri(""), *map(MissingHeader, SINGLE.values())]
    errors += [InvalidHeader(name, "") for name in CHECKED]
    errors += [DuplicateHeader(name) for name in (SINGLE | AT_MOST_ONCE).values()]
    return {f"{error.status} {error.reason}" for error in errors}


def test_every_refusal_is_documented_once() -> None:
    rows = documented()

    assert sorted(rows) == sorted(set(rows))
    assert set(rows) == raised() | ENGINE


def test_every_refusal_has_a_test() -> None:
    text = "".join(path.read_text() for path in TESTS if path != Path(__file__))

    assert [answer for answer in documented() if not any(form in text for form in forms(answer))] == []


def forms(answer: str) -> tuple[str, str, str]:
    """Return how a test may name an answer: by itself, as a start line, or as status and reason."""
    status, _, reason = answer.partition(" ")
    return f'"{answer}"', f'"SIP/2.0 {answer}"', f'({status}, "{reason}")'


def test_every_row_names_its_source() -> None:
    rows = re.findall(r"^\| `.*$", (PROJECT / "docs/refusals.md").read_text(), re.MULTILINE)

    assert len(rows) == len(documented())
    assert [row for row in rows if not re.search(r"\| (?:—|(?:RFC \d{4} )?§\d.*) \|$", row)] == []
