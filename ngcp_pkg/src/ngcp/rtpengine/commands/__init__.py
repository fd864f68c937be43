"""The commands of the ng protocol, a module for each family; `table` names them all."""

from ..calls import Calls
from ..report import Reporter
from ..view import View
from .command import Command, Request, Table
from .recordings import Recordings
from .reports import Reports
from .sessions import Sessions
from .sounds import ReadFile, Sounds, no_file
from .treating import Treating

__all__ = ["Command", "Request", "Table", "no_file", "table"]


def table(calls: Calls, reporter: Reporter, view: View, read_file: ReadFile = no_file) -> Table:
    """Return the commands of all families by their names."""
    families = (
        Sessions(calls, reporter),
        Reports(calls, reporter, view),
        Treating(calls),
        Recordings(calls),
        Sounds(calls, read_file),
    )
    return {name: command for family in families for name, command in family.table.items()}
