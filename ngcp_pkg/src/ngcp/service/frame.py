"""The main program of every daemon: read the configuration, start, tell systemd, wait for SIGTERM, stop."""

import argparse
import asyncio
import gc
import logging
import os
import signal
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Final, Protocol, TypeVar, runtime_checkable

import uvloop

from ngcp.service import logging as journal
from ngcp.service.config import ConfigError
from ngcp.service.notify import notify, watchdog_interval
from ngcp.service.workers import Crew, WorkerLost

C = TypeVar("C")

#: Seconds a service may take to let go; systemd would kill it later and less politely.
STOP_WITHIN: Final = 10.0
#: Seconds between status lines when no watchdog asks for more.
STATUS_EVERY: Final = 10.0

_log = logging.getLogger(__name__)


class CannotStart(Exception):
    """An address in use, a database socket that is not there …: systemd tries again."""


class Service(Protocol):
    """What a daemon is to its frame."""

    async def start(self) -> None:
        """Return once every socket is bound."""

    async def stop(self) -> None:
        """Let go of everything, in order; also called after a start that failed half-way."""

    def status(self) -> str:
        """Return the line that `systemctl status` shows."""


@runtime_checkable
class Reloadable(Protocol):
    """A service that can take up changed files while it runs."""

    def reload(self) -> None:
        """Do so, or say in the journal why not; on SIGHUP."""


def run(
    name: str,
    *,
    load: Callable[[Path], C],
    build: Callable[[C], Service],
    default: Path,
    crew: Crew | None = None,
) -> int:
    """Be the daemon `name` until SIGTERM; return its exit status (78 = refused configuration).

    A daemon of several processes brings a `crew`; `load` may still decide its size.
    """
    crew = crew or Crew()
    parser = argparse.ArgumentParser(prog=name)
    parser.add_argument("--config", type=Path, default=default, help="configuration file (%(default)s)")
    parser.add_argument("--check", action="store_true", help="only read the configuration")
    parser.add_argument("--debug", action="store_true", help="log more")
    arguments = parser.parse_args()
    journal.configure(logging.DEBUG if arguments.debug else logging.INFO)
    try:
        configuration = load(arguments.config)
        if arguments.check:
            return os.EX_OK
        crew.muster()
        uvloop.run(_serve(lambda: build(configuration), crew))
    except ConfigError as error:
        print(f"<3>{name}: {error}", file=sys.stderr)
        return os.EX_CONFIG
    except (CannotStart, WorkerLost) as error:
        print(f"<3>{name}: cannot start: {error}", file=sys.stderr)
        return os.EX_UNAVAILABLE
    finally:
        crew.reap()
    return os.EX_SOFTWARE if crew.is_broken else os.EX_OK


async def _serve(build: Callable[[], Service], crew: Crew) -> None:
    stopping = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stopping.set)
    crew.watch(stopping.set)
    service = build()
    if isinstance(service, Reloadable):
        loop.add_signal_handler(signal.SIGHUP, _reload, service, crew)
    try:
        try:
            await service.start()
        except OSError as error:
            raise CannotStart(str(error)) from error
        _settle_collector()
        crew.beat()
        notify("READY=1", f"STATUS={service.status()}")
        await _supervise(service, stopping, crew)
    finally:
        notify("STOPPING=1")
        crew.dismiss()
        await _stop(service)


def _reload(service: Reloadable, crew: Crew) -> None:
    crew.signal(signal.SIGHUP)
    service.reload()


async def _stop(service: Service) -> None:
    try:
        async with asyncio.timeout(STOP_WITHIN):
            await service.stop()
    except TimeoutError:
        _log.warning("gave up stopping after %s s", STOP_WITHIN)


def _settle_collector() -> None:
    """Let the garbage collector forget what lives as long as we do, and look less often.

    Calls come and go by reference counts; measured, the collector's default took 10 to 20 % of a call.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(20_000, 50, 100)


async def _supervise(service: Service, stopping: asyncio.Event, crew: Crew) -> None:
    """Report status and, from the loop that does the work, that we are alive: every worker of us."""
    interval = watchdog_interval()
    while not stopping.is_set():
        try:
            async with asyncio.timeout(interval or STATUS_EVERY):
                await stopping.wait()
        except TimeoutError:
            crew.beat()
            if stuck := crew.stuck():
                notify(f"STATUS=stuck: worker {stuck[0]}")
            else:
                notify("WATCHDOG=1", f"STATUS={service.status()}")
