"""The other workers, seen from one: a way to each, for what the core says and for control commands."""

import asyncio
import functools
import itertools
import json
import logging
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final, cast

from ngcp.lb.channel import Kind, Told, read, write
from ngcp.net.link import Link
from ngcp.service.commands import CommandError, CommandTable, Json
from ngcp.service.workers import Crew
from ngcp.sip.transport.flow import Address

#: Seconds a worker may take to answer a command.
PATIENCE: Final = 2.0
#: Characters of an answer in one packet, so that even all escaped it is none too long.
PART: Final = 32 * 1024

_CONTROL: Final = tuple(f"{kind.value}\n".encode() for kind in (Kind.ASK, Kind.ANSWER))
_log = logging.getLogger(__name__)


@dataclass(slots=True)
class _Asked:
    """A command under way."""

    answer: asyncio.Future[Json]
    parts: list[str] = field(default_factory=list)


class Colleagues:
    """The links of one worker (a `ngcp.net.driver.Sender` of packets to workers)."""

    def __init__(
        self, crew: Crew, passed: Callable[[int, bytes], None], drained: Callable[[], None] = lambda: None
    ) -> None:
        """`passed(worker, packet)` takes what is no command, and `drained` hears when there is no more."""
        self._passed = passed
        self._links = {
            number: Link(end, functools.partial(self._receive, number), drained)
            for number, end in crew.links.items()
        }
        self._table: CommandTable | None = None
        self._numbers = itertools.count()
        self._asked: dict[int, _Asked] = {}
        self._tasks: set[asyncio.Task[None]] = set()

    def send(self, data: bytes, remote: Address) -> bool:
        """Send a packet to the worker whose address is `remote`."""
        return self._links[remote[1]].send(data)

    def serve(self, table: CommandTable) -> None:
        """From now on execute the commands that others ask for."""
        self._table = table

    async def ask(self, name: str, *arguments: Json) -> list[Json]:
        """Let every other worker execute a command; return their results, or raise `CommandError`."""
        return list(await asyncio.gather(*(self._ask(number, name, arguments) for number in self._links)))

    def close(self) -> None:
        """Let go of all links."""
        for task in self._tasks:
            task.cancel()
        for link in self._links.values():
            link.close()

    def _receive(self, sender: int, packet: bytes) -> None:
        if not packet.startswith(_CONTROL):
            self._passed(sender, packet)
            return
        told = read(packet)
        assert isinstance(told, Told), "commands are values"
        if told.kind is Kind.ASK:
            task = asyncio.get_running_loop().create_task(self._answer(sender, told.value))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)
        else:
            self._take(told.value)

    async def _ask(self, number: int, name: str, arguments: tuple[Json, ...]) -> Json:
        question, asked = next(self._numbers), _Asked(asyncio.get_running_loop().create_future())
        self._asked[question] = asked
        try:
            self._links[number].send(write(Told(Kind.ASK, [question, name, list(arguments)])))
            async with asyncio.timeout(PATIENCE):
                return await asked.answer
        except TimeoutError as error:
            raise CommandError(504, f"worker {number} does not answer") from error
        finally:
            del self._asked[question]

    async def _answer(self, sender: int, value: object) -> None:
        question, name, arguments = cast("tuple[int, str, list[Json]]", value)
        answer: dict[str, Json]
        try:
            if self._table is None:
                raise CommandError(503, "not serving yet")
            answer = {"result": await self._table.call(name, *arguments)}
        except CommandError as error:
            answer = {"code": error.code, "message": error.message}
        except Exception:  # the door of a worker: the asker must hear of a bug, and this one go on
            _log.exception("control command %s failed", name)
            answer = {"code": 500, "message": "internal error of a worker; the journal says more"}
        text = json.dumps(answer)
        for start in range(0, len(text), PART):
            part, is_last = text[start : start + PART], start + PART >= len(text)
            self._links[sender].send(write(Told(Kind.ANSWER, [question, is_last, part])))

    def _take(self, value: object) -> None:
        question, is_last, part = cast("tuple[int, bool, str]", value)
        asked = self._asked.get(question)
        if asked is None or asked.answer.done():
            return
        asked.parts.append(part)
        if not is_last:
            return
        answer = json.loads("".join(asked.parts))
        if "result" in answer:
            asked.answer.set_result(answer["result"])
        else:
            asked.answer.set_exception(CommandError(answer["code"], answer["message"]))
