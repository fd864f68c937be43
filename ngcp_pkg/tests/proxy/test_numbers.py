"""What becomes of numbers: classes of service, emergency mappings, portability; as tables."""

import pytest

from ngcp.provisioning.rewriting import variables
from ngcp.provisioning.runtime import (
    NO_PREFERENCES,
    Carrier,
    NcosLevel,
    Ported,
    Preferences,
    RewriteRule,
)
from ngcp.proxy.emergency import is_emergency, mapped
from ngcp.proxy.portability import Portability, rewritten, routed
from ngcp.proxy.restriction import Dialled, permits

VIENNA = Dialled("4311001", "431")


@pytest.mark.parametrize(
    ("level", "dialled", "permitted"),
    [
        (NcosLevel("l", False), VIENNA, True),
        (NcosLevel("l", True), VIENNA, False),
        (NcosLevel("l", False, ("^49", "^43")), VIENNA, False),
        (NcosLevel("l", False, ("^49",)), VIENNA, True),
        (NcosLevel("l", True, ("^49", "^43")), VIENNA, True),
        (NcosLevel("l", True, ("^49",)), VIENNA, False),
        (NcosLevel("l", True, matches_local_area=True), VIENNA, True),
        (NcosLevel("l", True, matches_local_area=True), Dialled("4366", "431"), False),
        (NcosLevel("l", True, matches_local_area=True), Dialled("4366"), False),
        (NcosLevel("l", False, matches_local_area=True), VIENNA, False),
        (NcosLevel("l", True, matches_pbx=True), Dialled("200", is_own_pbx=True), True),
        (NcosLevel("l", True, matches_pbx=True), Dialled("200"), False),
        (NcosLevel("l", False, carriers=frozenset({7})), Dialled("43", carrier=7), False),
        (NcosLevel("l", False, carriers=frozenset({7})), Dialled("43", carrier=8), True),
        (NcosLevel("l", False, carrier_patterns=((7, "^43"),)), Dialled("43", carrier=7), False),
        (NcosLevel("l", False, carrier_patterns=((7, "^43"),)), Dialled("49", carrier=7), True),
        (NcosLevel("l", False, carrier_patterns=((7, "^43"),)), Dialled("43", carrier=8), True),
        (NcosLevel("l", False, carrier_patterns=((7, "^43"),)), Dialled("43"), True),
    ],
)
def test_class_of_service(level: NcosLevel, dialled: Dialled, permitted: bool) -> None:
    assert permits(level, dialled) is permitted


@pytest.mark.parametrize(
    ("number", "expected"),
    [("emergency_112", "emergency_E1_112"), ("emergency_133", "emergency_133")],
)
def test_emergency_mapping(number: str, expected: str) -> None:
    assert mapped(number, {"112": "E1_112"}) == expected


def test_only_marked_numbers_are_emergencies() -> None:
    assert is_emergency("emergency_112")
    assert not is_emergency("112")


CARRIERS = {7: Carrier(7, "c", "D7"), 8: Carrier(8, "d", "", skips_rewrite=True)}


@pytest.mark.parametrize(
    ("ported", "preferences", "expected"),
    [
        (None, {}, Portability("4311")),
        (None, {"default_lnp_prefix": "D0"}, Portability("D04311")),
        (None, {"lnp_add_npdi": "1"}, Portability("4311", None, True)),
        (Ported(7), {"default_lnp_prefix": "D0"}, Portability("D74311", None, False, CARRIERS[7])),
        (Ported(7, "43999"), {}, Portability("D743999", None, False, CARRIERS[7])),
        (Ported(7, "43999"), {"lnp_to_rn": "1"}, Portability("4311", "D743999", False, CARRIERS[7])),
        (Ported(7), {"lnp_to_rn": "1", "lnp_add_npdi": "1"}, Portability("4311", "D7", True, CARRIERS[7])),
        (Ported(8), {"lnp_to_rn": "1"}, Portability("4311", None, False, CARRIERS[8])),
        (Ported(99, "43999"), {}, Portability("4311")),
    ],
    ids=[
        "not ported",
        "default prefix",
        "looked up in vain",
        "carrier's prefix",
        "routing number",
        "as rn",
        "rn is the prefix",
        "nothing to say",
        "unknown carrier",
    ],
)
def test_portability(ported: Ported | None, preferences: dict[str, str], expected: Portability) -> None:
    layers = Preferences(({name: (value,) for name, value in preferences.items()},))
    assert routed("4311", ported, CARRIERS, layers) == expected


@pytest.mark.parametrize(("carrier", "expected"), [(None, "x"), (CARRIERS[7], "x"), (CARRIERS[8], "D7")])
def test_a_carrier_may_skip_the_rules(carrier: Carrier | None, expected: str) -> None:
    look_up = variables(NO_PREFERENCES, NO_PREFERENCES)
    assert rewritten("D7", carrier, [RewriteRule("^D7", "x")], look_up) == expected
