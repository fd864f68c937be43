"""URIs of one device (RFC 5627), and what the answer to a REGISTER says of extensions."""

from itertools import count

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ngcp.sip.core.acceptance import headers_for
from ngcp.sip.core.bindings import AddressOfRecord, Binding, Rules, Source
from ngcp.sip.core.gruu import Gruus, UnknownGruu
from ngcp.sip.core.registrar import Registrar
from ngcp.sip.syntax import NameAddr, Request, Uri
from ngcp.sip.syntax.seal import ForgedToken

ALICE = AddressOfRecord("alice", "example.org")
DESK, PHONE = "urn:uuid:f81d4fae-7dec-11d0-a765-00a0c91e6bf6", "urn:uuid:2"
EDGE = "<sip:lb@127.0.0.1:5060;lr;received=sip:192.0.2.1:5060>"


def make_registrar() -> Registrar:
    ids = count(1)
    return Registrar(Rules(), lambda: f"r{next(ids)}")


def register(registrar: Registrar, *contacts: str, cseq: int = 1, call_id: str = "c") -> dict[str, list[str]]:
    """Register alice by a phone that knows all extensions; return the answer's headers by name."""
    lines = [f"Call-ID: {call_id}", f"CSeq: {cseq} REGISTER", "Supported: path, outbound, gruu"]
    request = Request("REGISTER", "sip:example.org", lines + [f"Contact: {contact}" for contact in contacts])
    registrar.commit(registrar.plan(ALICE, request, Source(EDGE), 0.0))
    bindings = registrar.bindings(ALICE, 0.0)
    headers: dict[str, list[str]] = {}
    for name, value in headers_for(request, bindings, Gruus(b"s", registrar), 0.0):
        headers.setdefault(name, []).append(value)
    return headers


def contact(host: str, instance: str = DESK, reg_id: int = 0) -> str:
    suffix = f";reg-id={reg_id}" if reg_id else ""
    return f'<sip:a@{host}>;+sip.instance="<{instance}>"{suffix}'


def gruus_of(contact: str) -> tuple[Uri, Uri]:
    """Return the public and the temporary GRUU that an answer's Contact gives."""
    params = NameAddr.parse(contact).params
    public, temporary = (Uri.parse((params[f"{kind}-gruu"] or "").strip('"')) for kind in ("pub", "temp"))
    return public, temporary


def test_phone_that_knows_gruus_gets_two() -> None:
    registrar = make_registrar()
    (answer,) = register(registrar, contact("192.0.2.1"))["Contact"]
    public, temporary = gruus_of(answer)
    assert str(public) == f"sip:alice@example.org;gr={DESK}"
    assert (temporary.host, temporary.params) == ("example.org", {"gr": None})
    assert "alice" not in str(temporary)


def test_both_lead_to_the_device_that_got_them() -> None:
    registrar = make_registrar()
    gruus = Gruus(b"s", registrar)
    answers = register(registrar, contact("192.0.2.1"), contact("192.0.2.2", PHONE))["Contact"]
    for answer in answers:
        for uri in gruus_of(answer):
            found = gruus.find(gruus.open(uri, 0.0), 0.0)
            assert [binding.contact for binding in found] == [NameAddr.parse(answer).address]


def test_device_with_two_flows_is_called_by_the_one_it_came_by_last() -> None:
    registrar = make_registrar()
    register(registrar, contact("192.0.2.1", reg_id=1) + ";expires=100")
    (_, second) = register(registrar, contact("192.0.2.2", reg_id=2) + ";expires=200", cseq=2)["Contact"]
    public, _ = gruus_of(second)
    found = Gruus(b"s", registrar).find(public, 0.0)
    assert [binding.contact for binding in found] == ["sip:a@192.0.2.2"]


def test_temporary_gruu_is_another_one_each_time_and_the_old_ones_work_on() -> None:
    registrar = make_registrar()
    gruus = Gruus(b"s", registrar)
    (first,) = register(registrar, contact("192.0.2.1"))["Contact"]
    (second,) = register(registrar, contact("192.0.2.1"), cseq=2)["Contact"]
    old, new = gruus_of(first)[1], gruus_of(second)[1]
    assert str(old) != str(new)
    assert [gruus.open(uri, 0.0) for uri in (old, new)] == [gruus_of(first)[0]] * 2


def test_temporary_gruu_ends_with_the_phones_call_id() -> None:
    """§5.1: the phone began anew, and has forgotten it."""
    registrar = make_registrar()
    (first,) = register(registrar, contact("192.0.2.1"))["Contact"]
    register(registrar, contact("192.0.2.1"), call_id="rebooted")
    with pytest.raises(UnknownGruu):
        Gruus(b"s", registrar).open(gruus_of(first)[1], 0.0)


def test_temporary_gruu_of_somebody_else_is_forged() -> None:
    registrar = make_registrar()
    (answer,) = register(registrar, contact("192.0.2.1"))["Contact"]
    with pytest.raises(ForgedToken):
        Gruus(b"other", registrar).open(gruus_of(answer)[1], 0.0)


def test_gruu_of_a_device_that_is_gone_leads_nowhere() -> None:
    registrar = make_registrar()
    assert Gruus(b"s", registrar).find(Uri.parse("sip:alice@example.org;gr=urn:uuid:3"), 0.0) == []
    register(registrar, "<sip:a@192.0.2.1>")
    assert Gruus(b"s", registrar).find(Uri.parse("sip:alice@example.org;gr"), 0.0) == []


NAMES = st.text(st.characters(exclude_categories=["Cs", "Cc"]), min_size=1, max_size=20)


@given(NAMES, st.text("<>-:;=@a%é"))
def test_any_name_and_instance_come_back(username: str, instance: str) -> None:
    registrar = make_registrar()
    gruus, aor = Gruus(b"s", registrar), AddressOfRecord(username, "example.org")
    binding = Binding("r1", aor, "sip:a@192.0.2.1", 60.0, "c", 1, instance=f"<urn:x:{instance}>")
    registrar.load([binding])
    for text in (gruus.public(binding), gruus.temporary(binding)):
        assert gruus.find(gruus.open(Uri.parse(text), 0.0), 0.0) == [binding]


def test_flow_is_confirmed() -> None:
    """RFC 5626 §6: so the phone knows that its flow is kept, and keeps it alive."""
    registrar = make_registrar()
    assert "Require" not in register(registrar, contact("192.0.2.1"))
    headers = register(registrar, contact("192.0.2.1", reg_id=1), cseq=2)
    assert (headers["Require"], headers["Supported"]) == (["outbound"], ["path, outbound, gruu"])
    assert "Require" not in register(registrar, contact("192.0.2.1", reg_id=1) + ";expires=0", cseq=3)
