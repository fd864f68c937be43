"""A back-to-back user agent in a house without sockets."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import voice.house
from ngcp.b2bua.applications import make_applications
from ngcp.b2bua.config import Configuration
from ngcp.b2bua.core import B2bua
from ngcp.sip.core.agent import UserAgent
from ngcp.voice.application import Application
from ngcp.voice.prompts import Files
from ngcp.voice.registry import Registry
from voice.house import Telephone, beep

__all__ = ["House", "Telephone", "beep"]


@dataclass
class House(voice.house.House):
    """With service codes, which are only noted."""

    is_able: bool = True
    """Whether service codes can be carried out."""

    def __post_init__(self) -> None:
        self.orders: list[tuple[str, Mapping[str, str]]] = []
        super().__post_init__()

    def make_core(self, ids: Callable[[], str]) -> B2bua:
        return B2bua(Configuration(), ids, self._applications)

    def _applications(self, agent: UserAgent, registry: Registry) -> Mapping[str, Application]:
        return make_applications(self.stage(agent), self, Files(self.directory), agent, registry)

    async def order(self, uuid: str, parameters: Mapping[str, str]) -> bool:
        self.orders.append((uuid, parameters))
        return self.is_able
