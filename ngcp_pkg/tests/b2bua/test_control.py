"""Commands of the back-to-back user agent, as the OSS/BSS gives them."""

import asyncio
from typing import Final

import pytest

from flows.wire import Wire
from ngcp.b2bua.config import Configuration
from ngcp.b2bua.control import make_commands
from ngcp.b2bua.core import B2bua
from ngcp.service.commands import CommandError, Json
from ngcp.sip.syntax import Request, parse

PROXY: Final = "127.0.0.1:5062"
WORDS: Final = (
    *("click2dial", "test.wav", "sip:alice@example.org", "sip:+431@example.org"),
    *(f"sip:alice@{PROXY};sw_domain=example.org", f"sip:+431@{PROXY};sw_domain=example.org"),
    *("example.org", "alice", "secret"),
)


class Daemon:
    """One whose messages nobody takes."""

    def __init__(self) -> None:
        self.wire = Wire()
        self.core = B2bua(Configuration(), self.wire.ids("b2"))
        self.commands = make_commands(self.core, self.wire.clock)

    def ask(self, name: str, *words: str) -> Json:
        return asyncio.run(self.commands.call(name, *words))


def test_a_call_is_dialled_listed_and_ended() -> None:
    here = Daemon()

    call = here.ask("dial_auth_b2b", *WORDS)
    (listed,) = here.core.calls.describe(0, 0, 10)
    ((data, flow),) = here.core.messages_to_send()
    invite = parse(data)

    assert isinstance(listed, dict)
    assert (listed["id"], listed["from"], listed["to"]) == (call, WORDS[2], WORDS[3])
    assert isinstance(invite, Request)
    assert (invite.uri, flow.remote) == ("sip:alice@example.org", ("127.0.0.1", 5062))
    assert "secret" not in data.decode()
    assert here.ask("terminate", str(call)) == "OK"
    assert here.ask("calls") == []


@pytest.mark.parametrize(
    ("place", "word", "code"),
    [
        (0, "early_dbprompt", 404),
        (2, "alice", 400),
        (3, "mailto:bob@example.org", 400),
        (4, "sip:example.org", 400),
        (5, "sip:bob@example.org?Route=x", 400),
        (5, "sip:bob@example.org>\r\nX: y", 400),
        (5, "sip:bob@h;sw_domain=a b", 400),
    ],
)
def test_arguments_that_make_no_call(place: int, word: str, code: int) -> None:
    here = Daemon()

    with pytest.raises(CommandError) as caught:
        here.ask("dial_auth_b2b", *WORDS[:place], word, *WORDS[place + 1 :])

    assert caught.value.code == code
    assert word.partition("\r")[0].partition(">")[0] in caught.value.message
    assert not here.core.calls


def test_too_few_arguments() -> None:
    with pytest.raises(CommandError, match="REALM USER PASSWORD, not 8 arguments"):
        Daemon().ask("dial_auth_b2b", *WORDS[:8])


def test_a_daemon_that_stops_dials_nobody() -> None:
    here = Daemon()
    here.core.is_draining = True

    with pytest.raises(CommandError) as caught:
        here.ask("dial_auth_b2b", *WORDS)

    assert caught.value.code == 503
