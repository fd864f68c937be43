"""A resource's paths: which handler answers which method, and what OpenAPI says of it."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from http import HTTPStatus
from typing import Annotated, Any, Final

import fastapi
from fastapi import FastAPI
from starlette.requests import Request
from starlette.responses import JSONResponse, RedirectResponse, Response
from starlette.routing import Route
from starlette.types import Receive, Scope, Send

from ngcp.api.bans import BanHandlers
from ngcp.api.errors import ApiError
from ngcp.api.handlers import Handlers
from ngcp.api.patch import MAXIMUM_OPERATIONS, Operation
from ngcp.api.resource import Kind

_OPERATIONS: Final = Annotated[list[Operation], fastapi.Body(max_length=MAXIMUM_OPERATIONS)]
_NUMBER: Final = {"name": "number", "in": "path", "required": True, "schema": {"type": "integer"}}
_ID: Final = {"name": "id", "in": "path", "required": True, "schema": {"type": "string"}}
_RETURN: Final = {"enum": ["return=minimal", "return=representation"]}
_PREFER: Final = {"name": "Prefer", "in": "header", "schema": _RETURN}
_LISTING: Final[Mapping[str, object]] = {
    "page": {"type": "integer", "minimum": 1, "default": 1},
    "rows": {"type": "integer", "minimum": 1, "default": 10},
    "order_by": {"type": "string", "default": "id"},
    "order_by_direction": {"enum": ["asc", "desc"], "default": "asc"},
    "no_count": {"type": "boolean", "default": False},
}


def add_routes(app: FastAPI, handlers: Handlers) -> None:
    """Let `app` serve a resource."""
    resource = handlers.resource
    item = f"{resource.path}{{number}}"
    endpoints = {
        (resource.path, "GET"): handlers.list,
        (resource.path, "HEAD"): handlers.list,
        (resource.path, "POST"): _with_body(handlers.create, resource.body),
        (item, "GET"): handlers.read,
        (item, "HEAD"): handlers.read,
        (item, "PUT"): _with_body(handlers.replace, resource.body),
        (item, "PATCH"): _with_body(handlers.patch, _OPERATIONS),
        (item, "DELETE"): handlers.remove,
    }
    _add_all(app, resource, item, endpoints)


def add_ban_routes(app: FastAPI, handlers: BanHandlers) -> None:
    """Let `app` serve bans of one kind; their names may hold slashes."""
    bans = handlers.bans
    item = f"{bans.path}{{id:path}}"
    endpoints = {
        (bans.path, "GET"): handlers.list,
        (bans.path, "HEAD"): handlers.list,
        (item, "GET"): handlers.read,
        (item, "HEAD"): handlers.read,
        (item, "DELETE"): handlers.remove,
    }
    _add_all(app, bans, item, endpoints)


def _add_all(
    app: FastAPI, kind: Kind, item: str, endpoints: Mapping[tuple[str, str], Callable[..., Any]]
) -> None:
    for path, methods in ((kind.path, kind.collection_methods), (item, kind.item_methods)):
        for method in methods:
            if method != "OPTIONS":
                _add(app, kind, path, method, endpoints[path, method])
        app.router.routes.append(Route(path, Otherwise(methods, kind.profile)))
    app.router.routes.append(Route(kind.path.rstrip("/"), Moved(kind.path)))


class Otherwise:
    """Answers OPTIONS, and 405 to the methods that nothing else answers."""

    def __init__(self, methods: Sequence[str], profile: str) -> None:
        self._methods = methods
        self._headers = {"Allow": ", ".join(methods)} | (
            {"Accept-Post": profile} if "POST" in methods else {}
        )

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["method"] != "OPTIONS":
            raise ApiError(HTTPStatus.METHOD_NOT_ALLOWED, "Method Not Allowed", self._headers)
        await JSONResponse({"methods": list(self._methods)}, headers=self._headers)(scope, receive, send)


class Moved:
    """Sends those who forgot the slash to the collection."""

    def __init__(self, path: str) -> None:
        self._path = path

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        query = scope["query_string"].decode("ascii", "ignore")
        url = f"{self._path}?{query}" if query else self._path
        await RedirectResponse(url, HTTPStatus.MOVED_PERMANENTLY)(scope, receive, send)


def _add(app: FastAPI, resource: Kind, path: str, method: str, endpoint: Callable[..., Any]) -> None:
    summaries = {"POST": "Make a", "PUT": "Replace a", "PATCH": "Change a", "DELETE": "Remove a"}
    of_collection = path == resource.path
    app.add_api_route(
        path,
        endpoint,
        methods=[method],
        tags=[resource.name],
        summary=f"{summaries[method]} {resource.entity}" if method in summaries else resource.summary,
        status_code=HTTPStatus.CREATED if method == "POST" else HTTPStatus.OK,
        operation_id=f"{method.lower()}_{resource.name}{'' if of_collection else '_item'}",
        openapi_extra={"parameters": _parameters(resource, method, path)},
        include_in_schema=method != "HEAD",
    )


def _parameters(resource: Kind, method: str, path: str) -> list[object]:
    key = [] if path == resource.path else [_NUMBER if "{number}" in path else _ID]
    if method in ("POST", "PUT", "PATCH"):
        return [*key, _PREFER]
    if key:
        return [*key]
    query = {**_LISTING, **{name: {"type": "string"} for name in resource.filters}}
    return [{"name": name, "in": "query", "schema": schema} for name, schema in query.items()]


def _with_body(
    handler: Callable[[Request, Any], Awaitable[Response]], body: object
) -> Callable[..., Awaitable[Response]]:
    """Return `handler` as FastAPI reads it: the type of the body stands in its annotations."""

    async def endpoint(request: Request, body: Any) -> Response:  # noqa: ANN401 - replaced below
        return await handler(request, body)

    endpoint.__annotations__["body"] = body
    return endpoint
