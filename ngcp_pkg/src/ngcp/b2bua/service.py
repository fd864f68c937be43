"""The back-to-back user agent with its sockets and clock: what `ngcp-sems` runs."""

import secrets
from typing import Final

from ngcp.service.commands import CommandTable
from ngcp.voice.control import metrics
from ngcp.voice.service import TOKEN, VoiceService

from .config import Configuration
from .control import add_registrations, make_commands
from .core import B2bua
from .house import House

PREFIX: Final = "ngcp_b2bua"


class B2buaService(VoiceService):
    """The running daemon."""

    core: B2bua
    house: House

    def __init__(self, configuration: Configuration) -> None:
        super().__init__(configuration)
        self.house = House(configuration, self.now, self.transmit)
        self.core = B2bua(configuration, lambda: secrets.token_hex(TOKEN), self.house.applications)

    def commands(self) -> CommandTable:
        """See `VoiceService`."""
        table = make_commands(self.core, self.now)
        add_registrations(table, self.house.enrolment, self.now)
        return table

    def exposition(self) -> str:
        """See `VoiceService`."""
        return metrics(self.core, PREFIX)
