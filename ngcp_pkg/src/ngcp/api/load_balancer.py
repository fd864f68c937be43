"""The load-balancer's control interface, seen from here: bans, which it alone keeps."""

import asyncio
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final

from ngcp.provisioning.store import Entity
from ngcp.service.client import Unreachable, call
from ngcp.service.commands import CommandError, Json

#: What the load-balancer appends to a user's name.
COUNT: Final = "::auth_count"
LAST: Final = "::last_auth"


class LoadBalancerUnavailable(Exception):
    """The load-balancer gave no answer."""


@dataclass(frozen=True, slots=True)
class LoadBalancerControl:
    """The load-balancer's control interface."""

    url: str
    attempts: int
    """Failed attempts after which a user is banned: whoever has fewer is not shown."""

    async def addresses(self) -> list[Entity]:
        """Return the banned addresses."""
        return [{"id": name, "ip": name} for name, _ in await self._dump("ipban")]

    async def users(self) -> list[Entity]:
        """Return the banned users."""
        entries = dict(await self._dump("auth"))
        counts = {name.removesuffix(COUNT): count for name, count in entries.items() if name.endswith(COUNT)}
        return [
            {"id": user, "username": user, "auth_count": count, "last_auth": _date(entries.get(user + LAST))}
            for user, count in counts.items()
            if isinstance(count, int) and count >= self.attempts
        ]

    async def unban_address(self, address: str) -> None:
        """Let an address in again."""
        await self._ask("htable.delete", "ipban", address)

    async def unban_user(self, user: str) -> None:
        """Let a user log in again."""
        for key in (user + COUNT, user + LAST):
            await self._ask("htable.delete", "auth", key)

    async def _dump(self, table: str) -> list[tuple[str, Json]]:
        dump: Any = await self._ask("htable.dump", table)
        return [(item["name"], item["value"]) for entry in dump for item in entry["slot"]]

    async def _ask(self, method: str, *arguments: Json) -> Json:
        try:
            return await asyncio.to_thread(call, self.url, method, *arguments)
        except (Unreachable, CommandError) as error:
            raise LoadBalancerUnavailable(f"{self.url}: {method}: {error}") from error


def _date(seconds: Json) -> datetime | None:
    return datetime.fromtimestamp(seconds, UTC) if isinstance(seconds, int) else None
