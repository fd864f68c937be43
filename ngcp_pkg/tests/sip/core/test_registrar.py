"""Bindings come, are refreshed and go (RFC 3261 §10.3)."""

from itertools import count

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ngcp.sip.core.registrar import (
    AddressOfRecord,
    BadContact,
    IntervalTooBrief,
    OutOfOrder,
    Registrar,
    Rules,
    Source,
    TooManyContacts,
    Update,
)
from ngcp.sip.syntax import Request

ALICE = AddressOfRecord("alice", "example.org")
SOURCE = Source("<sip:lb@127.0.0.1:5060;lr>", "sip:192.0.2.1:5060", "udp:198.51.100.1:5060")


def make_registrar(**rules: int) -> Registrar:
    ids = count(1)
    return Registrar(Rules(**rules), lambda: f"r{next(ids)}")


def make_register(*contacts: str, cseq: int = 1, call_id: str = "c", expires: str | None = None) -> Request:
    lines = [
        f"Call-ID: {call_id}",
        f"CSeq: {cseq} REGISTER",
        *(f"Contact: {contact}" for contact in contacts),
    ]
    return Request("REGISTER", "sip:example.org", lines + ([f"Expires: {expires}"] if expires else []))


def register(registrar: Registrar, request: Request, now: float = 0.0) -> Update:
    update = registrar.plan(ALICE, request, SOURCE, now)
    registrar.commit(update)
    return update


def test_register_refresh_unregister() -> None:
    registrar = make_registrar()
    register(registrar, make_register("<sip:a@192.0.2.1>;expires=600;q=0.5"))
    assert registrar.contacts(ALICE, 100.0) == ["<sip:a@192.0.2.1>;q=0.5;expires=500"]

    refresh = register(registrar, make_register("<sip:a@192.0.2.1>", cseq=2, expires="600"), 200.0)
    assert [binding.ruid for binding in refresh.saved] == ["r1"]
    assert registrar.contacts(ALICE, 200.0) == ["<sip:a@192.0.2.1>;expires=600"]

    register(registrar, make_register("<sip:a@192.0.2.1>;expires=0", cseq=3), 300.0)
    assert registrar.contacts(ALICE, 300.0) == []
    assert len(registrar) == 0


def test_plan_changes_nothing_until_it_is_committed() -> None:
    registrar = make_registrar()
    registrar.plan(ALICE, make_register("<sip:a@192.0.2.1>"), SOURCE, 0.0)
    assert len(registrar) == 0


def test_query_without_contact_changes_nothing() -> None:
    registrar = make_registrar()
    register(registrar, make_register("<sip:a@192.0.2.1>"))
    assert register(registrar, make_register(cseq=2)) == Update(ALICE, [], [])
    assert len(registrar.contacts(ALICE, 0.0)) == 1


def test_star_removes_all() -> None:
    registrar = make_registrar()
    register(registrar, make_register("<sip:a@192.0.2.1>", "<sip:a@192.0.2.2>"))
    register(registrar, make_register("*", cseq=2, expires="0"))
    assert len(registrar) == 0


@pytest.mark.parametrize(
    "request_",
    [make_register("*"), make_register("*", expires="60"), make_register("*", "<sip:a@h>", expires="0")],
)
def test_star_needs_expires_0_and_stands_alone(request_: Request) -> None:
    with pytest.raises(BadContact):
        make_registrar().plan(ALICE, request_, SOURCE, 0.0)


@pytest.mark.parametrize(
    "contact", ["<mailto:a@h>", "<sip:>", "<tel:+431>", f"<sip:{'x' * 512}@h>", "<http://h/>"]
)
def test_contact_that_cannot_be_called_is_refused(contact: str) -> None:
    with pytest.raises(BadContact):
        make_registrar().plan(ALICE, make_register(contact), SOURCE, 0.0)


def test_older_request_of_the_same_call_id_aborts() -> None:
    """§10.3 step 7: requests that overtook one another do not undo each other."""
    registrar = make_registrar()
    register(registrar, make_register("<sip:a@192.0.2.1>", cseq=5))
    with pytest.raises(OutOfOrder):
        registrar.plan(ALICE, make_register("<sip:a@192.0.2.1>;expires=0", cseq=4), SOURCE, 1.0)
    assert register(registrar, make_register("<sip:a@192.0.2.1>", cseq=1, call_id="rebooted")).saved


@pytest.mark.parametrize(
    ("asked", "granted"), [(None, 3600), ("60", 60), ("999999", 43200), ("99999999999", 3600), ("soon", 3600)]
)
def test_interval_granted(asked: str | None, granted: int) -> None:
    update = register(make_registrar(), make_register("<sip:a@192.0.2.1>", expires=asked))
    assert update.saved[0].expires_at == granted


def test_interval_too_brief() -> None:
    """§10.3 step 7 with §21.4.17."""
    with pytest.raises(IntervalTooBrief) as caught:
        make_registrar().plan(ALICE, make_register("<sip:a@192.0.2.1>;expires=59"), SOURCE, 0.0)
    assert caught.value.status == 423


def test_contact_parameter_wins_over_expires_header() -> None:
    update = register(make_registrar(), make_register("<sip:a@h>;expires=100", "<sip:b@h>", expires="200"))
    assert [binding.expires_at for binding in update.saved] == [100, 200]


def test_too_many_contacts_change_nothing() -> None:
    registrar = make_registrar(max_contacts=2)
    register(registrar, make_register("<sip:a@192.0.2.1>", "<sip:a@192.0.2.2>"))
    with pytest.raises(TooManyContacts):
        registrar.plan(ALICE, make_register("<sip:a@192.0.2.3>", cseq=2), SOURCE, 0.0)
    assert register(
        registrar, make_register("<sip:a@192.0.2.3>", "<sip:a@192.0.2.1>;expires=0", cseq=2)
    ).removed


def test_moved_device_replaces_its_binding() -> None:
    """RFC 5626 §6: the same instance and reg-id is the same flow's successor, whatever its address."""
    registrar = make_registrar()
    device = '+sip.instance="<urn:uuid:1>";reg-id=1'
    register(registrar, make_register(f"<sip:a@192.0.2.1:1000>;{device}"))
    register(registrar, make_register(f"<sip:a@192.0.2.1:2000>;{device}", call_id="rebooted"))
    assert registrar.contacts(ALICE, 0.0) == [
        '<sip:a@192.0.2.1:2000>;expires=3600;+sip.instance="<urn:uuid:1>";reg-id=1'
    ]


def test_best_contact_comes_first() -> None:
    registrar = make_registrar()
    register(registrar, make_register("<sip:low@h>;q=0.1", "<sip:high@h>;q=0.9", "<sip:odd@h>;q=x"))
    assert [b.contact for b in registrar.bindings(ALICE, 0.0)] == ["sip:odd@h", "sip:high@h", "sip:low@h"]


def test_expired_binding_is_not_called_and_later_forgotten() -> None:
    registrar = make_registrar()
    register(registrar, make_register("<sip:a@192.0.2.1>;expires=60"))
    assert registrar.bindings(ALICE, 60.0) == []
    assert [binding.contact for binding in registrar.expire(60.0)] == ["sip:a@192.0.2.1"]
    assert registrar.expire(61.0) == []


def test_bindings_survive_a_reload() -> None:
    before, after = make_registrar(), make_registrar()
    register(before, make_register("<sip:a@192.0.2.1>"))
    after.load(before)
    assert after.contacts(ALICE, 0.0) == before.contacts(ALICE, 0.0)


@given(st.lists(st.tuples(st.integers(0, 3), st.booleans()), max_size=20))
def test_memory_is_what_the_updates_say(steps: list[tuple[int, bool]]) -> None:
    """Whoever stores each update has what memory has: that is what a restart finds."""
    registrar, stored = make_registrar(max_contacts=3), dict[str, str]()
    for cseq, (device, wanted) in enumerate(steps, 1):
        contact = f"<sip:a@192.0.2.{device}>;expires={600 if wanted else 0}"
        try:
            update = register(registrar, make_register(contact, cseq=cseq))
        except TooManyContacts:
            continue
        stored = {ruid: uri for ruid, uri in stored.items() if ruid not in {b.ruid for b in update.removed}}
        stored |= {binding.ruid: binding.contact for binding in update.saved}
    assert stored == {binding.ruid: binding.contact for binding in registrar}
