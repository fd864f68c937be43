"""The dependency direction: each room imports only what stands below it (design.md)."""

from pathlib import Path

from contract.source_tree import PATHS, every_module, imports, imports_of_text, module_name

#: Top to bottom. Rooms of one row never import each other.
ROWS = (
    {"lb", "proxy", "b2bua", "appserver", "rtpengine", "mediator", "api", "tools"},
    {"voice"},
    {"service"},
    {"net", "provisioning", "state"},
    {"sip", "sdp", "rtp", "ng", "audio", "stun", "rating"},
)
#: The rooms of the SIP core, top to bottom: RFC 3261's own structure. An error names the message to answer.
SIP_ROWS = ({"core"}, {"dialog"}, {"transaction"}, {"transport"}, {"syntax"})
SAME_ROOM = {"errors": "syntax"}


def forbidden(module: str, imported: str) -> bool:
    """Whether `module` stands too low to import `imported`."""
    here, there = module.split("."), imported.split(".")
    if here[0] == "ngcpcfg" or there[0] == "ngcpcfg":
        return "ngcp" in (here[0], there[0])
    if here[0] != "ngcp" or there[0] != "ngcp" or len(here) < 2 or len(there) < 2:
        return False
    if here[1] == there[1] == "sip" and len(here) > 2 and len(there) > 2:
        return not _is_below(SAME_ROOM.get(here[2], here[2]), SAME_ROOM.get(there[2], there[2]), SIP_ROWS)
    return not _is_below(here[1], there[1], ROWS)


def _is_below(here: str, there: str, rows: tuple[set[str], ...]) -> bool:
    return here == there or _row(there, rows) > _row(here, rows)


def _row(room: str, rows: tuple[set[str], ...]) -> int:
    found = [index for index, row in enumerate(rows) if room in row]
    assert found, f"{room} is no room of the tree: give it a row"
    return found[0]


@every_module
def test_imports_point_down(path: Path) -> None:
    module = module_name(path)

    assert [name for name in sorted(imports(path)) if forbidden(module, name)] == []


def test_the_rule_knows_its_directions() -> None:
    assert not forbidden("ngcp.lb.core", "ngcp.sip.core.proxy")
    assert not forbidden("ngcp.sip.core.proxy", "ngcp.sip.transaction.layer")
    assert forbidden("ngcp.sip.transaction.layer", "ngcp.sip.core.proxy")
    assert forbidden("ngcp.sip.core.proxy", "ngcp.net.udp")
    assert forbidden("ngcp.sip.core.proxy", "ngcp.sdp")
    assert forbidden("ngcp.lb.core", "ngcp.proxy.core")
    assert forbidden("ngcpcfg.build", "ngcp.service")
    assert forbidden("ngcp.api.app", "ngcpcfg.build")


def test_relative_imports_are_seen() -> None:
    assert imports_of_text("from ..net import udp\nfrom . import uri", "ngcp.sip") == {
        "ngcp.net",
        "ngcp.sip.uri",
    }
    assert {"ngcp.sip.core.proxy", "ngcp.sip.syntax.uri"} <= {module_name(path) for path in PATHS}
