"""The source tree as data: its modules, what they import and what they define."""

import ast
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

SRC = Path(__file__).resolve().parents[2] / "src"
PATHS = sorted(SRC.rglob("*.py"))

every_module = pytest.mark.parametrize("path", PATHS, ids=lambda path: str(path.relative_to(SRC)))


@cache
def parsed(path: Path) -> ast.Module:
    return ast.parse(path.read_text(), str(path))


def module_name(path: Path) -> str:
    """Return `ngcp.sip.syntax.uri` for that file, `ngcp.sip.syntax` for the package's own."""
    parts = path.relative_to(SRC).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def imports(path: Path) -> set[str]:
    """Return the absolute names of the modules that a file imports, wherever in it."""
    package = module_name(path.parent / "__init__.py")
    return set(_imported(parsed(path), package))


def _imported(tree: ast.Module, package: str) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.level == 0:
            yield node.module or ""
        elif isinstance(node, ast.ImportFrom):
            base = package.split(".")[: len(package.split(".")) - node.level + 1]
            named = [node.module] if node.module else [alias.name for alias in node.names]
            yield from (".".join([*base, name]) for name in named)


def imports_of_text(text: str, package: str) -> set[str]:
    """As `imports`, for source that is in no file."""
    return set(_imported(ast.parse(text), package))
