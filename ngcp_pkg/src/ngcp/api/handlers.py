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
from ngcp.api.patch import Operation, apply
from ngcp.api.proxy import ProxyControl
from ngcp.api.requests import read_listing, read_number, wants_representation
from ngcp.api.resource import Resource
from ngcp.provisioning import changes
from ngcp.provisioning.administrators import Administrator
from ngcp.provisioning.engine import transaction
from ngcp.provisioning.refusals import refusal_of
from ngcp.provisioning.store import Changer, Creator, Ended, Entity, Remover, Values


@dataclass(frozen=True, slots=True)
class Handlers:
    """The methods of one resource."""

    resource: Resource
    engine: AsyncEngine
    proxy: ProxyControl

    async def list(self, request: Request) -> Response:
        """Answer GET of the collection."""
        listing = read_listing(request.query_params)
        async with self._transaction() as connection:
            page = await self.resource.store.page(connection, listing)
        items = [self._item(request, entity) for entity in page.entities]
        return self._show(hal.collection(self.resource, listing, page, items))

    async def read(self, request: Request) -> Response:
        """Answer GET of an entity."""
        number = read_number(request.path_params["number"])
        async with self._transaction() as connection:
            entity = self._existing(await self.resource.store.find(connection, number))
        return self._show(self._item(request, entity))

    async def create(self, request: Request, body: Body) -> Response:
        """Answer POST to the collection."""
        wanted, store = wants_representation(request.headers), self.resource.store
        assert isinstance(store, Creator), "POST is offered for such stores only"
        async with self._transaction() as connection:
            number = await store.create(connection, body.values())
            entity = self._existing(await self.resource.store.find(connection, number))
        headers = {"Location": f"{self.resource.path}{number}"} | _applied(wanted)
        if not wanted:
            return Response(status_code=HTTPStatus.CREATED, headers=headers)
        return self._show(self._item(request, entity), HTTPStatus.CREATED, headers)

    async def replace(self, request: Request, body: Body) -> Response:
        """Answer PUT."""
        wanted, number = wants_representation(request.headers), read_number(request.path_params["number"])
        async with self._transaction() as connection:
            entity = self._existing(await self.resource.store.find(connection, number, lock=True))
            ended, changed = await self._change(connection, entity, body.values())
        return await self._changed(request, wanted, ended, changed)

    async def patch(self, request: Request, operations: Sequence[Operation]) -> Response:
        """Answer PATCH: what the operations make of the entity is then put."""
        wanted, number = wants_representation(request.headers), read_number(request.path_params["number"])
        model = self.resource.body
        assert model is not None, "PATCH is offered where there is something to write"
        async with self._transaction() as connection:
            entity = self._existing(await self.resource.store.find(connection, number, lock=True))
            document = {name: entity.get(name) for name in model.model_fields}
            body = model.model_validate(apply(operations, document))
            ended, changed = await self._change(connection, entity, body.values())
        return await self._changed(request, wanted, ended, changed)

    async def remove(self, request: Request) -> Response:
        """Answer DELETE."""
        number, store = read_number(request.path_params["number"]), self.resource.store
        assert isinstance(store, Remover), "DELETE is offered for such stores only"
        async with self._transaction() as connection:
            entity = self._existing(await self.resource.store.find(connection, number, lock=True))
            ended = await store.remove(connection, entity)
        await self._forget(ended)
        return Response(status_code=HTTPStatus.NO_CONTENT)

    async def _change(
        self, connection: AsyncConnection, entity: Entity, values: Values
    ) -> tuple[Ended, Entity | None]:
        """Change an entity; return it as it is now, None if that was its end."""
        store = self.resource.store
        assert isinstance(store, Changer), "changes are offered for such stores only"
        ended = await store.change(connection, entity, values)
        return ended, await self.resource.store.find(connection, entity["id"])

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
        administrator: Administrator = request.state.administrator
        return hal.item(self.resource, entity, show_passwords=administrator.show_passwords)

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


def _applied(representation: bool) -> dict[str, str]:
    return {"Preference-Applied": f"return={'representation' if representation else 'minimal'}"}
