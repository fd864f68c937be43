"""The application: paths, and the one place where errors become responses."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any, Final

from fastapi import FastAPI
from fastapi.exceptions import RequestValidationError
from pydantic import ValidationError
from sqlalchemy.ext.asyncio import AsyncEngine
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from ngcp.api.active_calls import ACTIVE_CALLS, ActiveCallHandlers
from ngcp.api.authentication import Authenticator
from ngcp.api.bans import BanHandlers, make_bans
from ngcp.api.call_records import RECORDS, RecordHandlers
from ngcp.api.certificates import CERTIFICATES, AdminCertificates, Authority
from ngcp.api.conversations import CONVERSATIONS, ConversationHandlers
from ngcp.api.errors import ApiError, answer
from ngcp.api.gate import Gate
from ngcp.api.handlers import Handlers
from ngcp.api.load_balancer import LoadBalancerControl, LoadBalancerUnavailable
from ngcp.api.ported import NUMBERS, PortedNumbers
from ngcp.api.preferences import DEFINITIONS
from ngcp.api.proxy import ProxyControl, ProxyUnavailable
from ngcp.api.resource import READING
from ngcp.api.resources import make_resources, make_tenancy
from ngcp.api.roles import may
from ngcp.api.routes import (
    Moved,
    Otherwise,
    add_certificate_routes,
    add_document_routes,
    add_download,
    add_named_routes,
    add_read_routes,
    add_routes,
)
from ngcp.api.sounds import FILES, SoundFiles
from ngcp.api.voicemail import VOICEMAIL, add_voicemail
from ngcp.provisioning.engine import DatabaseUnavailable
from ngcp.provisioning.principals import Principal
from ngcp.provisioning.refusals import Refusal
from ngcp.provisioning.speed_dials import SLOTS

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


def make_app(
    engine: AsyncEngine,
    proxy: ProxyControl,
    load_balancer: LoadBalancerControl,
    authority: Authority,
    slots: Sequence[str] = SLOTS,
) -> Gate:
    """Return the ASGI application over the databases behind `engine`."""
    app = FastAPI(title="sip:provider", version="1", openapi_url=None, docs_url=None, redoc_url=None)
    app.router.redirect_slashes = False
    resources = make_resources(proxy, slots)
    tenancy = make_tenancy((*resources, NUMBERS, FILES, *VOICEMAIL))
    for resource in resources:
        add_routes(app, Handlers(resource, engine, proxy, tenancy))
    numbers = PortedNumbers(NUMBERS, engine, proxy, tenancy)
    add_routes(app, numbers, {"POST": numbers.upload})
    sounds = SoundFiles(FILES, engine, proxy, tenancy)
    add_routes(app, sounds, {"POST": sounds.upload, "PUT": sounds.upload_again})
    add_download(app, "soundfilerecordings", sounds.download)
    add_voicemail(app, engine, proxy, tenancy)
    for definitions in DEFINITIONS:
        add_document_routes(app, definitions, definitions.endpoint())
    add_certificate_routes(app, AdminCertificates(*CERTIFICATES, engine, authority))
    for bans in make_bans(load_balancer):
        add_named_routes(app, bans, BanHandlers(bans))
    add_named_routes(app, ACTIVE_CALLS, ActiveCallHandlers(engine, proxy))
    for records in RECORDS:
        add_read_routes(app, records, RecordHandlers(records, engine))
    add_read_routes(app, CONVERSATIONS, ConversationHandlers(engine))
    app.add_api_route("/api/", _description(app), methods=["GET", "HEAD"], include_in_schema=False)
    app.router.routes.append(Route("/api/", Otherwise(READING, "")))
    app.router.routes.append(Route("/api", Moved("/api/")))
    for error in ERRORS:
        app.add_exception_handler(error, _answer)
    return Gate(app, Authenticator(engine))


def _description(app: FastAPI) -> Callable[..., Awaitable[Response]]:
    """Return the handler that shows what the API offers whoever asks (OpenAPI)."""

    async def describe(request: Request) -> Response:
        document: dict[str, Any] = app.openapi()
        changes = {
            "paths": _paths(document["paths"], request.state.principal),
            "components": {"securitySchemes": SECURITY} | document["components"],
            "security": [{"basic": []}],
        }
        return JSONResponse(document | changes)

    return describe


def _paths(paths: Mapping[str, Mapping[str, object]], principal: Principal) -> dict[str, object]:
    """Return those operations that somebody may ask for."""

    def is_offered(method: str, path: str) -> bool:
        is_reading = method.upper() in READING
        return may(principal.role, method.upper(), path) and (is_reading or not principal.read_only)

    offered = {
        path: {method: operation for method, operation in operations.items() if is_offered(method, path)}
        for path, operations in paths.items()
    }
    return {path: operations for path, operations in offered.items() if operations}


async def _answer(request: Request, error: Exception) -> Response:
    return answer(error)
