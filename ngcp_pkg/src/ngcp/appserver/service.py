"""The app server with its sockets and clock: what `asterisk` runs."""

import secrets
from typing import Final

from ngcp.service.commands import CommandTable
from ngcp.service.metrics import Family
from ngcp.voice.control import make_commands, metrics
from ngcp.voice.service import TOKEN, VoiceService
from ngcp.voice.switchboard import Switchboard

from .config import Configuration
from .control import add_locks
from .house import House

PREFIX: Final = "ngcp_asterisk"
FAMILIES: Final = (
    Family("messages.stored", f"{PREFIX}_messages_total", "Messages stored."),
    Family("messages.held", f"{PREFIX}_messages_held", "Messages that wait for MariaDB.", "gauge"),
    Family("locked", f"{PREFIX}_locked", "Mailboxes and callers that may try no PIN now.", "gauge"),
)


class AppServerService(VoiceService):
    """The running daemon."""

    house: House

    def __init__(self, configuration: Configuration) -> None:
        super().__init__(configuration)
        self.house = House(configuration, self.now, self.transmit)
        self.core = Switchboard(
            lambda: secrets.token_hex(TOKEN),
            configuration.listen.pair,
            configuration.proxy.pair,
            self.house.applications,
            server=configuration.server_header,
        )
        self.house.outreach.attach(self.core, self.house.bell)

    def commands(self) -> CommandTable:
        """See `VoiceService`."""
        table = make_commands(self.core, "asterisk", self.now, self.house.statistics)
        add_locks(table, self.house.lockout, self.now)
        return table

    def exposition(self) -> str:
        """See `VoiceService`."""
        return metrics(self.core, PREFIX, FAMILIES, self.house.statistics)
