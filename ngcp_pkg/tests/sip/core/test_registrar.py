"""Bindings come, are refreshed and go (RFC 3261 §10.3)."""

from itertools import count

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from ngcp.sip.core.acceptance import headers_for
from ngcp.sip.core.bindings import AddressOfRecord, Rules, Source, Update
from ngcp.sip.core.gruu import Gruus
from ngcp.sip.core.registrar import Registrar
from ngcp.sip.core.registration import (
    BadContact,
    IntervalTooBrief,
    OutOfOrder,
    TooManyContacts,
    UnknownExtension,
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


def contacts(registrar: Registrar, now: float) -> list[str]:
    """Return what an answer to a query says at `now`."""
    headers = headers_for(make_register(), registrar.bindings(ALICE, now), Gruus(b"s", registrar), now)
    assert {name for name, _ in headers} <= {"Contact"}
    return [value for _, value in headers]


def test_register_refresh_unregister() -> None:
    registrar = make_registrar()
    register(registrar, make_register("<sip:a@192.0.2.1>;expires=600;q=0.5"))
    assert contacts(registrar, 100.0) == ["<sip:a@192.0.2.1>;q=0.5;expires=500"]

    refresh = register(registrar, make_register("<sip:a@192.0.2.1>", cseq=2, expires="600"), 200.0)
    assert [binding.ruid for binding in refresh.saved] == ["r1"]
    assert contacts(registrar, 200.0) == ["<sip:a@192.0.2.1>;expires=600"]

    register(registrar, make_register("<sip:a@192.0.2.1>;expires=0", cseq=3), 300.0)
    assert contacts(registrar, 300.0) == []
    assert len(registrar) == 0


def test_plan_changes_nothing_until_it_is_committed() -> None:
    registrar = make_registrar()
    registrar.plan(ALICE, make_register("<sip:a@192.0.2.1>"), SOURCE, 0.0)
    assert len(registrar) == 0


def test_query_without_contact_changes_nothing() -> None:
    registrar = make_registrar()
    register(registrar, make_register("<sip:a@192.0.2.1>"))
    assert register(registrar, make_register(cseq=2)) == Update(ALICE, [], [])
    assert len(contacts(registrar, 0.0)) == 1


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
    assert contacts(registrar, 0.0) == [
        '<sip:a@192.0.2.1:2000>;expires=3600;+sip.instance="<urn:uuid:1>";reg-id=1'
    ]


def test_refresh_is_granted_even_above_a_limit_that_was_lowered() -> None:
    before, after = make_registrar(), Registrar(Rules(max_contacts=1), lambda: "new")
    register(before, make_register("<sip:a@192.0.2.1>", "<sip:a@192.0.2.2>"))
    after.load(before)
    assert register(after, make_register("<sip:a@192.0.2.1>", cseq=2)).saved
    with pytest.raises(TooManyContacts):
        after.plan(ALICE, make_register("<sip:a@192.0.2.3>", cseq=2), SOURCE, 0.0)


def test_contact_named_twice_is_one_contact() -> None:
    registrar = make_registrar()
    register(registrar, make_register("<sip:a@192.0.2.1>;q=0.1", "<sip:a@192.0.2.1:5060>", "<sip:A@h>"))
    update = register(registrar, make_register("<sip:a@192.0.2.1>", "<sip:a@192.0.2.1>;q=0.5", cseq=2))
    assert [(binding.contact, binding.q) for binding in update.saved] == [("sip:a@192.0.2.1", 0.5)]
    assert len(registrar) == 3


def test_required_extension_that_is_unknown() -> None:
    """§10.3 step 2."""
    request = make_register("<sip:a@192.0.2.1>")
    request.append("Require", "path, x-magic, GRUU, y")
    with pytest.raises(UnknownExtension) as caught:
        make_registrar().plan(ALICE, request, SOURCE, 0.0)
    assert (caught.value.status, caught.value.headers) == (420, (("Unsupported", "x-magic, y"),))


def test_only_one_flow_is_registered_at_a_time() -> None:
    """RFC 5626 §6."""
    flows = [f'<sip:a@192.0.2.{n}>;+sip.instance="<urn:uuid:1>";reg-id={n}' for n in (1, 2)]
    registrar = make_registrar()
    with pytest.raises(BadContact):
        registrar.plan(ALICE, make_register(*flows), SOURCE, 0.0)
    for cseq, flow in enumerate(flows, 1):
        register(registrar, make_register(flow, cseq=cseq))
    assert len(registrar) == 2


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
    assert contacts(after, 0.0) == contacts(before, 0.0)


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


#: A device: host, instance, reg-id.
DEVICES = st.tuples(st.integers(0, 4), st.sampled_from([None, "1", "2"]), st.integers(0, 2))
#: A step: the devices of one REGISTER, seconds asked for, seconds until then, whether the table is there.
STEPS = st.tuples(
    st.lists(DEVICES, min_size=1, max_size=2),
    st.sampled_from([0, 60, 600]),
    st.integers(0, 90),
    st.sampled_from([True, True, True, False]),
)


@given(st.lists(STEPS, max_size=25))
@example([([(1, None, 0), (0, "1", 1)], 60, 0, True), ([(1, "1", 1)], 60, 0, False)])
@example(
    [
        ([(0, None, 0), (3, None, 0)], 60, 0, True),
        ([(0, "1", 1)], 60, 0, True),
        ([(3, "1", 1)], 60, 0, False),
        ([(0, None, 0)], 0, 0, True),
    ]
)
def test_devices_do_not_multiply(
    steps: list[tuple[list[tuple[int, str | None, int]], int, int, bool]],
) -> None:
    """Whatever phones say in whatever order, and whether or not it can be stored."""
    registrar, now = make_registrar(max_contacts=3), 0.0
    for cseq, (devices, expires, wait, is_stored) in enumerate(steps, 1):
        now += wait
        texts = []
        for host, instance, reg_id in devices:
            text = f"<sip:a@192.0.2.{host}>;expires={expires}"
            text += f';+sip.instance="<urn:uuid:{instance}>"' if instance else ""
            texts.append(f"{text};reg-id={reg_id}" if reg_id else text)
        try:
            update = registrar.plan(ALICE, make_register(*texts, cseq=cseq), SOURCE, now)
        except (TooManyContacts, BadContact):
            continue
        before = {binding.ruid for binding in registrar}
        registrar.commit(update) if is_stored else registrar.hold(update)
        after = {binding.ruid for binding in registrar}
        assert is_stored or before == after, "what is not stored makes and removes nothing"

        current = registrar.bindings(ALICE, now)
        flows = [(one.instance, one.reg_id) for one in current if one.reg_id]
        assert len(flows) == len(set(flows))
        if is_stored:
            uris = [one.contact for one in current]
            assert len(uris) == len(set(uris)) <= 3
    assert len(registrar) == len(list(registrar))
