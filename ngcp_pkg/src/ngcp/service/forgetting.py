"""Proxies remember subscribers: whoever changes something by himself tells them what to forget."""

import asyncio
import logging
from collections.abc import Collection

from ngcp.provisioning import changes
from ngcp.service.client import Unreachable, call
from ngcp.service.commands import CommandError

_log = logging.getLogger(__name__)


async def tell_proxies(urls: Collection[str], changed: Collection[str]) -> None:
    """Let the proxies at these control ports forget what has changed; one that is down remembers nothing."""
    for url in urls:
        try:
            await asyncio.to_thread(call, url, "directory.drop", *changes.words(changed))
        except (CommandError, Unreachable) as error:
            names = ", ".join(sorted(changed))
            _log.warning("the proxy at %s may see the change of %s late: %s", url, names, error)
