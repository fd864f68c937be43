"""Registrations at foreign registrars (RFC 3261 §10.2), on a virtual clock."""

from dataclasses import replace

import pytest

from flows.registrars import ASKS, EPOCH, KEY, Enrolled, Registrar, account, asked_seconds
from ngcp.b2bua.accounts import Standing, Status
from ngcp.b2bua.registrations import BASE, EXPIRES, SLOWEST
from ngcp.sip.syntax.fields import parse_auth


def registered(seconds: int = 600) -> Enrolled:
    here = Enrolled()
    here.want(account())
    here.accept(seconds)
    assert here.standing.status is Status.ACTIVE
    return here


def test_registers_by_the_load_balancer_with_a_contact_that_leads_back() -> None:
    here = Enrolled()
    here.want(account())

    (request,) = here.heard
    assert request.uri == "sip:carrier.example"
    assert request.all("route") == ["<sip:127.0.0.1:5060;lr>", "<sip:198.51.100.9:5060;lr>"]
    assert request.first("To") == "<sip:trunk@carrier.example>"
    assert request.first("Contact") == f"<sip:trunk@192.0.2.1:5060;uuid=uuid-7>;expires={EXPIRES}"
    assert here.standing.status is Status.PENDING
    assert "authorization" not in request


def test_challenge_is_answered() -> None:
    here = Enrolled()
    here.want(account())
    first = here.answer(401, ASKS)
    second = here.accept()

    _, said = parse_auth(second.first("Authorization"))
    assert (said["username"], said["realm"], said["uri"]) == ("trunk", "carrier.example", first.uri)
    assert (first.cseq.number, second.cseq.number) == (1, 2)
    assert first.call_id == second.call_id
    assert here.standing.status is Status.ACTIVE
    assert here.standing.expiry == pytest.approx(EPOCH + 600, abs=1)


def test_is_refreshed_before_it_ends() -> None:
    here = registered(600)
    here.run(600 * 0.74)
    assert len(here.heard) == 1
    here.run(600 * 0.17)
    again = here.accept()
    assert again.call_id == here.heard[0].call_id
    assert again.cseq.number == 2
    assert here.standing.expiry == pytest.approx(EPOCH + here.wire.now - 1000 + 600, abs=1)


def test_answer_without_a_contact_of_ours_counts_as_a_whole() -> None:
    here = Enrolled()
    here.want(account())
    here.answer(200, "Contact: <garbage", "Expires: 100")
    assert here.standing.expiry == pytest.approx(EPOCH + 100, abs=1)


def test_answer_that_grants_nothing_is_a_failure() -> None:
    here = Enrolled()
    here.want(account())
    here.accept(0)
    assert here.standing.status is Status.FAILED


def test_wrong_password_backs_off_and_recovers() -> None:
    here = Enrolled()
    here.want(account())
    here.answer(401, ASKS)
    here.answer(401, ASKS)
    assert (here.standing.status, here.standing.code) == (Status.FAILED, 401)
    here.run(BASE / 2 - 1)
    assert len(here.heard) == 2
    here.run(BASE / 2 + 1)
    assert len(here.heard) == 3
    here.answer(401, ASKS)
    here.accept()
    assert here.standing.status is Status.ACTIVE


def test_registrar_that_never_answers_is_asked_ever_more_rarely_but_for_ever() -> None:
    here = Enrolled()
    here.want(account())
    here.run(40)
    assert (here.standing.status, here.standing.code) == (Status.FAILED, 408)
    here.run(24 * 3600)
    requests = here.heard
    assert 24 * 3600 / (SLOWEST + 32) - 2 < len(requests) < 2 * 24 * 3600 / SLOWEST + 16
    here.run(SLOWEST + 40)
    assert len(here.heard) > len(requests)
    assert here.b2bua.transactions <= 1


def test_busy_registrar_says_when_to_come_again() -> None:
    here = Enrolled()
    here.want(account())
    here.answer(503, "Retry-After: 300 (maintenance)")
    here.run(298)
    assert len(here.heard) == 1
    here.run(5)
    assert len(here.heard) == 2


def test_registrar_that_wants_longer_registrations_gets_them() -> None:
    here = Enrolled()
    here.want(account())
    here.answer(423, "Min-Expires: 7200")
    assert asked_seconds(here.accept(7200)) == "7200"
    assert here.standing.status is Status.ACTIVE


@pytest.mark.parametrize("least", ["99999999", "3600", "x"])
def test_registrar_that_wants_nonsense_is_no_loop(least: str) -> None:
    here = Enrolled()
    here.want(account())
    here.answer(423, f"Min-Expires: {least}")
    here.run(5)
    assert len(here.heard) == 1


def test_one_that_is_wanted_no_more_is_unregistered() -> None:
    here = registered()
    here.all.changed.clear()
    here.want()
    request = here.answer(401, ASKS)
    assert asked_seconds(request) == request.first("Expires") == "0"
    here.answer(200)
    assert here.all.standings == {}
    assert here.all.changed == {KEY}
    here.run(3600)
    assert len(here.heard) == 3


def test_one_that_never_was_registered_just_goes() -> None:
    here = Enrolled()
    here.want(account())
    here.answer(403)
    here.want()
    here.run(3600)
    assert len(here.heard) == 1


def test_one_that_goes_while_it_registers_is_unregistered_after_the_answer() -> None:
    here = Enrolled()
    here.want(account())
    here.want()
    assert len(here.heard) == 1
    here.accept()
    assert asked_seconds(here.heard[1]) == "0"


def test_one_that_comes_back_while_it_goes_is_registered_after_it() -> None:
    here = registered()
    here.want()
    here.want(account())
    assert [asked_seconds(one) for one in here.heard] == ["3600", "0"]
    here.answer(200)
    here.accept()
    assert [one.cseq.number for one in here.heard] == [1, 2, 3]
    assert len({one.call_id for one in here.heard}) == 1
    assert here.standing.status is Status.ACTIVE


def test_new_password_is_tried_at_once_and_the_same_account_is_left_alone() -> None:
    here = registered()
    here.want(account())
    assert len(here.heard) == 1
    here.want(account(password="new"))
    assert [asked_seconds(one) for one in here.heard] == ["3600", "3600"]


def test_other_user_is_another_registration() -> None:
    here = registered()
    here.want(account(name="other"))
    assert [(one.to.uri.user, asked_seconds(one)) for one in here.heard[1:]] == [
        ("trunk", "0"),
        ("other", "3600"),
    ]


def test_operator_refreshes_and_removes() -> None:
    here = registered()
    assert here.all.refresh(KEY, here.wire.now)
    here.run()
    here.accept()
    assert here.all.remove(KEY, here.wire.now)
    here.run()
    assert asked_seconds(here.heard[2]) == "0"
    assert not here.all.refresh(KEY, here.wire.now)
    assert not here.all.remove(KEY, here.wire.now)


def test_start_remembers_and_spreads() -> None:
    here = Enrolled()
    before = Standing(Status.ACTIVE, EPOCH - 10, EPOCH + 500, 200, "OK", "sip:x")
    accounts = [account(number) for number in range(1, 201)]
    here.want(*accounts, stored={KEY: before, KEY._replace(number=999): before})
    assert replace(here.standing, contact="sip:x") == before
    assert KEY._replace(number=999) in here.all.changed
    assert len(here.heard) < 20
    here.run(11)
    assert len(here.heard) == 200


@pytest.mark.parametrize("copies", [0, 2])
@pytest.mark.parametrize("number", range(4))
def test_any_one_message_may_be_lost_or_doubled(number: int, copies: int) -> None:
    here = Enrolled(Registrar)
    sent = here.wire.packets
    here.wire.meddler = lambda packet: copies if packet.number == number else 1
    here.want(account())
    here.run(5)
    assert len(sent) >= 4
    assert here.standing.status is Status.ACTIVE
    assert len(here.heard) == 2


def test_registers_for_days() -> None:
    here = Enrolled(Registrar)
    here.want(account())
    for _ in range(48):
        here.run(3600)
        assert here.standing.is_bound(here.all.wall())
        assert here.standing.status is Status.ACTIVE
    assert 2 * 48 < len(here.heard) < 2 * 48 * 1.5
