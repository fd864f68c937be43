"""What each method does, for every resource alike."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from http import HTTPStatus

from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from ngcp.api import hal
from ngcp.api.errors import ApiError
from ngcp.api.models import Body
from ngcp.api.patch import Operation, apply, fields_of, fields_read
from ngcp.api.proxy import ProxyControl
from ngcp.api.requests import read_listing, read_number, wants_representation
from ngcp.api.resource import Resource
from ngcp.api.roles import RULES
from ngcp.provisioning import changes
from ngcp.provisioning.engine import transaction
from ngcp.provisioning.principals import Principal
from ngcp.provisioning.refusals import refusal_of
from ngcp.provisioning.store import Changer, Creator, Ended, Entity, Remover, Values
from ngcp.provisioning.tenancy import Tenancy


@dataclass(frozen=True, slots=True)
class Handlers:
    """The methods of one resource."""

    resource: Resource
    engine: AsyncEngine
    proxy: ProxyControl
    tenancy: Tenancy

    async def list(self, request: Request) -> Response:
        """Answer GET of the collection."""
        listing = read_listing(request.query_params)
        root = _principal(request).root
        within = self.tenancy.condition(self.resource.name, root) if root else None
        async with self._transaction() as connection:
            page = await self.resource.store.page(connection, listing, within)
        items = [self._item(request, entity) for entity in page.entities]
        return self._show(hal.collection(self.resource, listing, page, items))

    async def read(self, request: Request) -> Response:
        """Answer GET of an entity."""
        number = read_number(request.path_params["number"])
        async with self._transaction() as connection:
            entity = await self.find(request, connection, number)
        return self._show(self._item(request, entity))

    async def create(self, request: Request, body: Body) -> Response:
        """Answer POST to the collection."""
        wanted, store = wants_representation(request.headers), self.resource.store
        assert isinstance(store, Creator), "POST is offered for such stores only"
        async with self._transaction() as connection:
            values = await self.check(request, connection, body.values())
            self._obey(request, values, None)
            number = await store.create(connection, values)
            entity = await self.find(request, connection, number)
        headers = {"Location": f"{self.resource.path}{number}"} | _applied(wanted)
        if not wanted:
            return Response(status_code=HTTPStatus.CREATED, headers=headers)
        return self._show(self._item(request, entity), HTTPStatus.CREATED, headers)

    async def replace(self, request: Request, body: Body) -> Response:
        """Answer PUT."""
        wanted, number = wants_representation(request.headers), read_number(request.path_params["number"])
        async with self._transaction() as connection:
            entity = await self.find(request, connection, number, lock=True)
            ended, changed = await self._change(request, connection, entity, body.values())
        return await self._changed(request, wanted, ended, changed)

    async def patch(self, request: Request, operations: Sequence[Operation]) -> Response:
        """Answer PATCH: what the operations make of the entity is then put."""
        wanted, number = wants_representation(request.headers), read_number(request.path_params["number"])
        model = self.resource.body
        assert model is not None, "PATCH is offered where there is something to write"
        async with self._transaction() as connection:
            entity = await self.find(request, connection, number, lock=True)
            for name in fields_read(operations) & (entity.keys() - self._item(request, entity).keys()):
                raise ApiError(HTTPStatus.FORBIDDEN, f"Field '{name}' is not for you to read.")
            document = model.document(entity, fields_of(operations))
            body = model.model_validate(apply(operations, document))
            ended, changed = await self._change(request, connection, entity, body.values())
        return await self._changed(request, wanted, ended, changed)

    async def remove(self, request: Request) -> Response:
        """Answer DELETE."""
        number, store = read_number(request.path_params["number"]), self.resource.store
        assert isinstance(store, Remover), "DELETE is offered for such stores only"
        async with self._transaction() as connection:
            entity = await self.find(request, connection, number, lock=True)
            self._obey(request, None, entity)
            ended = await store.remove(connection, entity)
        await self._forget(ended)
        return Response(status_code=HTTPStatus.NO_CONTENT)

    async def find(
        self, request: Request, connection: AsyncConnection, number: int, *, lock: bool = False
    ) -> Entity:
        """Return entity `number`; raises ApiError if it is not there, or not for whoever asks."""
        root = _principal(request).root
        if root and not await self.tenancy.holds(connection, self.resource.name, number, root):
            return self._existing(None)
        return self._existing(await self.resource.store.find(connection, number, lock=lock))

    async def check(self, request: Request, connection: AsyncConnection, values: Values) -> Values:
        """Return what is to be stored for whoever asks; raises InvalidValue if it refers to a stranger's."""
        root = _principal(request).root
        return await self.tenancy.check(connection, self.resource.name, values, root) if root else values

    async def _change(
        self, request: Request, connection: AsyncConnection, entity: Entity, values: Values
    ) -> tuple[Ended, Entity | None]:
        """Change an entity; return it as it is now, None if that was its end."""
        store = self.resource.store
        assert isinstance(store, Changer), "changes are offered for such stores only"
        values = await self.check(request, connection, values)
        self._obey(request, values, entity)
        if _principal(request).is_customer:
            values = await store.of_customers(connection, entity, values)
        ended = await store.change(connection, entity, values)
        return ended, await self.resource.store.find(connection, entity["id"])

    def _obey(self, request: Request, values: Values | None, entity: Entity | None) -> None:
        """Raise NotAllowed if a rule of the resource forbids that change."""
        rule = RULES.get(self.resource.name)
        if rule is not None:
            rule(_principal(request), values, entity)

    async def _changed(self, request: Request, wanted: bool, ended: Ended, entity: Entity | None) -> Response:
        await self._forget(ended)
        if not wanted or entity is None:
            return Response(status_code=HTTPStatus.NO_CONTENT, headers=_applied(False))
        return self._show(self._item(request, entity), headers=_applied(True))

    async def _forget(self, ended: Ended) -> None:
        for aor in ended:
            await self.proxy.forget(aor)

    def _existing(self, entity: Entity | None) -> Entity:
        if entity is None:
            raise ApiError(HTTPStatus.NOT_FOUND, f"Entity '{self.resource.entity}' not found.")
        return entity

    def _item(self, request: Request, entity: Entity) -> hal.Json:
        principal = _principal(request)
        if principal.is_customer:
            entity = self.resource.store.shown_to_customers(entity)
        return hal.item(self.resource, entity, show_passwords=principal.show_passwords)

    def _show(
        self, content: hal.Json, status: int = HTTPStatus.OK, headers: dict[str, str] | None = None
    ) -> Response:
        return JSONResponse(content, status, headers, media_type=self.resource.profile)

    @asynccontextmanager
    async def _transaction(self) -> AsyncIterator[AsyncConnection]:
        """Commit, then let the proxy know, then answer: the next call finds the change."""
        try:
            async with transaction(self.engine) as connection:
                changes.take(connection)  # of one that failed
                yield connection
                changed = changes.take(connection)
        except IntegrityError as error:
            raise refusal_of(error) from error
        if changed:
            await self.proxy.announce(changed)


def _principal(request: Request) -> Principal:
    principal: Principal = request.state.principal
    return principal


def _applied(representation: bool) -> dict[str, str]:
    return {"Preference-Applied": f"return={'representation' if representation else 'minimal'}"}
