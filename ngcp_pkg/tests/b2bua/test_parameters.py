"""What a call is told by P-App-Param, and what it names by Replaces and Refer-To."""

from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ngcp.b2bua.profile import HeaderFilter, Profile
from ngcp.b2bua.references import map_event, map_refer_to, map_replaces
from ngcp.b2bua.terms import Terms, terms_of
from ngcp.sip.core.challenge import Secret
from ngcp.sip.dialog.session_timer import Policy
from ngcp.sip.errors import InvalidHeader, SipError
from ngcp.voice.parameters import read

TEXT = st.text(st.characters(exclude_characters="\r\n", exclude_categories=["Cs"]), max_size=80)


def test_parameters_are_read() -> None:
    timers = ";sst_enable=yes;sst_expires=1800;sst_min_timer=100"

    terms = terms_of(f';calltimer=60{timers};peer_auth_user="a;b";peer_auth_pass="c\\"d"')

    assert terms.calltimer == 60
    assert (terms.near_timer, terms.far_timer) == (None, Policy(expires=1800, least=100))
    assert terms.secret == Secret("a;b", 'c"d')
    assert terms.has_timers


def test_nothing_said_is_the_usual() -> None:
    assert terms_of("") == terms_of(";unknown=x;sst_enable=no;aleg_sst_enable=no") == Terms()


def test_the_first_of_equal_names_counts() -> None:
    assert read(";a=1;A=2;b") == {"a": "1", "b": ""}


@pytest.mark.parametrize(
    "text",
    [";calltimer=long", ";sst_enable=maybe", ";refer=perhaps", ";sst_enable=yes;sst_refresh_method=INFO"],
)
def test_what_cannot_be_meant_is_refused(text: str) -> None:
    with pytest.raises(InvalidHeader):
        terms_of(text)


def test_a_timer_is_within_its_bounds() -> None:
    terms = terms_of(";sst_enable=yes;sst_expires=10;sst_min_timer=1;sst_max_timer=20")

    assert terms.far_timer == Policy(expires=90, least=90, most=90)


@given(TEXT)
def test_strange_values_are_sip_errors(text: str) -> None:
    readers: list[Callable[[str], object]] = [terms_of, map_event]
    readers += [lambda value: map_replaces(value, {}), lambda value: map_refer_to(value, {})]
    for reader in readers:
        try:
            reader(text)
        except SipError as error:
            assert error.reason


def test_a_dialog_that_is_not_ours_keeps_its_name() -> None:
    assert map_replaces("c;to-tag=a;from-tag=b", {}) == "c;to-tag=a;from-tag=b"
    assert map_refer_to("<sip:b@h?Replaces=c%3Bto-tag%3Da>", {}) == "<sip:b@h?Replaces=c%3Bto-tag%3Da>"
    assert map_event("refer;id=7") == "refer"
    assert map_event("dialog;id=7") == "dialog;id=7"


@pytest.mark.parametrize("pattern", ["", "X:", "*a*b*", "x" * 65])
def test_a_pattern_that_is_none_is_refused(pattern: str) -> None:
    with pytest.raises(ValueError, match="is no name of a header"):
        HeaderFilter(allow=(pattern,))


def test_an_unknown_way_with_transfers_is_refused() -> None:
    with pytest.raises(ValueError, match="refer is one of"):
        Profile(refer="perhaps")
