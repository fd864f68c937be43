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

from ngcp.api.errors import ApiError
from ngcp.api.handlers import Handlers
from ngcp.api.patch import MAXIMUM_OPERATIONS, Operation
from ngcp.api.resource import Resource

_OPERATIONS: Final = Annotated[list[Operation], fastapi.Body(max_length=MAXIMUM_OPERATIONS)]
_NUMBER: Final = {"name": "number", "in": "path", "required": True, "schema": {"type": "integer"}}
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
    for path, methods in ((resource.path, resource.collection_methods), (item, resource.item_methods)):
        for method in methods:
            if method != "OPTIONS":
                _add(app, resource, path, method, endpoints[path, method])
        app.router.routes.append(Route(path, Otherwise(methods, resource.profile)))
    app.router.routes.append(Route(resource.path.rstrip("/"), Moved(resource.path)))


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


def _add(app: FastAPI, resource: Resource, path: str, method: str, endpoint: Callable[..., Any]) -> None:
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
        openapi_extra={"parameters": _parameters(resource, method, of_collection)},
        include_in_schema=method != "HEAD",
    )


def _parameters(resource: Resource, method: str, of_collection: bool) -> list[object]:
    path = [] if of_collection else [_NUMBER]
    if method in ("POST", "PUT", "PATCH"):
        return [*path, _PREFER]
    if not of_collection:
        return [*path]
    filters = [*resource.store.fields(), *resource.store.conditions()]
    query = {**_LISTING, **{name: {"type": "string"} for name in filters}}
    return [{"name": name, "in": "query", "schema": schema} for name, schema in query.items()]


def _with_body(
    handler: Callable[[Request, Any], Awaitable[Response]], body: object
) -> Callable[..., Awaitable[Response]]:
    """Return `handler` as FastAPI reads it: the type of the body stands in its annotations."""

    async def endpoint(request: Request, body: Any) -> Response:  # noqa: ANN401 - replaced below
        return await handler(request, body)

    endpoint.__annotations__["body"] = body
    return endpoint
