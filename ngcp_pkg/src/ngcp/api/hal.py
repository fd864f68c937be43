"""Entities as HAL+JSON (draft-kelly-json-hal), with the platform's relations."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any, Final, TypeAlias
from urllib.parse import quote, urlencode

from ngcp.api.resource import Kind
from ngcp.provisioning.store import Entity, Listing, Page

Json: TypeAlias = dict[str, Any]

MEDIA_TYPE: Final = "application/hal+json"
_CURIES: Final = {
    "name": "ngcp",
    "href": "http://purl.org/sipwise/ngcp-api/#rel-{rel}",
    "templated": True,
}
_PROFILE: Final = {"href": "http://purl.org/sipwise/ngcp-api/"}
#: Never shown to an administrator without the right to see them.
_PASSWORDS: Final = frozenset({"password", "peer_auth_pass", "pin"})


def document_links(kind: Kind) -> Json:
    """Return the links of a document that is alone at its path."""
    return {"self": {"href": kind.path}, "curies": [_CURIES], "profile": _PROFILE}


def item(resource: Kind, entity: Entity, *, show_passwords: bool) -> Json:
    """Return one entity with its links."""
    links: Json = {
        "self": {"href": f"{resource.path}{quote(str(entity['id']), safe='@:')}"},
        "collection": {"href": resource.path},
        "curies": [_CURIES],
        "profile": _PROFILE,
    }
    for field, name in resource.links.items():
        if entity[field] is not None:
            links[f"ngcp:{name}"] = {"href": f"/api/{name}/{entity[field]}"}
    hidden = frozenset() if show_passwords else _PASSWORDS
    return {"_links": links} | {name: plain(value) for name, value in entity.items() if name not in hidden}


def collection(resource: Kind, listing: Listing, page: Page, items: Sequence[Json]) -> Json:
    """Return part of a list, with links to the parts around it."""
    relation = f"ngcp:{resource.name}"
    links: Json = {"self": _part(resource, listing, listing.page), "curies": [_CURIES], "profile": _PROFILE}
    if listing.page > 1:
        links["prev"] = _part(resource, listing, listing.page - 1)
    if page.has_more or (page.total is not None and listing.page * listing.rows < page.total):
        links["next"] = _part(resource, listing, listing.page + 1)
    links[relation] = [one["_links"]["self"] for one in items]
    total = {} if page.total is None else {"total_count": page.total}
    return {"_links": links, "_embedded": {relation: items}} | total


def _part(resource: Kind, listing: Listing, page: int) -> Mapping[str, str]:
    query: dict[str, str | int] = {"page": page, "rows": listing.rows}
    if listing.order_by != "id" or listing.descending:
        query["order_by"] = listing.order_by
        query["order_by_direction"] = "desc" if listing.descending else "asc"
    if not listing.counted:
        query["no_count"] = "true"
    return {"href": f"{resource.path}?{urlencode(query | dict(listing.filters))}"}


def plain(value: object) -> object:
    """Return a value as JSON has it; times are UTC."""
    if isinstance(value, datetime):
        aware = value if value.tzinfo else value.replace(tzinfo=UTC)
        return aware.strftime("%Y-%m-%d %H:%M:%S")
    return float(value) if isinstance(value, Decimal) else value
