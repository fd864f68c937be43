"""A resource's paths: which handler answers which method, and what OpenAPI says of it."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from http import HTTPStatus
from typing import Annotated, Any, Final, Protocol

import fastapi
from fastapi import FastAPI
from starlette.requests import Request
from starlette.responses import JSONResponse, RedirectResponse, Response
from starlette.routing import Route
from starlette.types import Receive, Scope, Send

from ngcp.api.certificates import AdminCertificates, CertificateRequest
from ngcp.api.errors import ApiError
from ngcp.api.gate import UPLOADS
from ngcp.api.handlers import Handlers
from ngcp.api.patch import MAXIMUM_OPERATIONS, Operation
from ngcp.api.resource import READING, Kind, Resource

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


Endpoint = Callable[..., Awaitable[Response]]


def add_routes(app: FastAPI, handlers: Handlers, uploads: Mapping[str, Endpoint] | None = None) -> None:
    """Let `app` serve a resource; `uploads` are methods that take other media than JSON."""
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
    for method, endpoint in (uploads or {}).items():
        endpoints[resource.path if method == "POST" else item, method] = _whole(endpoint)
    _add_all(app, resource, item, endpoints)


def add_download(app: FastAPI, name: str, endpoint: Endpoint) -> None:
    """Let `app` serve the content of entities at /api/NAME/NUMBER."""
    path = f"/api/{name}/{{number}}"
    for method in ("GET", "HEAD"):
        app.add_api_route(
            path,
            _whole(endpoint),
            methods=[method],
            tags=[name],
            operation_id=f"{method.lower()}_{name}_item",
            openapi_extra={"parameters": [_NUMBER]},
            include_in_schema=method != "HEAD",
        )
    app.router.routes.append(Route(path, Otherwise(READING, "")))


class ReadHandlers(Protocol):
    """The methods of entities that are only read."""

    async def list(self, request: Request) -> Response:
        """Answer GET of the collection."""

    async def read(self, request: Request) -> Response:
        """Answer GET of an entity."""


class NamedHandlers(ReadHandlers, Protocol):
    """The methods of entities that have names instead of numbers."""

    async def remove(self, request: Request) -> Response:
        """Answer DELETE."""


def add_named_routes(app: FastAPI, kind: Kind, handlers: NamedHandlers) -> None:
    """Let `app` serve what the node's daemons keep; names may hold slashes."""
    item = f"{kind.path}{{id:path}}"
    _add_all(app, kind, item, _reading(kind, item, handlers) | {(item, "DELETE"): handlers.remove})


def add_read_routes(app: FastAPI, kind: Kind, handlers: ReadHandlers) -> None:
    """Let `app` serve what nobody changes over REST."""
    item = f"{kind.path}{{number}}"
    _add_all(app, kind, item, _reading(kind, item, handlers))


def _reading(kind: Kind, item: str, handlers: ReadHandlers) -> dict[tuple[str, str], Endpoint]:
    endpoints: dict[tuple[str, str], Endpoint] = {}
    for method in ("GET", "HEAD"):
        endpoints |= {(kind.path, method): handlers.list, (item, method): handlers.read}
    return endpoints


def add_document_routes(app: FastAPI, kind: Kind, endpoint: Callable[..., Any]) -> None:
    """Let `app` serve a document that is alone at its path."""
    for method in kind.collection_methods:
        if method != "OPTIONS":
            _add(app, kind, kind.path, method, endpoint)
    _add_others(app, kind, kind.path, kind.collection_methods)
    app.router.routes.append(Route(kind.path.rstrip("/"), Moved(kind.path)))


def add_certificate_routes(app: FastAPI, kind: AdminCertificates) -> None:
    """Let `app` give client certificates."""
    _add(app, kind, kind.path, "POST", _with_body(kind.create, CertificateRequest))
    _add_others(app, kind, kind.path, kind.collection_methods)
    app.router.routes.append(Route(kind.path.rstrip("/"), Moved(kind.path)))


def _add_others(app: FastAPI, kind: Kind, path: str, methods: Sequence[str]) -> None:
    app.router.routes.append(Route(path, Otherwise(methods, kind.profile)))


def _add_all(
    app: FastAPI, kind: Kind, item: str, endpoints: Mapping[tuple[str, str], Callable[..., Any]]
) -> None:
    for path, methods in ((kind.path, kind.collection_methods), (item, kind.item_methods)):
        for method in methods:
            if method != "OPTIONS":
                _add(app, kind, path, method, endpoints[path, method])
        _add_others(app, kind, path, methods)
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
        openapi_extra={"parameters": _parameters(resource, method, path)} | _upload(resource, method),
        include_in_schema=method != "HEAD",
    )


def _parameters(resource: Kind, method: str, path: str) -> list[object]:
    key = [] if path == resource.path else [_NUMBER if "{number}" in path else _ID]
    if method in ("POST", "PUT", "PATCH"):
        return [*key, _PREFER]
    if key or not resource.filters:
        return [*key]
    query = {**_LISTING, **{name: {"type": "string"} for name in resource.filters}}
    return [{"name": name, "in": "query", "schema": schema} for name, schema in query.items()]


def _upload(resource: Kind, method: str) -> dict[str, Any]:
    """Describe the bodies of a resource that takes other media than JSON."""
    if resource.name not in UPLOADS or method not in ("POST", "PUT") or not isinstance(resource, Resource):
        return {}
    assert resource.body is not None, "there is something to write"
    media = {name: {"schema": {"type": "string", "format": "binary"}} for name in UPLOADS[resource.name][0]}
    json = {"application/json": {"schema": resource.body.model_json_schema()}}
    return {"requestBody": {"required": True, "content": json | dict(sorted(media.items()))}}


def _with_body(
    handler: Callable[[Request, Any], Awaitable[Response]], body: object
) -> Callable[..., Awaitable[Response]]:
    """Return `handler` as FastAPI reads it: the type of the body stands in its annotations."""

    async def endpoint(request: Request, body: Any) -> Response:  # noqa: ANN401 - replaced below
        return await handler(request, body)

    endpoint.__annotations__["body"] = body
    return endpoint


def _whole(handler: Endpoint) -> Endpoint:
    """Return `handler` as FastAPI leaves it alone: it reads the request by itself."""

    async def endpoint(request: Request) -> Response:
        return await handler(request)

    return endpoint
