"""Preferences are called by their names in the catalogue, and the catalogue says what each is."""

import ast
import re
from pathlib import Path

import pytest

from contract.source_tree import every_module, parsed
from ngcp.provisioning.preferences.catalogue import CATALOGUE, Attribute

READERS = {"text", "number", "flag", "all"}
#: What is called so holds preferences.
HOLDERS = {"preferences", "wishes", "layer", "contract_preferences"}


def attributes_read(tree: ast.Module) -> set[str]:
    """Return the names of the preferences that a module asks for."""
    return {
        node.args[0].value
        for node in ast.walk(tree)
        if isinstance(node, ast.Call)
        and isinstance(node.func, ast.Attribute)
        and node.func.attr in READERS
        and ast.unparse(node.func.value).rpartition(".")[2] in HOLDERS
        and len(node.args) == 1
        and isinstance(node.args[0], ast.Constant)
        and isinstance(node.args[0].value, str)
    }


@every_module
def test_preferences_that_are_read_are_in_the_catalogue(path: Path) -> None:
    assert attributes_read(parsed(path)) - CATALOGUE.keys() == set()


def test_a_preference_that_is_read_is_noticed() -> None:
    assert attributes_read(ast.parse("call.caller.preferences.flag('clirr')")) == {"clirr"}
    assert attributes_read(ast.parse("request.headers.text('Subject')")) == set()


@pytest.mark.parametrize("attribute", CATALOGUE.values(), ids=lambda attribute: attribute.name)
def test_an_attribute_is_described(attribute: Attribute) -> None:
    assert attribute.levels
    assert attribute.data_type in ("boolean", "int", "string", "enum", "blob")
    assert attribute.access in ("", "internal", "read-only", "named", "networks")
    assert re.fullmatch(r"[A-Z].{10,140}\.", attribute.description)
    assert not attribute.choices or attribute.data_type == "enum"
    assert attribute.default is None or attribute.default in (attribute.choices or attribute.default)
    assert attribute.is_writable or not attribute.is_exposed
