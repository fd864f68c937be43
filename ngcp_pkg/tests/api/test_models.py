"""What clients may write, as far as the models of all resources share it."""

import ast
import inspect
import textwrap
from collections.abc import Iterator

import pytest

from api.test_tenancy import RESOURCES
from ngcp.api.models import Body

MODELS: dict[str, type[Body]] = {
    resource.body.__name__: resource.body
    for resource in RESOURCES
    if resource.body and resource.body.model_fields
}


def without_default(model: type[Body]) -> Iterator[str]:
    """Yield the fields that are declared without a default."""
    source = ast.parse(textwrap.dedent(inspect.getsource(model))).body[0]
    assert isinstance(source, ast.ClassDef)
    for statement in source.body:
        if isinstance(statement, ast.AnnAssign) and statement.value is None:
            assert isinstance(statement.target, ast.Name)
            yield statement.target.id


@pytest.mark.parametrize("model", MODELS.values(), ids=MODELS)
def test_a_field_without_a_default_has_to_be_given(model: type[Body]) -> None:
    """Pydantic lets an alias that is annotated again inherit the default of another field of that alias."""
    assert [name for name in without_default(model) if not model.model_fields[name].is_required()] == []
