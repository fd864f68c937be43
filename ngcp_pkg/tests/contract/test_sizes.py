"""The house limits on size: what does not fit on a few screens is two things (style.md)."""

import ast
from pathlib import Path

from contract.source_tree import every_module, parsed

MAX_FILE_LINES = 400
MAX_FUNCTION_LINES = 40


def long_functions(tree: ast.Module) -> list[str]:
    return [
        f"{node.name} has {length} lines"
        for node in ast.walk(tree)
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        and (length := (node.end_lineno or 0) - node.lineno + 1) > MAX_FUNCTION_LINES
    ]


@every_module
def test_a_file_can_be_read_at_a_sitting(path: Path) -> None:
    assert len(path.read_text().splitlines()) <= MAX_FILE_LINES


@every_module
def test_a_function_fits_on_a_screen(path: Path) -> None:
    assert long_functions(parsed(path)) == []


def test_a_long_function_is_noticed() -> None:
    text = "def f():\n" + "    x = 1\n" * MAX_FUNCTION_LINES

    assert long_functions(ast.parse(text)) == [f"f has {MAX_FUNCTION_LINES + 1} lines"]
