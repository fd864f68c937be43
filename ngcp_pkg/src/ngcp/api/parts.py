"""Parts of lists that no database keeps: searched, ordered and cut as a store would."""

from collections.abc import Sequence
from fnmatch import fnmatchcase

from ngcp.api import hal
from ngcp.provisioning.refusals import BadListing
from ngcp.provisioning.store import Entity, Listing, Page


def part(entities: Sequence[Entity], fields: Sequence[str], listing: Listing) -> Page:
    """Return the part of a list that `listing` describes, as a store would; raises BadListing."""
    for name in (*listing.filters, listing.order_by):
        if name not in fields:
            raise BadListing(f"Unknown query parameter '{name}', must be one of {', '.join(fields)}.")
    found = [one for one in entities if all(_matches(one[n], v) for n, v in listing.filters.items())]
    found.sort(key=lambda one: (one[listing.order_by] is not None, one[listing.order_by], one["id"]))
    if listing.descending:
        found.reverse()
    start = (listing.page - 1) * listing.rows
    return Page(found[start : start + listing.rows], len(found) if listing.counted else None)


def _matches(value: object, wanted: str) -> bool:
    literal = "".join(f"[{character}]" if character in "?[" else character for character in wanted)
    return fnmatchcase(str(hal.plain(value)), literal)
