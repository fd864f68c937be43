"""Service codes: carried out, confirmed by a prompt, and over."""

from pathlib import Path

import pytest

from b2bua.house import House, Telephone, beep
from ngcp.audio.wav import write
from ngcp.b2bua.clerk import order_of
from ngcp.provisioning.service_codes import Order

SOUNDS = {
    ("en", "call-fwd-unconditional"): 500.0,
    ("en", "activated"): 600.0,
    ("en", "de-activated"): 700.0,
    ("en", "cannot-complete-as-dialed"): 800.0,
    ("de", "activated"): 900.0,
}


@pytest.fixture
def house(tmp_path: Path) -> House:
    for (language, name), frequency in SOUNDS.items():
        directory = tmp_path / f"{language}_f"
        directory.mkdir(exist_ok=True)
        (directory / f"{name}.wav").write_bytes(write(b"".join(beep(frequency))))
    return House(directory=tmp_path)


def dial(house: House, *parameters: str, language: str = "en") -> Telephone:
    alice = Telephone(house, "vsc", *parameters)
    response = alice.invite("P-Caller-UUID: uuid-alice", f"P-Language: {language}")
    assert response.status == 200
    alice.acknowledge()
    return alice


def test_code_is_carried_out_and_confirmed(house: House) -> None:
    alice = dial(house, "service=cfu", "state=on", "number=4312", "domain=example.org")
    (uuid, parameters) = house.orders[0]
    assert (uuid, order_of(parameters)) == (
        "uuid-alice",
        Order("cfu", is_on=True, destination="sip:4312@example.org"),
    )
    house.wait(0.5)
    assert alice.tones() == {500}
    house.wait(0.5)
    assert alice.tones() == {600}
    assert alice.was_hung_up


def test_service_that_is_ended(house: House) -> None:
    alice = dial(house, "service=cfu", "state=off")
    house.wait(1.1)
    assert alice.tones() == {500, 700}


def test_other_languages_where_they_are_there(house: House) -> None:
    alice = dial(house, "service=cfu", "state=on", language="de")
    house.wait(1.1)
    assert alice.tones() == {500, 900}


def test_what_cannot_be_done_is_told(house: House) -> None:
    house.is_able = False
    alice = dial(house, "service=cfu", "state=on")
    house.wait(0.6)
    assert alice.tones() == {800}
    assert alice.was_hung_up


def test_incomplete_code_is_not_carried_out(house: House) -> None:
    alice = dial(house, "service=cfu", "state=error")
    assert house.orders == []
    house.wait(0.6)
    assert alice.tones() == {800}


def test_node_without_prompts_hangs_up(tmp_path: Path) -> None:
    house = House(directory=tmp_path)
    alice = dial(house, "service=dnd", "state=on", language="../../etc")
    assert len(house.orders) == 1
    assert alice.was_hung_up


@pytest.mark.parametrize(
    ("parameters", "order"),
    [
        (
            {"service": "cft", "state": "on", "number": "%2B43", "domain": "d", "seconds": "20"},
            Order("cft", is_on=True, destination="sip:+43@d", seconds=20),
        ),
        ({"service": "reminder", "state": "on", "time": "0630"}, Order("reminder", is_on=True, time="06:30")),
        ({"service": "speed_dial", "state": "off", "slot": "*3"}, Order("speed_dial", False, slot="*3")),
        ({}, Order("", is_on=False)),
    ],
)
def test_what_the_proxy_read(parameters: dict[str, str], order: Order) -> None:
    assert order_of(parameters) == order
