"""Control commands over UDP, for tools on the node: `NAME ARGUMENT…` in, one JSON object out.

The answer is `{"result": …}` or `{"code": …, "error": …}`, and one datagram: what does not fit is an error.
"""

import asyncio
import json
import logging
import shlex
from typing import Final

from ngcp.net.udp import UdpSocket
from ngcp.service.commands import CommandError, CommandTable, Json
from ngcp.sip.transport.flow import Address

#: Octets of a question and of an answer.
LONGEST_QUESTION: Final = 4096
LONGEST_ANSWER: Final = 65_000
#: Questions that are answered at a time.
MOST: Final = 64

_log = logging.getLogger(__name__)


class DatagramControl:
    """Answers from a table, on the running loop."""

    def __init__(self, table: CommandTable, local: Address) -> None:
        self._table = table
        self._tasks: set[asyncio.Task[None]] = set()
        self._socket = UdpSocket(local, self._receive)

    @property
    def address(self) -> Address:
        """Where it listens."""
        return self._socket.address

    def close(self) -> None:
        """Answer no more."""
        for task in self._tasks:
            task.cancel()
        self._socket.close()

    def _receive(self, data: bytes, remote: Address) -> None:
        if len(self._tasks) < MOST:
            task = asyncio.get_running_loop().create_task(self._answer(data, remote))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

    async def _answer(self, data: bytes, remote: Address) -> None:
        answer = json.dumps(await respond(self._table, data)).encode()
        if len(answer) > LONGEST_ANSWER:
            answer = json.dumps({"code": 513, "error": "the answer is too long; ask by XMLRPC"}).encode()
        self._socket.send(answer, remote)


async def respond(table: CommandTable, data: bytes) -> dict[str, Json]:
    """Execute one command; every failure becomes an answer."""
    try:
        name, *arguments = _words(data)
        return {"result": await table.call(name, *arguments)}
    except CommandError as error:
        return {"code": error.code, "error": error.message}
    except Exception:  # the door of a worker: a bug in one command must not take the daemon's control away
        _log.exception("control command failed")
        return {"code": 500, "error": "internal error; the journal says more"}


def _words(data: bytes) -> list[str]:
    if len(data) > LONGEST_QUESTION:
        raise CommandError(413, f"a command has at most {LONGEST_QUESTION} octets")
    try:
        words = shlex.split(data.decode())
    except ValueError as error:
        raise CommandError(400, f"not a command: {error}") from error
    if not words:
        raise CommandError(400, "no command")
    return words
