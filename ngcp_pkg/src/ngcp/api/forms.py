"""Forms with files in them (multipart/form-data, RFC 7578)."""

import json
from email.parser import BytesParser
from email.policy import HTTP
from http import HTTPStatus
from typing import Any, NamedTuple

from ngcp.api.errors import ApiError


class Form(NamedTuple):
    """What a form brings."""

    fields: dict[str, Any]
    """Those in a part `json`, and the parts that are texts."""
    file: bytes | None
    filename: str | None


def read_form(content_type: str, body: bytes) -> Form:
    """Return what a form says; raises ApiError if it is none."""
    message = BytesParser(policy=HTTP).parsebytes(
        b"Content-Type: " + content_type.encode("latin-1", "replace") + b"\r\n\r\n" + body
    )
    if not message.is_multipart():
        raise ApiError(
            HTTPStatus.BAD_REQUEST, "The entity is not a well-formed multipart/form-data document."
        )
    fields: dict[str, Any] = {}
    file: bytes | None = None
    filename: str | None = None
    for part in message.iter_parts():
        name = part.get_param("name", header="content-disposition")
        content = part.get_payload(decode=True)
        data = content if isinstance(content, bytes) else b""
        if part.get_filename() is not None:
            file, filename = data, part.get_filename()
        elif name == "json":
            fields |= _object(data)
        else:
            fields[str(name)] = data.decode(errors="replace")
    return Form(fields, file, filename)


def _object(text: bytes) -> dict[str, Any]:
    try:
        value = json.loads(text)
    except ValueError as error:
        raise ApiError(
            HTTPStatus.BAD_REQUEST, f"The part 'json' is not a well-formed JSON document. {error}"
        ) from error
    if not isinstance(value, dict):
        raise ApiError(HTTPStatus.BAD_REQUEST, "The part 'json' must be an object.")
    return value
