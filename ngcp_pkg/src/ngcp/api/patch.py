"""PATCH by JSON Patch (RFC 6902), and with the platform's own ways to change lists.

`add` with `mode: append` puts a value, or several, behind a list's last one, or makes the list.
`remove` with a `value`, or several, takes those out of a list: every one that is equal, or the one that
`index` counts among them, from 0.
"""

import json
from collections.abc import Collection, Iterable, Sequence, Set
from http import HTTPStatus
from typing import Annotated, Any, Final, Literal

import jsonpatch
import jsonpointer
from pydantic import BaseModel, ConfigDict, Field

from ngcp.api.errors import ApiError

#: Characters of the JSON that a patch may make of an entity: each "copy" can double it.
MAXIMUM_SIZE: Final = 256 * 1024
MAXIMUM_OPERATIONS: Final = 100
_FAILURES: Final = (jsonpatch.JsonPatchException, jsonpointer.JsonPointerException)


class Operation(BaseModel):
    """One step of a patch."""

    model_config = ConfigDict(extra="forbid", populate_by_name=True)

    op: Literal["add", "remove", "replace", "copy", "move", "test"]
    path: str
    value: Any = None
    source: Annotated[str, Field(alias="from")] = ""
    mode: Literal["append"] | None = None
    index: Annotated[int, Field(ge=0)] | None = None

    def standard(self, document: dict[str, Any]) -> list[dict[str, Any]]:
        """Return what RFC 6902 has for it; raises ValueError and JsonPointerException."""
        if not (self.source if self.op in ("copy", "move") else self.path or self.op != "test"):
            raise ValueError(f"operation '{self.op}' is for fields, not for the whole entity")
        if self.op == "add" and self.mode == "append":
            return self._append(document)
        if self.op == "remove" and "value" in self.model_fields_set:
            return self._take_out(document)
        return [self.model_dump(by_alias=True, exclude_unset=True, exclude={"mode", "index"})]

    def _append(self, document: dict[str, Any]) -> list[dict[str, Any]]:
        path = self.path.removesuffix("/-")
        values, present = _listed(self.value), jsonpointer.resolve_pointer(document, path, None)
        if present is None:
            return [{"op": "add", "path": path, "value": values}]
        if not isinstance(present, list):
            raise ValueError(f"'{path}' is no list to append to")
        return [{"op": "add", "path": f"{path}/-", "value": value} for value in values]

    def _take_out(self, document: dict[str, Any]) -> list[dict[str, Any]]:
        present, values = jsonpointer.resolve_pointer(document, self.path, None), _listed(self.value)
        if not isinstance(present, list):
            return [{"op": "remove", "path": self.path}] if present in values else []
        places = [place for place, value in enumerate(present) if value in values]
        if self.index is not None and not isinstance(self.value, list):
            if self.index >= len(places):
                raise ValueError(f"'{self.path}' has no value number {self.index} like that")
            places = [places[self.index]]
        return [{"op": "remove", "path": f"{self.path}/{place}"} for place in reversed(places)]


def fields_of(operations: Collection[Operation]) -> Set[str]:
    """Return the entity's fields that the operations are about."""
    return _fields(path for operation in operations for path in (operation.path, operation.source))


def fields_read(operations: Collection[Operation]) -> Set[str]:
    """Return the entity's fields whose values the operations find out, or use for others."""
    tested = [one.path for one in operations if one.op in ("test", "remove")]
    return _fields([*tested, *(one.source for one in operations)])


def _fields(paths: Iterable[str]) -> Set[str]:
    return {path.split("/")[1].replace("~1", "/").replace("~0", "~") for path in paths if "/" in path}


def _listed(value: Any) -> list[Any]:  # noqa: ANN401 - any JSON
    return value if isinstance(value, list) else [value]


def apply(operations: Sequence[Operation], document: dict[str, Any]) -> Any:  # noqa: ANN401 - any JSON
    """Return what the operations make of `document`; raises ApiError if they cannot be applied."""
    for operation in operations:
        try:
            document = jsonpatch.JsonPatch(operation.standard(document)).apply(document)
        except (*_FAILURES, TypeError, ValueError) as error:
            # jsonpatch before 1.33 raises TypeError if it should read what is behind a list's end ("/-")
            message = f"The entity could not be processed: {error}"
            raise ApiError(HTTPStatus.UNPROCESSABLE_ENTITY, message) from error
        if len(json.dumps(document, default=str)) > MAXIMUM_SIZE:
            raise ApiError(
                HTTPStatus.UNPROCESSABLE_ENTITY, "The entity could not be processed: it grows too large"
            )
    return document
