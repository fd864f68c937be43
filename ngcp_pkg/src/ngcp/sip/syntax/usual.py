"""Readers of field values that are written in the plainest way, as nearly all of them are.

Each returns the parts of the value, or None for any other text, right or wrong, which `fields` and `uri` then
read by the whole grammar. They are in C; where that module is absent, nothing counts as plain.
"""

from collections.abc import Callable
from typing import TYPE_CHECKING

Params = dict[str, str | None]

#: Text to scheme, user, host, port, parameters.
read_uri: Callable[[str], tuple[str, str | None, str, int | None, Params] | None]
#: Text to transport, host, port, parameters.
read_via: Callable[[str], tuple[str, str, int | None, Params] | None]
#: Text to display name, address, parameters.
read_name_addr: Callable[[str], tuple[str, str, Params] | None]
#: Text to number and method.
read_cseq: Callable[[str], tuple[int, str] | None]

if TYPE_CHECKING:

    def _none(text: str) -> None: ...

    read_uri = read_via = read_name_addr = read_cseq = _none
else:
    try:
        from ngcp_speed import read_cseq, read_name_addr, read_uri, read_via
    except ImportError:

        def read_uri(text: str) -> None:
            """Leave it to the grammar."""

        read_via = read_name_addr = read_cseq = read_uri
