"""A node for the tools: one control server on loopback that is both daemons, and a runner of tools."""

import asyncio
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import pytest
import yaml

from ngcp.service.commands import CommandTable
from ngcp.service.xmlrpc import serve
from ngcp.tools import control
from ngcp.tools.control import DAEMONS, Name


@dataclass
class Node:
    """The configuration files of a node, and one server that is both daemons."""

    directory: Path
    port: int

    def write(self, name: Name, port: int) -> None:
        daemon = DAEMONS[name]
        content = {daemon.section: {"address": "127.0.0.1", daemon.port: port}}
        lines = f"# rendered\nTOS=184\n{daemon.port}='127.0.0.1:{port}'\n"
        text = yaml.safe_dump(content) if daemon.section else lines
        (self.directory / f"{name.value}.yml").write_text(text)


ServeNode = Callable[[CommandTable], Node]


@contextmanager
def served(table: CommandTable) -> Iterator[int]:
    """Serve a table in a thread of its own; give the port."""
    ready, loop = threading.Event(), asyncio.new_event_loop()
    server = loop.run_until_complete(serve(table, "127.0.0.1", 0))

    def run() -> None:
        loop.call_soon(ready.set)
        loop.run_forever()

    thread = threading.Thread(target=run)
    thread.start()
    ready.wait()
    yield server.port

    async def end() -> None:
        server.close()
        await server.wait_closed()
        answering = asyncio.all_tasks() - {asyncio.current_task()}
        await asyncio.gather(*answering, return_exceptions=True)

    asyncio.run_coroutine_threadsafe(end(), loop).result()
    loop.call_soon_threadsafe(loop.stop)
    thread.join()
    loop.close()


@pytest.fixture
def serve_node(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[ServeNode]:
    """Return what serves a table as both daemons, until the test ends."""
    with ExitStack() as stack:

        def serve_table(table: CommandTable) -> Node:
            daemons = {
                name: replace(daemon, configuration=tmp_path / f"{name.value}.yml")
                for name, daemon in DAEMONS.items()
            }
            monkeypatch.setattr(control, "DAEMONS", daemons)
            node = Node(tmp_path, stack.enter_context(served(table)))
            for name in Name:
                node.write(name, node.port)
            return node

        yield serve_table


Tool = Callable[..., tuple[int, str, str]]


@pytest.fixture
def tool(monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]) -> Tool:
    """Run a tool as its console script does; return exit status, output and errors."""

    def run(main: Callable[[], None], *arguments: str) -> tuple[int, str, str]:
        monkeypatch.setattr(sys, "argv", ["ngcp-tool", *arguments])
        with pytest.raises(SystemExit) as end:
            main()
        output, errors = capfd.readouterr()
        return int(end.value.code or 0), output, errors

    return run
