"""`ngcp-asterisk-ctl`: the calls of the app server, asked over its UDP port."""

from pathlib import Path
from typing import Final

from ngcp.tools.callctl import Line, make_app
from ngcp.tools.control import Daemon

DAEMON: Final = Daemon("asterisk", Path("/etc/asterisk/asterisk.yml"), "control", "port", 5041)
LINE: Final = Line(lambda: DAEMON)

app = make_app(LINE, __doc__)


def main() -> None:
    """Run the command line."""
    app(prog_name="ngcp-asterisk-ctl")
