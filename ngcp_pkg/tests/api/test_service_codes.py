"""What service codes do, as the API shows it and the proxy sees it."""

import pytest

from api.conftest import Api
from ngcp.provisioning.engine import connect, transaction
from ngcp.provisioning.refusals import InvalidValue
from ngcp.provisioning.runtime import Subscriber
from ngcp.provisioning.service_codes import Order, carry_out

BOB = "sip:4312002@example.org"


@pytest.fixture
def alice(api: Api) -> int:
    api.make("domains", domain="example.org")
    return int(api.subscriber("alice", api.customer())["id"])


def order(api: Api, service: str, is_on: bool = True, **details: object) -> None:
    """Carry out what alice's phone has dialled."""
    uuid = seen(api).uuid

    async def carry() -> None:
        engine = connect(str(api.database.socket), "root", 30.0)
        try:
            async with transaction(engine) as connection:
                await carry_out(connection, uuid, Order(service, is_on, **details))  # type: ignore[arg-type]
        finally:
            await engine.dispose()

    api.runner.run(carry())


def seen(api: Api) -> Subscriber:
    found = api.subscriber_seen("alice")
    assert found
    return found


@pytest.mark.parametrize("kind", ["cfu", "cfb", "cfna"])
def test_call_forward_by_code(api: Api, alice: int, kind: str) -> None:
    order(api, kind, destination=BOB)
    forward = api.get(f"/api/callforwards/{alice}")[kind]
    assert [one["destination"] for one in forward["destinations"]] == [BOB]
    assert [one.kind for one in seen(api).forwards] == [kind]
    order(api, kind, is_on=False)
    assert api.get(f"/api/callforwards/{alice}")[kind]["destinations"] == []
    assert not seen(api).forwards


def test_call_forward_after_seconds(api: Api, alice: int) -> None:
    order(api, "cft", destination=BOB, seconds=20)
    forward = api.get(f"/api/callforwards/{alice}")["cft"]
    assert forward["ringtimeout"] == 20
    assert forward["destinations"][0]["destination"] == BOB
    order(api, "cft", is_on=False)
    assert api.get(f"/api/callforwards/{alice}")["cft"]["ringtimeout"] is None


def test_code_replaces_a_forward_with_its_limits(api: Api, alice: int) -> None:
    limited = {"destinations": [{"destination": "4312009"}], "sources": [{"source": "43*"}]}
    assert api.ask("PUT", f"/api/callforwards/{alice}", json={"cfu": limited}).status_code == 204
    order(api, "cfu", destination=BOB)
    forward = api.get(f"/api/callforwards/{alice}")["cfu"]
    assert [one["destination"] for one in forward["destinations"]] == [BOB]
    assert forward["sources"] == []


def test_code_replaces_several_forwards(api: Api, alice: int) -> None:
    names = ["first", "second"]
    for name in names:
        destinations = [{"destination": "4312009"}]
        api.make("cfdestinationsets", subscriber_id=alice, name=name, destinations=destinations)
    mappings = [{"destinationset": name} for name in names]
    assert api.ask("PUT", f"/api/cfmappings/{alice}", json={"cfu": mappings}).status_code == 204
    order(api, "cfu", destination=BOB)
    assert len(seen(api).forwards) == 1


def test_forward_to_himself_is_refused(api: Api, alice: int) -> None:
    with pytest.raises(InvalidValue, match="loop"):
        order(api, "cfu", destination="sip:alice@example.org")
    assert not seen(api).forwards


@pytest.mark.parametrize("switch", ["clir", "block_in_clir", "colr", "dnd"])
def test_switch_by_code(api: Api, alice: int, switch: str) -> None:
    api.change(f"/api/subscriberpreferences/{alice}", language="de")
    order(api, switch)
    assert api.get(f"/api/subscriberpreferences/{alice}")[switch] is True
    order(api, switch, is_on=False)
    preferences = api.get(f"/api/subscriberpreferences/{alice}")
    assert switch not in preferences
    assert preferences["language"] == "de"


def test_speed_dial_by_code(api: Api, alice: int) -> None:
    order(api, "speed_dial", slot="*3", destination=BOB)
    order(api, "speed_dial", slot="*4", destination="sip:carol@example.net")
    order(api, "speed_dial", slot="*3", destination="sip:dave@example.net")
    assert seen(api).speed_dials == {"*3": "sip:dave@example.net", "*4": "sip:carol@example.net"}
    order(api, "speed_dial", is_on=False, slot="*3")
    assert seen(api).speed_dials == {"*4": "sip:carol@example.net"}
    with pytest.raises(InvalidValue, match="must be one of"):
        order(api, "speed_dial", slot="*10", destination=BOB)


def test_reminder_by_code(api: Api, alice: int) -> None:
    def reminders() -> list[tuple[int, str, str]]:
        found = api.get("/api/reminders/")["_embedded"]["ngcp:reminders"]
        return [(one["subscriber_id"], one["time"], one["recur"]) for one in found]

    order(api, "reminder", time="06:30")
    order(api, "reminder", time="07:15")
    assert reminders() == [(alice, "07:15:00", "never")]
    order(api, "reminder", is_on=False)
    assert api.get("/api/reminders/")["total_count"] == 0
    with pytest.raises(InvalidValue, match="time of day"):
        order(api, "reminder", time="25:00")


def test_forwards_off(api: Api, alice: int) -> None:
    for kind in ("cfu", "cfb", "cft"):
        order(api, kind, destination=BOB)
    order(api, "dnd")
    order(api, "forwards", is_on=False)
    assert not seen(api).forwards
    assert api.get(f"/api/subscriberpreferences/{alice}")["dnd"] is True


def test_everything_off(api: Api, alice: int) -> None:
    order(api, "cfu", destination=BOB)
    order(api, "clir")
    order(api, "reminder", time="07:15")
    order(api, "speed_dial", slot="*3", destination=BOB)
    order(api, "all", is_on=False)
    assert not seen(api).forwards
    assert "clir" not in api.get(f"/api/subscriberpreferences/{alice}")
    assert api.get("/api/reminders/")["total_count"] == 0
    assert seen(api).speed_dials, "numbers are kept"


def test_nobody_and_unknown_services(api: Api, alice: int) -> None:
    with pytest.raises(InvalidValue, match="must be one of"):
        order(api, "coffee")
    api.ask("DELETE", f"/api/subscribers/{alice}")
    engine = connect(str(api.database.socket), "root", 30.0)

    async def carry() -> None:
        async with transaction(engine) as connection:
            await carry_out(connection, "nobody", Order("dnd", is_on=True))

    with pytest.raises(InvalidValue, match="is nobody"):
        api.runner.run(carry())
    api.runner.run(engine.dispose())


def test_reminder_by_the_api(api: Api, alice: int) -> None:
    made = api.make("reminders", subscriber_id=alice, time="06:30", recur="weekdays")
    assert (made["time"], made["recur"], made["active"]) == ("06:30:00", "weekdays", True)
    api.refused("reminders", 422, subscriber_id=alice, time="06:30:61")
    api.refused("reminders", 422, subscriber_id=alice, time="07:00")  # he has one
    path = f"/api/reminders/{made['id']}"
    assert api.change(path, time="23:59:59", active=False).status_code == 200
    assert api.get(path)["time"] == "23:59:59"
    assert api.ask("DELETE", path).status_code == 204
