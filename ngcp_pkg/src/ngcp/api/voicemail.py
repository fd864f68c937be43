"""Voicemail: messages and their sounds, settings of mailboxes, greetings that are uploaded."""

from dataclasses import dataclass
from http import HTTPStatus
from typing import Annotated, Final, Literal

from fastapi import FastAPI
from pydantic import AfterValidator, BeforeValidator
from sqlalchemy.ext.asyncio import AsyncEngine
from starlette.requests import Request
from starlette.responses import Response

from ngcp.api.handlers import Handlers
from ngcp.api.models import Body, Email, Id, none_if_empty
from ngcp.api.proxy import ProxyControl
from ngcp.api.requests import read_number, wants_representation
from ngcp.api.resource import Resource
from ngcp.api.routes import add_download, add_routes
from ngcp.api.uploads import WAV, read_sound
from ngcp.provisioning.refusals import InvalidValue
from ngcp.provisioning.store import Values
from ngcp.provisioning.tenancy import Tenancy
from ngcp.provisioning.voicemail_pins import check_pin
from ngcp.provisioning.voicemail_records import (
    VoicemailGreetingStore,
    VoicemailSettingStore,
    VoicemailStore,
)

#: Seconds that a greeting may last.
LONGEST: Final = 180.0


def _pin(text: str) -> str:
    check_pin(text)
    return text


class Voicemail(Body):
    """A message; what can be changed is the folder that it lies in."""

    unwritable = frozenset({"subscriber_id", "caller", "time", "duration", "call_id"})

    folder: Literal["INBOX", "Old", "Work", "Family", "Friends"]


class VoicemailSettings(Body):
    """A mailbox: who is told of messages by mail, and how; without `pin` the PIN stays."""

    unwritable = frozenset({"subscriber_id"})

    pin: Annotated[str, AfterValidator(_pin)] | None = None
    email: Annotated[Email | None, BeforeValidator(none_if_empty)] = None
    attach: bool = True
    """Whether the mail has the message."""
    delete: bool = False
    """Whether a message is removed once it is mailed."""


class VoicemailGreeting(Body):
    """What callers of a mailbox hear: when nobody answers, when he talks, for a while, or his name."""

    subscriber_id: Id
    dir: Literal["unavail", "busy", "temp", "greet"]


_OWNER: Final = {"subscriber_id": "subscribers"}
_MESSAGES: Final = VoicemailStore()
_GREETINGS: Final = VoicemailGreetingStore()
MESSAGES: Final = Resource(
    "voicemails",
    "voicemail",
    "Messages that callers left; their sounds are `voicemailrecordings`",
    _MESSAGES,
    Voicemail,
    links={**_OWNER, "id": "voicemailrecordings"},
)
SETTINGS: Final = Resource(
    "voicemailsettings",
    "voicemail settings",
    "The mailbox of each subscriber: PIN, and mail about new messages",
    VoicemailSettingStore(),
    VoicemailSettings,
    links=_OWNER,
)
GREETINGS: Final = Resource(
    "voicemailgreetings",
    "voicemail greeting",
    "Greetings of mailboxes: multipart/form-data, or audio/x-wav with the fields in the query."
    " GET of one that accepts audio/x-wav is answered with its sound",
    _GREETINGS,
    VoicemailGreeting,
    links=_OWNER,
)
VOICEMAIL: Final = (MESSAGES, SETTINGS, GREETINGS)


@dataclass(frozen=True, slots=True)
class Messages(Handlers):
    """The methods of messages."""

    async def download(self, request: Request) -> Response:
        """Answer GET of the recording."""
        number = read_number(request.path_params["number"])
        wanted = request.query_params.get("format", "wav")
        if wanted != "wav":
            raise InvalidValue("format", wanted, "must be wav")
        async with self._transaction() as connection:
            await self.find(request, connection, number)
            data = await _MESSAGES.sound(connection, number)
        return _sound(data, f"voicemail-{number}.wav")


@dataclass(frozen=True, slots=True)
class Greetings(Handlers):
    """The methods of greetings."""

    async def read(self, request: Request) -> Response:
        """Answer GET of an entity: the sound, to who accepts that only."""
        if not request.headers.get("accept", "").startswith("audio/"):
            return await Handlers.read(self, request)
        number = read_number(request.path_params["number"])
        async with self._transaction() as connection:
            await self.find(request, connection, number)
            data = await _GREETINGS.sound(connection, number)
        return _sound(data, f"voicemailgreeting-{number}.wav")

    async def upload(self, request: Request) -> Response:
        """Answer POST to the collection."""
        values = await _read(request)
        async with self._transaction() as connection:
            values = await self.check(request, connection, values)
            number = await _GREETINGS.create(connection, values)
            entity = await self.find(request, connection, number)
        headers = {"Location": f"{self.resource.path}{number}"}
        if not wants_representation(request.headers):
            return Response(status_code=HTTPStatus.CREATED, headers=headers)
        return self._show(self._item(request, entity), HTTPStatus.CREATED, headers)

    async def upload_again(self, request: Request) -> Response:
        """Answer PUT."""
        wanted, number = wants_representation(request.headers), read_number(request.path_params["number"])
        values = await _read(request)
        async with self._transaction() as connection:
            entity = await self.find(request, connection, number, lock=True)
            ended, changed = await self._change(request, connection, entity, values)
        return await self._changed(request, wanted, ended, changed)


def add_voicemail(app: FastAPI, engine: AsyncEngine, proxy: ProxyControl, tenancy: Tenancy) -> None:
    """Let `app` serve voicemail."""
    messages = Messages(MESSAGES, engine, proxy, tenancy)
    greetings = Greetings(GREETINGS, engine, proxy, tenancy)
    add_routes(app, messages)
    add_download(app, "voicemailrecordings", messages.download)
    add_routes(app, Handlers(SETTINGS, engine, proxy, tenancy))
    add_routes(app, greetings, {"POST": greetings.upload, "PUT": greetings.upload_again})


async def _read(request: Request) -> Values:
    return await read_sound(request, VoicemailGreeting, "greetingfile", LONGEST)


def _sound(data: bytes, name: str) -> Response:
    headers = {"Content-Disposition": f'attachment; filename="{name}"'}
    return Response(data, media_type=WAV, headers=headers)
