"""What the back-to-back user agent does at MariaDB, by its own account there: sounds, service codes."""

from collections.abc import Collection, Iterator
from pathlib import Path

import pytest
from sqlalchemy import URL
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine

from api.conftest import Api
from ngcp.audio.tones import tone
from ngcp.audio.wav import write
from ngcp.b2bua.clerk import Clerk
from ngcp.provisioning.engine import session_settings
from ngcp.provisioning.line import Line
from ngcp.provisioning.runtime.music import load_music
from ngcp.voice.library import Library
from ngcp.voice.prompts import Files, Wanted
from ngcp.voice.stream import FRAME, SAMPLES

ACCOUNT = "`sems`@`localhost`"
PASSWORD = "for this test"
ORDERS = (
    {"service": "cfu", "state": "on", "number": "4312002", "domain": "example.org"},
    {"service": "cft", "state": "on", "number": "4312002", "domain": "example.org", "seconds": "20"},
    {"service": "speed_dial", "state": "on", "slot": "*3", "number": "4312002", "domain": "example.org"},
    {"service": "reminder", "state": "on", "time": "0630"},
    {"service": "dnd", "state": "on"},
    {"service": "forwards", "state": "off"},
    {"service": "all", "state": "off"},
)


@pytest.fixture
def engine(api: Api) -> Iterator[AsyncEngine]:
    """Come as the daemon does."""
    api.database.run(f"ALTER USER {ACCOUNT} IDENTIFIED BY '{PASSWORD}'")
    url = URL.create(
        "mysql+aiomysql",
        username="sems",
        password=PASSWORD,
        query={"unix_socket": api.database.socket, "charset": "utf8mb4"},
    )
    engine = create_async_engine(
        url,
        connect_args={"init_command": session_settings(30.0)},
        execution_options={"ngcp_timeout": 30.0},
    )
    yield engine
    api.runner.run(engine.dispose())
    api.database.run(f"ALTER USER {ACCOUNT} IDENTIFIED VIA unix_socket")


@pytest.fixture
def alice(api: Api) -> str:
    api.make("domains", domain="example.org")
    api.subscriber("alice", api.customer())
    seen = api.subscriber_seen("alice")
    assert seen
    return seen.uuid


def test_codes_are_carried_out_and_the_proxy_is_told(api: Api, engine: AsyncEngine, alice: str) -> None:
    told: list[Collection[str]] = []

    async def announce(changed: Collection[str]) -> None:
        told.append(changed)

    clerk = Clerk(engine, announce)
    for order in ORDERS:
        assert api.runner.run(clerk.order(alice, order)), order
    assert {"alice@example.org"} in told
    told.clear()
    assert not api.runner.run(clerk.order("nobody", ORDERS[0]))
    assert not api.runner.run(clerk.order(alice, {"service": "cfu", "state": "on"}))
    assert not told


def test_sounds_are_those_of_the_set_or_of_its_parent(api: Api, engine: AsyncEngine, tmp_path: Path) -> None:
    (tmp_path / "en_US").mkdir()
    (tmp_path / "en_US" / "conf-getpin.wav").write_bytes(write(bytes(3 * FRAME)))
    library = Library(engine, Files(tmp_path))

    def frames(handle: str, number: int) -> int:
        return len(api.runner.run(library.find(Wanted(handle, number, "de"))))

    above = api.make("soundsets", name="above", reseller_id=1)["id"]
    below = api.make("soundsets", name="below", reseller_id=1, parent_id=above)["id"]
    sound = write(tone([440.0], 8000, range(5 * SAMPLES)))
    response = api.ask(
        "POST",
        "/api/soundfiles/",
        params={"set_id": above, "handle": "callee_busy", "filename": "busy.wav", "loopplay": False},
        content=sound,
        headers={"Content-Type": "audio/x-wav"},
    )
    assert response.status_code == 201, response.text
    assert frames("callee_busy", above) == frames("callee_busy", below) == 5
    assert frames("callee_offline", below) == 0
    assert frames("callee_busy", 0) == 0
    assert frames("conference_pin", below) == 3, "Debian's, in English"


def test_music_on_hold_as_the_media_relay_fetches_it(api: Api) -> None:
    sound = write(tone([440.0], 8000, range(800)))
    above = api.make("soundsets", name="above", reseller_id=1)["id"]
    below = api.make("soundsets", name="below", reseller_id=1, parent_id=above)["id"]
    response = api.ask(
        "POST",
        "/api/soundfiles/",
        params={"set_id": above, "handle": "music_on_hold", "filename": "hold.wav", "loopplay": True},
        content=sound,
        headers={"Content-Type": "audio/x-wav"},
    )
    assert response.status_code == 201, response.text

    async def fetch(number: int) -> bytes | None:
        line = Line(api.database.socket, api.database.user, 20.0)
        try:
            return await load_music(line, number)
        finally:
            line.close()

    assert [api.runner.run(fetch(number)) for number in (above, below, 999)] == [sound, sound, None]
