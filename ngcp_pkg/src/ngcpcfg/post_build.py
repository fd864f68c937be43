"""`ngcpcfg post-build`: what the databases need after a change of versions.

What is in them does not depend on values of the configuration: accounts have no passwords. So `apply` leaves
them alone.
"""

import os
import shutil
import subprocess

from ngcpcfg import messages, report
from ngcpcfg.problems import RefusedError

_PROGRAM = "ngcp-provision"


def run(*, skips_databases: bool) -> int:
    """Make and migrate the databases, with an account for each daemon; the exit status."""
    if skips_databases or os.environ.get("NO_DB_SYNC"):
        messages.debug("no-db-sync: skipping the databases")
        messages.info(report.NOTHING)
        return 0
    if shutil.which(_PROGRAM) is None:
        raise RefusedError(f"{_PROGRAM} is not there; it is in the package ngcp-ce")
    messages.info("Synchronizing MariaDB database and grants")
    return subprocess.run([_PROGRAM, "upgrade"], check=False).returncode
