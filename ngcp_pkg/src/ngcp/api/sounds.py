"""Sound files: uploaded as WAV, by query or by form, kept as a telephone takes them, and downloaded."""

from dataclasses import dataclass
from http import HTTPStatus
from typing import Annotated, Final

from pydantic import Field
from starlette.requests import Request
from starlette.responses import Response

from ngcp.api.errors import ApiError
from ngcp.api.handlers import Handlers
from ngcp.api.models import Body, Id, Printable
from ngcp.api.requests import read_number, wants_representation
from ngcp.api.resource import Resource
from ngcp.api.uploads import WAV, read_sound
from ngcp.provisioning.sounds import SoundFileStore, SoundGroupStore, SoundHandleStore, SoundSetStore

#: Seconds that a sound may last: its bytes must fit into one statement.
LONGEST: Final = 300.0


class SoundSet(Body):
    """A set of sounds, of a reseller or of one of his customers."""

    name: Annotated[Printable, Field(min_length=1, max_length=255)]
    description: Annotated[Printable, Field(max_length=255)] | None = None
    reseller_id: Id | None = None
    customer_id: Id | None = None
    parent_id: Id | None = None
    contract_default: bool = False
    expose_to_customer: bool = False


class SoundFile(Body):
    """A sound; without one (`use_parent`) the set's parent is asked."""

    unwritable = frozenset({"codec"})

    set_id: Id
    handle: Annotated[Printable, Field(min_length=1, max_length=190)]
    filename: Annotated[Printable, Field(min_length=1, max_length=255)]
    loopplay: bool = False
    use_parent: bool = False


_FILES: Final = SoundFileStore()
FILES: Final = Resource(
    "soundfiles",
    "sound file",
    "Sounds of a set by handle: audio/x-wav with the fields in the query, or multipart/form-data",
    _FILES,
    SoundFile,
    links={"set_id": "soundsets"},
)
SOUNDS: Final = (
    Resource("soundgroups", "sound group", "Groups of sound handles", SoundGroupStore()),
    Resource(
        "soundhandles",
        "sound handle",
        "What can be said or played",
        SoundHandleStore(),
        links={"group_id": "soundgroups"},
    ),
    Resource(
        "soundsets",
        "sound set",
        "Sets of sounds, which preferences refer to",
        SoundSetStore(),
        SoundSet,
        links={"reseller_id": "resellers", "customer_id": "customers", "parent_id": "soundsets"},
    ),
)


@dataclass(frozen=True, slots=True)
class SoundFiles(Handlers):
    """The methods of sound files: POST of a handle that has one replaces it, as on the platform."""

    async def upload(self, request: Request) -> Response:
        """Answer POST to the collection."""
        wanted, values = (
            wants_representation(request.headers),
            await read_sound(request, SoundFile, "soundfile", LONGEST),
        )
        async with self._transaction() as connection:
            values = await self.check(request, connection, values)
            known = await _FILES.number(connection, values)
            if known is None:
                number = await _FILES.create(connection, values)
            else:
                number = known
                before = await self.find(request, connection, number, lock=True)
                await _FILES.change(connection, before, values)
            entity = await self.find(request, connection, number)
        headers = {"Location": f"{self.resource.path}{number}"}
        if not wanted:
            return Response(status_code=HTTPStatus.CREATED, headers=headers)
        return self._show(self._item(request, entity), HTTPStatus.CREATED, headers)

    async def upload_again(self, request: Request) -> Response:
        """Answer PUT."""
        wanted, number = wants_representation(request.headers), read_number(request.path_params["number"])
        values = await read_sound(request, SoundFile, "soundfile", LONGEST)
        async with self._transaction() as connection:
            entity = await self.find(request, connection, number, lock=True)
            ended, changed = await self._change(request, connection, entity, values)
        return await self._changed(request, wanted, ended, changed)

    async def download(self, request: Request) -> Response:
        """Answer GET of the recording."""
        async with self._transaction() as connection:
            number = read_number(request.path_params["number"])
            await self.find(request, connection, number)
            data = await _FILES.sound(connection, number)
        if data is None:
            raise ApiError(HTTPStatus.NOT_FOUND, "There is no sound but the parent's.")
        return Response(data, media_type=WAV)
