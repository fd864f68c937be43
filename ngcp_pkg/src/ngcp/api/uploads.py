"""Sounds that come as WAV, by query or by form, with the fields of an entity."""

import asyncio
from collections.abc import Mapping
from functools import partial
from typing import Any, Final

from starlette.requests import Request

from ngcp.api.forms import read_form
from ngcp.api.gate import media_type
from ngcp.api.models import Body
from ngcp.api.requests import read_json
from ngcp.audio.wav import BadWav, to_telephone
from ngcp.provisioning.refusals import InvalidValue
from ngcp.provisioning.store import Values

WAV: Final = "audio/x-wav"


async def read_sound(request: Request, model: type[Body], field: str, longest: float) -> Values:
    """Return the fields, and the sound as `data`, as a telephone takes it: None without one.

    `field` is what refusals call the sound. Raises ApiError and InvalidValue.
    """
    kind, body = media_type(request.headers.get("content-type")), await request.body()
    if kind == "application/json":
        return {**(await read_json(request, model)).values(), "data": None}
    given: Mapping[str, Any] = {**request.query_params}
    file: bytes | None = body
    filename: str | None = None
    if kind == "multipart/form-data":
        form = await asyncio.to_thread(read_form, request.headers["content-type"], body)
        file, filename, given = form.file, form.filename, {**given, **form.fields}
    if "filename" in model.model_fields:
        given = {"filename": filename, **given} if filename is not None else given
    values = model.model_validate(given).values()
    if file is None:
        return {**values, "data": None}
    try:
        return {**values, "data": await asyncio.to_thread(partial(to_telephone, file, longest))}
    except BadWav as error:
        raise InvalidValue(field, values.get("filename", filename or ""), str(error)) from error
