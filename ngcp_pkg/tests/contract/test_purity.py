"""Protocol is arithmetic: it has no socket, clock, log, database, thread or randomness (design.md)."""

import ast
from pathlib import Path

import pytest

from contract.source_tree import PATHS, SRC, imports, imports_of_text, parsed

PURE = ("sip", "sdp", "rtp", "ng", "audio", "stun", "rating")

#: All that the bottom row may use: none of it can reach the world outside.
ALLOWED = frozenset(
    {
        "abc",
        "array",
        "audioop",
        "base64",
        "binascii",
        "bisect",
        "collections",
        "contextlib",
        "cryptography",
        "dataclasses",
        "enum",
        "functools",
        "hashlib",
        "heapq",
        "hmac",
        "ipaddress",
        "itertools",
        "json",
        "math",
        "operator",
        "re",
        "string",
        "struct",
        "types",
        "typing",
        "urllib",
        "weakref",
    }
)
#: What sound needs beside it: arithmetic on arrays, and the codec libraries; bills, exact amounts and dates.
ALLOWED_IN = {"audio": {"ctypes", "numpy"}, "rating": {"datetime", "decimal"}}
#: Built-in functions that do.
FORBIDDEN_CALLS = frozenset({"open", "print", "input", "exec", "eval", "__import__", "breakpoint"})

PURE_PATHS = [path for path in PATHS if path.relative_to(SRC).parts[1] in PURE]

every_pure_module = pytest.mark.parametrize("path", PURE_PATHS, ids=lambda path: str(path.relative_to(SRC)))


def impure_imports(names: set[str], room: str) -> list[str]:
    allowed = ALLOWED | ALLOWED_IN.get(room, set()) | {"ngcp", "ngcp_bencode", "ngcp_speed"}
    return sorted(
        name for name in names if name.split(".")[0] not in allowed or name in ("urllib", "urllib.request")
    )


def impure_calls(tree: ast.Module) -> list[str]:
    return [
        node.func.id
        for node in ast.walk(tree)
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in FORBIDDEN_CALLS
    ]


@every_pure_module
def test_nothing_reaches_the_world_outside(path: Path) -> None:
    assert impure_imports(imports(path), path.relative_to(SRC).parts[1]) == []
    assert impure_calls(parsed(path)) == []


def test_what_is_forbidden_is_noticed() -> None:
    source = (
        "import time\nfrom asyncio import sleep\nimport urllib.request\nfrom random import random\nimport re"
    )

    found = impure_imports(imports_of_text(source, "ngcp.sip"), "sip")

    assert found == ["asyncio", "random", "time", "urllib.request"]
    assert impure_calls(ast.parse("len(open('x').read())")) == ["open"]


def test_the_pure_rooms_are_looked_at() -> None:
    assert {path.relative_to(SRC).parts[1] for path in PURE_PATHS} >= {"sip", "sdp", "rtp", "ng"}
