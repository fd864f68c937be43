"""What operators may ask beside what every daemon that talks is asked: who may try no PIN now."""

from collections.abc import Callable
from typing import Final

from ngcp.service.commands import CommandError, CommandTable, Json

from .lockout import Lockout

#: What stands for all that are locked.
ALL: Final = "all"


def add_locks(table: CommandTable, lockout: Lockout, clock: Callable[[], float]) -> None:
    """Offer commands about mailboxes and callers that are locked out."""

    def locks() -> list[Json]:
        return [{"name": one.name, "seconds": round(one.seconds)} for one in lockout.locked(clock())]

    def unlock(*words: str) -> str:
        name = " ".join(words)
        if name == ALL:
            for one in list(lockout.locked(clock())):
                lockout.unlock(one.name)
        elif not lockout.unlock(name):
            raise CommandError(404, f"{name or 'nobody'} has tried no wrong PIN; mailbox.locks lists who has")
        return "OK"

    table.add("mailbox.locks", locks, "mailboxes and callers that may try no PIN now")
    table.add("mailbox.unlock", unlock, "mailbox UUID|caller UUID|caller NUMBER|all: let them try again")
