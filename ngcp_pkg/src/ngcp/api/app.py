"""The application: paths, and the one place where errors become responses."""

from collections.abc import Awaitable, Callable
from typing import Any, Final

from fastapi import FastAPI
from fastapi.exceptions import RequestValidationError
from pydantic import ValidationError
from sqlalchemy.ext.asyncio import AsyncEngine
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from ngcp.api.authentication import Authenticator
from ngcp.api.bans import BanHandlers, make_bans
from ngcp.api.errors import ApiError, answer
from ngcp.api.gate import Gate
from ngcp.api.handlers import Handlers
from ngcp.api.load_balancer import LoadBalancerControl, LoadBalancerUnavailable
from ngcp.api.proxy import ProxyControl, ProxyUnavailable
from ngcp.api.resource import READING
from ngcp.api.resources import make_resources
from ngcp.api.routes import Moved, Otherwise, add_ban_routes, add_routes
from ngcp.provisioning.engine import DatabaseUnavailable
from ngcp.provisioning.refusals import Refusal

ERRORS: Final = (
    ApiError,
    DatabaseUnavailable,
    HTTPException,
    LoadBalancerUnavailable,
    ProxyUnavailable,
    Refusal,
    RequestValidationError,
    ValidationError,
    Exception,
)
SECURITY: Final = {"basic": {"type": "http", "scheme": "basic"}}


def make_app(engine: AsyncEngine, proxy: ProxyControl, load_balancer: LoadBalancerControl) -> Gate:
    """Return the ASGI application over the databases behind `engine`."""
    app = FastAPI(title="sip:provider", version="1", openapi_url=None, docs_url=None, redoc_url=None)
    app.router.redirect_slashes = False
    for resource in make_resources(proxy):
        add_routes(app, Handlers(resource, engine, proxy))
    for bans in make_bans(load_balancer):
        add_ban_routes(app, BanHandlers(bans))
    app.add_api_route("/api/", _description(app), methods=["GET", "HEAD"], include_in_schema=False)
    app.router.routes.append(Route("/api/", Otherwise(READING, "")))
    app.router.routes.append(Route("/api", Moved("/api/")))
    for error in ERRORS:
        app.add_exception_handler(error, _answer)
    return Gate(app, Authenticator(engine))


def _description(app: FastAPI) -> Callable[[], Awaitable[Response]]:
    """Return the handler that shows what the API offers (OpenAPI)."""

    async def describe() -> Response:
        document: dict[str, Any] = app.openapi()
        security = {"securitySchemes": SECURITY} | document["components"]
        return JSONResponse(document | {"components": security, "security": [{"basic": []}]})

    return describe


async def _answer(request: Request, error: Exception) -> Response:
    return answer(error)
