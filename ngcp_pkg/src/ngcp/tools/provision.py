"""`ngcp-provision`: make, migrate and open the databases (as root, over the server's unix socket)."""

import argparse
import os
import pwd
import sys
from pathlib import Path
from typing import Final

from ngcp.provisioning.engine import DatabaseUnavailable
from ngcp.provisioning.upgrade import administer, revisions, upgrade, wait_for

SOCKET: Final = Path("/run/mysqld/mysqld.sock")
PASSWORD_FILE: Final = Path("/var/lib/ngcp/secrets/administrator")
#: Beyond 72 bytes bcrypt would not look at the rest.
PASSWORD_BYTES: Final = 72


def main() -> int:
    """Run the command line; 0 done (or up to date), 1 failed (or not up to date)."""
    arguments = _parser().parse_args()
    engine = administer(str(arguments.socket), pwd.getpwuid(os.geteuid()).pw_name)
    try:
        wait_for(engine, arguments.wait)
        if arguments.command == "status":
            current, needed = revisions(engine)
            print(f"databases: {current or 'nothing'}, needed: {needed}")
            return os.EX_OK if current == needed else 1
        done = 0
        for line in upgrade(engine, lambda: read_password(arguments.administrator_password_file)):
            print(line, flush=True)
            done += 1
        if not done:
            print("nothing to do")
    except (DatabaseUnavailable, OSError, ValueError) as error:
        print(f"ngcp-provision: {error}", file=sys.stderr)
        return 1
    finally:
        engine.dispose()
    return os.EX_OK


def read_password(path: Path) -> str:
    """Return the first line of `path`; raise ValueError if it cannot be a password."""
    line = path.read_text(encoding="utf-8").partition("\n")[0].strip()
    if not 8 <= len(line.encode()) <= PASSWORD_BYTES:
        raise ValueError(f"{path}: a password of 8 to {PASSWORD_BYTES} bytes expected")
    return line


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="ngcp-provision", description=__doc__)
    parser.add_argument("--socket", type=Path, default=SOCKET, help="MariaDB's socket (%(default)s)")
    parser.add_argument(
        "--wait", type=float, default=60.0, metavar="SECONDS", help="for MariaDB (%(default)s)"
    )
    commands = parser.add_subparsers(dest="command", required=True)
    commands.add_parser("status", help="print the revision of the databases; 1 if it is not the needed one")
    work = commands.add_parser("upgrade", help="do what is left to do; can be repeated")
    work.add_argument(
        "--administrator-password-file",
        type=Path,
        default=PASSWORD_FILE,
        metavar="FILE",
        help="first password of the administrator, if there is none yet (%(default)s)",
    )
    return parser


if __name__ == "__main__":
    sys.exit(main())
