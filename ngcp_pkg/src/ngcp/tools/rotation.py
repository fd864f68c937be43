"""`ngcp-secrets`: how old the node's secrets are, and new ones in their place, without a call that is lost.

What a daemon signed lives on in phones: the contact and the routes of a call, a registration's path. So a new
secret signs from now on, and those before it are believed for a while. The daemons take it without a restart.
"""

import argparse
import json
import os
import pwd
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from ngcp.provisioning.engine import DatabaseUnavailable
from ngcp.provisioning.upgrade import administer, set_administrator_password, wait_for
from ngcp.tools import files, vault
from ngcp.tools.provision import SOCKET
from ngcp.tools.table import print_rows

#: Seconds for which an earlier secret is believed: longer than any call (21,600 by default) and registration
#: (43,200) lives.
GRACE: Final = 86_400
COLUMNS: Final = {
    "name": "Name",
    "made": "Made",
    "days": "Days",
    "earlier": "Earlier",
    "until": "Believed until",
    "use": "For",
}
#: Seconds to wait for MariaDB.
PATIENCE: Final = 10.0
#: What the administrator's password is for.
LOGIN: Final = "the REST API's user administrator"


class Refused(Exception):
    """Nothing was changed, or not all that should have been."""


@dataclass(frozen=True, slots=True)
class Desk:
    """Where secrets lie, whose they are, and what time it is."""

    directory: Path = vault.DIRECTORY
    socket: Path = SOCKET
    systemctl: str = "systemctl"
    now: float = 0.0

    def rows(self) -> Iterator[dict[str, str | int]]:
        """Say of each secret all but what it is."""
        for name, use in {**vault.SIGNING, vault.ADMINISTRATOR: LOGIN}.items():
            path = self.directory / name
            if not path.exists():
                continue
            made = path.stat().st_mtime
            earlier = vault.Kept.read(path).expired(self.now).earlier if name in vault.SIGNING else ()
            yield {
                "name": name,
                "made": _day(made),
                "days": int((self.now - made) // 86_400),
                "earlier": len(earlier),
                "until": _day(earlier[0][1]) if earlier else "",
                "use": use,
            }

    def rotate(self, names: Sequence[str], grace: float) -> Iterator[str]:
        """Put new secrets in the place of these, or of all; yield what was done."""
        there = [row["name"] for row in self.rows()]
        for name in names:
            if name not in there:
                raise Refused(f"there is no secret {name}; there are: {', '.join(map(str, there))}")
        for name in map(str, names or there):
            if name == vault.ADMINISTRATOR:
                yield self._rotate_password()
                continue
            path = self.directory / name
            kept = vault.Kept.read(path).rotated(vault.make_secret().decode(), self.now + grace, self.now)
            kept.write(path)
            self._reload(name)
            until = _day(self.now + grace)
            yield f"{name}: signs with a new secret; the one before is believed until {until}"

    def expire(self) -> Iterator[str]:
        """Forget earlier secrets whose time is over; yield what was done."""
        for name in vault.SIGNING:
            path = self.directory / name
            kept = vault.Kept.read(path)
            rest = kept.expired(self.now)
            if rest != kept:
                made = path.stat()
                rest.write(path)
                os.utime(path, (made.st_atime, made.st_mtime))  # what signs is as old as it was
                self._reload(name)
                yield f"{name}: {len(kept.earlier) - len(rest.earlier)} earlier forgotten"

    def _reload(self, name: str) -> None:
        """Let the daemon take it, if it runs; one that does not will when it starts."""
        unit = vault.UNITS[name]
        if subprocess.run([self.systemctl, "--quiet", "is-active", unit], check=False).returncode:
            return
        if subprocess.run([self.systemctl, "reload", unit], check=False).returncode:
            raise Refused(
                f"{unit} could not be reloaded: `systemctl restart {unit}` lets it use the new secret"
            )

    def _rotate_password(self) -> str:
        path = self.directory / vault.ADMINISTRATOR
        password = vault.make_password()
        engine = administer(str(self.socket), pwd.getpwuid(os.geteuid()).pw_name)
        try:
            wait_for(engine, PATIENCE)
            # First on the disk, beside: whatever happens now, the password in force can be read.
            beside = path.with_name(f"{path.name}.new")
            files.write(beside, password, 0o600)
            set_administrator_password(engine, password.decode())
            beside.rename(path)
        finally:
            engine.dispose()
        return f"{vault.ADMINISTRATOR}: has a new password; read it with: cat {path}"


def _day(moment: float) -> str:
    return time.strftime("%Y-%m-%d %H:%M", time.localtime(moment))


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line; 1 if it failed."""
    parsed = _parser().parse_args(arguments)
    desk = Desk(parsed.directory, parsed.socket, now=time.time())
    try:
        if parsed.command in ("list", "show"):
            return _show(desk, parsed)
        done = list(desk.rotate(parsed.name, parsed.grace) if parsed.command == "rotate" else desk.expire())
        print("\n".join(done) or "nothing to do")
    except (Refused, DatabaseUnavailable, LookupError, OSError, ValueError) as error:
        print(f"ngcp-secrets: {error}", file=sys.stderr)
        return 1
    return os.EX_OK


def _show(desk: Desk, parsed: argparse.Namespace) -> int:
    rows = [row for row in desk.rows() if parsed.command == "list" or row["name"] == parsed.name]
    if not rows:
        raise Refused(
            f"there is no secret {parsed.name}" if parsed.command == "show" else "there are no secrets"
        )
    print_rows(json.loads(json.dumps(rows)), COLUMNS, as_json=parsed.json)
    return os.EX_OK


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="ngcp-secrets", description="The node's secrets: ages, and new ones."
    )
    parser.add_argument(
        "--directory", type=Path, default=vault.DIRECTORY, help="where they lie (%(default)s)"
    )
    parser.add_argument("--socket", type=Path, default=SOCKET, help="MariaDB's socket (%(default)s)")
    commands = parser.add_subparsers(dest="command", required=True)
    shown = commands.add_parser("list", help="names and ages; never what they are")
    one = commands.add_parser("show", help="the same of one")
    one.add_argument("name", metavar="NAME")
    for command in (shown, one):
        command.add_argument("--json", action="store_true", help="for programs")
    rotate = commands.add_parser("rotate", help="make new ones; what was signed stays good for a while")
    rotate.add_argument("name", metavar="NAME", nargs="*", help="lb, proxy, administrator; without: all")
    rotate.add_argument(
        "--grace", type=_seconds, default=GRACE, metavar="SECONDS", help="for so long (%(default)s)"
    )
    commands.add_parser("expire", help="forget those whose time is over; a timer does it every hour")
    return parser


def _seconds(text: str) -> float:
    if not text.isdecimal():
        raise argparse.ArgumentTypeError("is no number of seconds")
    return float(text)


if __name__ == "__main__":
    sys.exit(main())
