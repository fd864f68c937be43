"""The configuration of the app server, `/etc/asterisk/asterisk.yml`."""

from dataclasses import dataclass, field
from pathlib import Path

from ngcp.service.config import load_yaml
from ngcp.service.endpoint import Endpoint
from ngcp.service.metrics import Metrics
from ngcp.voice.household import Database
from ngcp.voice.media_ports import MediaRange
from ngcp.voice.service import check_drain

from .letters import read_style
from .post import MailServer
from .reminders import Terms

#: Seconds of the longest message that a row holds, whatever the server's `max_allowed_packet`.
LONGEST_MESSAGE = 600.0


@dataclass(frozen=True, slots=True)
class Voicemail:
    """What is a message."""

    messages: int = 100
    """How many a mailbox holds; it is full from then on."""
    longest: float = 180.0
    """Seconds after which the recording ends."""
    shortest: float = 1.0
    """Seconds of speech below which there is no message."""
    silence: float = 10.0
    """Seconds of silence that end the recording; they are no part of it. 0: none do."""
    threshold: int = 128
    """How loud (root mean square, of 32768) a frame of speech is at least."""
    held: int = 256
    """Megabytes of messages that wait in files while MariaDB is away; from then on nobody is recorded.

    As many are written of what is being recorded; 0: it is lost if we are killed."""

    def __post_init__(self) -> None:
        if self.messages < 1:
            raise ValueError(f"messages is 1 or more, not {self.messages}")
        if not 0 <= self.shortest < self.longest <= LONGEST_MESSAGE:
            text = f"{self.shortest:g} and {self.longest:g}"
            raise ValueError(
                f"shortest and longest: 0 to {LONGEST_MESSAGE:g} seconds in this order, not {text}"
            )
        if self.silence < 0 or not 0 <= self.threshold <= 32_768:
            raise ValueError("silence is 0 or more seconds, threshold from 0 to 32768")
        if self.held < 0:
            raise ValueError(f"held is 0 or more megabytes, not {self.held}")


@dataclass(frozen=True, slots=True)
class Mail:
    """How whoever wants to is told of messages by mail."""

    server: MailServer = field(default_factory=MailServer)
    """Where letters are handed in."""
    sender: str = "voicebox@localhost"
    """Address that they come from."""
    name: str = "Voicemail server"
    """The name before it."""
    letter: str = ""
    """File with `Subject: …`, an empty line, and the text; empty: the platform's words."""

    def __post_init__(self) -> None:
        read_style("", self.sender, self.name)


@dataclass(frozen=True, slots=True)
class Configuration:
    """Everything an operator can decide about the app server."""

    listen: Endpoint = field(default_factory=lambda: Endpoint("127.0.0.1", 5070))
    """Where SIP is received, over UDP and from inside only."""
    control: Endpoint = field(default_factory=lambda: Endpoint("127.0.0.1", 5041))
    """UDP port for commands of `ngcp-asterisk-ctl`."""
    xmlrpc: Endpoint = field(default_factory=lambda: Endpoint("127.0.0.1", 8091))
    """Where control commands are received over XMLRPC."""
    proxy: Endpoint = field(default_factory=lambda: Endpoint("127.0.0.1", 5062))
    """The proxy, by which all calls come and go."""
    media: MediaRange = field(default_factory=lambda: MediaRange("127.0.0.1", 10000, 20000))
    """Ports of what is said and heard."""
    database: Database = field(default_factory=Database)
    """MariaDB: mailboxes and messages."""
    sounds: str = "/usr/share/asterisk/sounds"
    """Directory of prompts; below it one for each language."""
    spool: str = "/var/lib/asterisk"
    """Directory of messages that wait for MariaDB, and of those that are being recorded."""
    voicemail: Voicemail = field(default_factory=Voicemail)
    """What is a message."""
    voicemail_number: str = "2000"
    """What telephones are told to call to hear messages."""
    mail: Mail = field(default_factory=Mail)
    """Letters about messages."""
    reminder: Terms = field(default_factory=Terms)
    """Wake-up calls."""
    drain: float = 5.0
    """Seconds in which calls may end by themselves when the daemon stops; it ends those that do not."""
    server_header: str = "NGCP Voicebox Server"
    """Value of the Server header."""
    metrics: Metrics = field(default_factory=Metrics)
    """Where Prometheus finds counters."""

    def __post_init__(self) -> None:
        check_drain(self.drain)


def load(path: Path) -> Configuration:
    """Read the file, or raise `ConfigError` naming file and key."""
    return load_yaml(path, Configuration)
