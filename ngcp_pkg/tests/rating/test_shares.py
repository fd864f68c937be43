"""Who pays what."""

import pytest

from ngcp.rating.charge import Talk
from ngcp.rating.fees import Fee, FeeTable
from ngcp.rating.profile import Contract, Mapping, Profile
from ngcp.rating.shares import Party, RatableCall, shares_of
from rating.tables import tariff

ALICE = Party(10, 1, "431001", "example.org")
BOB = Party(11, 2, "431002", "example.org")
PEER = Party(0, 7, "4917", "gw.example.net")
STRANGER = Party(0, 0, "x", "elsewhere.example")


@pytest.mark.parametrize(
    ("source", "destination", "paid"),
    [
        (ALICE, BOB, "sr1o sc10o dr2i dc11i"),
        (ALICE, PEER, "sk7o sr1o sc10o"),
        (ALICE, STRANGER, "sr1o sc10o"),
        (PEER, BOB, "dk7i dr2i dc11i"),
        (STRANGER, BOB, "dr2i dc11i"),
        (PEER, PEER, ""),
    ],
    ids=["within", "out", "foreign domain", "in", "stranger", "transit"],
)
def test_who_pays(source: Party, destination: Party, paid: str) -> None:
    call = RatableCall(1, True, Talk(0, 0), source, destination)
    letters = {"carrier": "k", "reseller": "r", "customer": "c"}

    found = [f"{s.side[0]}{letters[s.payer]}{s.contract}{s.direction[0]}" for s in shares_of(call)]

    assert found == paid.split()


def fee(number: int, destination: str) -> Fee:
    return Fee(number, None, "out", ".", destination, tariff("0/1 0/1"), tariff("0/1 0/1"))


def test_full_names_are_asked_before_numbers() -> None:
    by_domain, by_number = fee(1, "@example[.]org$"), fee(2, "^431002$")

    assert Profile(1, FeeTable([by_domain, by_number])).fee_of(ALICE, BOB, "out") is by_domain
    assert Profile(1, FeeTable([by_number])).fee_of(ALICE, BOB, "out") is by_number
    assert Profile(1, FeeTable([by_number])).fee_of(ALICE, BOB, "in") is None


def test_the_profile_is_that_of_the_time_of_the_call() -> None:
    contract = Contract(1, [Mapping(3, 200, 299), Mapping(2, 100), Mapping(1)])

    assert [contract.profile_at(instant) for instant in (50, 100, 199, 200, 299, 300)] == [1, 2, 2, 3, 3, 2]
    assert Contract(1, []).profile_at(0) is None
