"""The months of `accounting.cdr` over the mediator's line; `partitions` knows what months are."""

from typing import Final

from ngcp.provisioning.line import Line
from ngcp.provisioning.partitions import LIST, Month, missing_months, read_months, statement_for

#: Months that are ready before they begin.
AHEAD: Final = 3


async def make_months(line: Line, unix: float) -> list[str]:
    """Make the partitions up to some months from now; return their names. What is there stays.

    Raises DatabaseUnavailable and StatementRefused.
    """
    known = read_months(str(name) for (name,) in await line.fetch(LIST))
    missing = missing_months(known, Month.at(unix), AHEAD)
    if missing:
        await line.run(statement_for(missing))
    return [month.partition for month in missing]
