"""The manual pages name what the programs know."""

import dataclasses
import inspect
import re
import tomllib
from pathlib import Path
from typing import get_args, get_type_hints

import pytest

from ngcp.api import config as api
from ngcp.appserver import config as appserver
from ngcp.b2bua import config as b2bua
from ngcp.lb import config as lb
from ngcp.mediator import config as mediator
from ngcp.proxy import config as proxy
from ngcp.rtpengine import config as rtpengine
from ngcp.tools import cdr_exporter, cleanup_acc
from ngcpcfg.command_line import COMMANDS, GIT_COMMANDS
from ngcpcfg.configuration import ORDER
from ngcpcfg.network import TYPES
from ngcpcfg.paths import Paths
from ngcpcfg.service import ACTIONS

PROJECT = Path(__file__).resolve().parents[2]
PAGES = PROJECT / "docs/man"


def page(name: str) -> str:
    return (PAGES / f"{name}.8.md").read_text()


def bold(name: str) -> set[str]:
    """Give the words that a page names in bold: commands, options, keys."""
    return set(re.findall(r"[\w.-]+", " ".join(re.findall(r"\*\*(.+?)\*\*", page(name)))))


def keys(cls: type) -> set[str]:
    """Give the names of all fields of a dataclass and of those in it."""
    assert dataclasses.is_dataclass(cls)
    names: set[str] = set()
    hints = get_type_hints(cls)
    for field in dataclasses.fields(cls):
        names.add(field.name)
        for kind in (hints[field.name], *get_args(hints[field.name])):
            if isinstance(kind, type) and dataclasses.is_dataclass(kind):
                names |= keys(kind)
    return names


def test_every_program_has_a_page_and_every_page_a_program() -> None:
    programs = tomllib.loads((PROJECT / "pyproject.toml").read_text())["project"]["scripts"]

    assert {path.name.removesuffix(".8.md") for path in PAGES.iterdir()} == set(programs)


@pytest.mark.parametrize("path", sorted(PAGES.iterdir()), ids=lambda path: path.name)
def test_a_page_says_whose_it_is(path: Path) -> None:
    name = path.name.removesuffix(".8.md")
    lines = path.read_text().splitlines()

    assert lines[0] == f"% {name.upper()}(8) | System administration"
    assert lines[4].startswith(f"{name} - ")


@pytest.mark.parametrize(
    ("name", "cls"),
    [
        ("asterisk", appserver.Configuration),
        ("kamailio-lb", lb.Configuration),
        ("kamailio-proxy", proxy.Configuration),
        ("ngcp-api", api.Config),
        ("ngcp-sems", b2bua.Configuration),
        ("ngcp-cdr-exporter", cdr_exporter.Config),
        ("ngcp-cleanup-acc", cleanup_acc.Config),
        ("ngcp-mediator", mediator.Configuration),
    ],
)
def test_a_daemons_page_names_every_key_of_its_configuration(name: str, cls: type) -> None:
    assert keys(cls) - bold(name) == set()


def test_the_media_relays_page_names_every_key_of_its_configuration() -> None:
    assert {key.upper() for key in keys(rtpengine.Configuration)} - bold("ngcp-rtpengine-daemon") == set()


def test_ngcpcfgs_page_names_every_command() -> None:
    assert {*COMMANDS, *GIT_COMMANDS, "help", "version"} - bold("ngcpcfg") == set()


def test_ngcpcfgs_page_names_every_file_type_and_place() -> None:
    text = page("ngcpcfg").replace("\\", "")
    moved = re.findall(r'environment\.get\("(\w+)"', inspect.getsource(Paths.from_environment))

    assert len(moved) == len(dataclasses.fields(Paths))
    assert [word for word in (*ORDER, *TYPES, *moved) if word not in text] == []


def test_ngcp_services_page_gives_the_actions_in_their_order() -> None:
    assert "|".join(f"**{action}**" for action in ACTIONS) in page("ngcp-service")
