"""Where what is in Redis: the platform's databases and keys (reference of the counters: glossary).

| database | key | value |
|---|---|---|
| `central` | `total`, `user:<uuid>`, `userout:…`, `totaluser:…`, …, `peerout:<id>` | number of calls |
| `pair` | `<call-id>` | list of the counters that the call moved |
| `own` | `calls` | hash: each call's dialog by Call-ID |
| `own` | `records` | hash: call records that MariaDB does not have yet |
| `acc` | `acc:entry::<call-id>:<time_hires>:<branch>`, its indexes | call records for the mediator |
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from .line import Answer, Command

CALLS: Final = "calls"
RECORDS: Final = "records"
#: Words of a command, at most and even: a script in Redis cannot take many thousand.
WORDS: Final = 1000
#: The counter of all calls.
TOTAL: Final = "total"

#: What counters are named; nothing else is touched where others keep things, too.
_COUNTER: Final = re.compile(r"total|(?:total)?(?:user|account|reseller|peer)(?:out)?:.*", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Databases:
    """Numbers of the databases."""

    central: int = 3
    """Counters."""
    pair: int = 4
    """Which call moved which counter."""
    own: int = 5
    """Dialogs, and records on their way; nobody else may use it."""
    acc: int = 21
    """Call records."""

    def __post_init__(self) -> None:
        numbers = (self.central, self.pair, self.own, self.acc)
        if len(set(numbers)) < len(numbers) or min(numbers) < 0:
            raise ValueError("the databases need a number of their own each")

    def count(self, counts: Mapping[str, int]) -> list[Command]:
        """Set counters; one at 0 is gone."""
        values = [text for key, count in counts.items() if count for text in (key, str(count))]
        gone = [key for key, count in counts.items() if not count]
        commands: list[Command] = [(self.central, "MSET", *some) for some in _portions(values)]
        return commands + [(self.central, "DEL", *some) for some in _portions(gone)]

    def save_moved(self, call_id: str, counters: Iterable[str]) -> list[Command]:
        """Keep which counters a call moved."""
        moved = [*counters]
        forget: Command = (self.pair, "DEL", call_id)
        return [forget, (self.pair, "RPUSH", call_id, *moved)] if moved else [forget]

    def save_call(self, call_id: str, text: str) -> Command:
        """Keep a call's dialog."""
        return (self.own, "HSET", CALLS, call_id, text)

    def forget_call(self, call_id: str) -> list[Command]:
        """Forget a call, but for its counters."""
        return [(self.pair, "DEL", call_id), (self.own, "HDEL", CALLS, call_id)]

    def save_record(self, entry: Mapping[str, str]) -> list[Command]:
        """Keep a call record for the mediator: a hash with the columns of `kamailio.acc`, and its indexes."""
        key = f"acc:entry::{entry['callid']}:{entry['time_hires']}:{entry['branch_id']}"
        by_call, by_method = f"acc:cid::{entry['callid']}", f"acc:meth::{entry['method']}"
        fields = [text for pair in entry.items() for text in pair]
        return [
            (self.acc, "HSET", key, *fields),
            (self.acc, "SADD", by_call, key),
            (self.acc, "SADD", by_method, key),
            (self.acc, "SADD", "acc::index::cid", by_call),
            (self.acc, "SADD", "acc::index::meth", by_method),
        ]

    def keep_for_database(self, key: str, text: str) -> Command:
        """Keep a record until MariaDB has it."""
        return (self.own, "HSET", RECORDS, key, text)

    def forget_for_database(self, keys: Sequence[str]) -> Command:
        """Forget records that MariaDB has."""
        return (self.own, "HDEL", RECORDS, *keys)

    def look(self) -> list[Command]:
        """Ask what is kept; `Kept.read` reads the answers."""
        return [(self.own, "HVALS", CALLS), (self.own, "HVALS", RECORDS)]

    def look_at_keys(self) -> list[Command]:
        """Ask for the names of counters, among others, and of the calls that moved them."""
        return [(self.central, "KEYS", "*"), (self.pair, "KEYS", "*")]

    def look_at_counters(self, keys: Sequence[str]) -> list[Command]:
        """Ask for the values of counters."""
        return [(self.central, "GET", key) for key in keys]

    def look_at_moved(self, call_ids: Sequence[str]) -> list[Command]:
        """Ask how many counters calls moved."""
        return [(self.pair, "LLEN", call_id) for call_id in call_ids]

    def look_at_central(self) -> list[Command]:
        """Ask for the names of counters, among others."""
        return [(self.central, "KEYS", "*")]

    def reset(self, central: Answer) -> list[Command]:
        """Forget everything counted and kept; takes what `look_at_central` was answered.

        In the central database others keep things, too.
        """
        commands: list[Command] = [(self.own, "DEL", CALLS, RECORDS), (self.pair, "FLUSHDB")]
        return commands + [(self.central, "DEL", *some) for some in _portions(counters(central))]


def _portions(words: Sequence[str]) -> Iterable[Sequence[str]]:
    return (words[start : start + WORDS] for start in range(0, len(words), WORDS))


def counters(keys: Answer) -> list[str]:
    """Return which of these keys are counters."""
    return [key for key in texts(keys) if _COUNTER.fullmatch(key)]


def texts(answer: Answer) -> list[str]:
    """Return the texts of an answer that is a list."""
    return [text for text in (answer if isinstance(answer, list) else ()) if isinstance(text, str)]
