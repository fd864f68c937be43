"""PATCH by JSON Patch (RFC 6902)."""

import json
from collections.abc import Sequence
from http import HTTPStatus
from typing import Annotated, Any, Final, Literal

import jsonpatch
import jsonpointer
from pydantic import BaseModel, ConfigDict, Field

from ngcp.api.errors import ApiError

#: Characters of the JSON that a patch may make of an entity: each "copy" can double it.
MAXIMUM_SIZE: Final = 256 * 1024
MAXIMUM_OPERATIONS: Final = 100


class Operation(BaseModel):
    """One step of a patch."""

    model_config = ConfigDict(extra="forbid", populate_by_name=True)

    op: Literal["add", "remove", "replace", "copy", "move", "test"]
    path: str
    value: Any = None
    source: Annotated[str, Field(alias="from")] = ""


def apply(operations: Sequence[Operation], document: dict[str, Any]) -> Any:  # noqa: ANN401 - any JSON
    """Return what the operations make of `document`; raises ApiError if they cannot be applied."""
    for operation in operations:
        step = operation.model_dump(by_alias=True, exclude_unset=True)
        try:
            document = jsonpatch.JsonPatch([step]).apply(document)
        except (jsonpatch.JsonPatchException, jsonpointer.JsonPointerException, TypeError) as error:
            # jsonpatch before 1.33 raises TypeError if it should read what is behind a list's end ("/-")
            message = f"The entity could not be processed: {error}"
            raise ApiError(HTTPStatus.UNPROCESSABLE_ENTITY, message) from error
        if len(json.dumps(document, default=str)) > MAXIMUM_SIZE:
            raise ApiError(
                HTTPStatus.UNPROCESSABLE_ENTITY, "The entity could not be processed: it grows too large"
            )
    return document
