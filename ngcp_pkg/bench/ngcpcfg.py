"""How long a build takes, from cold and after one changed value, and Template Toolkit for as many templates.

The node is the project's own: its inventory, its values, its templates. The peer does what the platform's
tool does at its heart: one process loads the values, then renders each template in a process of its own, as
many at once as there are processors; no checks, no git, no services. Its templates are ours in its language.
"""

import importlib.util
import os
import re
import resource
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Final

from bench.peers import fetch
from bench.report import Metric, publish

ROUNDS: Final = 5
#: Seconds: what a build may take from cold, and after one changed value.
COLD: Final = 1.0
CHANGED: Final = 0.3
#: A platform with as many templates as one of several hundred files.
COPIES: Final = 10

_PACKAGE: Final = Path(__file__).parents[1]
_PEER: Final = Path(__file__).with_name("toolkit.pl")


class Node:
    """A node's configuration below a directory, and what the tool needs to find it."""

    def __init__(self, root: Path, copies: int) -> None:
        self.root = root
        self.main = root / "ngcp-config"
        self._environment = {
            **os.environ,
            "HOME": str(root),
            "NGCPCTL_MAIN": str(self.main),
            "NGCPCTL_VENDOR": str(root / "vendor"),
            "NGCPCFG_LOG": str(root / "log"),
            "NGCP_TESTSUITE": "1",
            "OUTPUT_DIRECTORY": str(root / "root"),
            "PYTHONPATH": str(_PACKAGE / "src"),
            "PYTHONPYCACHEPREFIX": str(root / "compiled"),  # a package is compiled when it is installed
            "RUN_DIR": str(root / "run"),
            "STATE_FILES_DIR": str(root / "state"),
        }
        self._environment.pop("PYTHONDONTWRITEBYTECODE", None)
        self.run("initialise")
        laid_out = root / "laid-out"
        made = _project()
        made.lay_out(laid_out, made.inventory() | {"network_interfaces": made.INTERFACES})
        shutil.copytree(laid_out, self.main, dirs_exist_ok=True)
        self._multiply(copies)
        self.run("commit", "as deployed")
        self.run("build")

    @property
    def templates(self) -> list[Path]:
        """The templates of the node."""
        return sorted((self.main / "templates").rglob("*.j2"))

    def run(self, *words: str) -> None:
        """Run the tool as an operator does, in a process of its own."""
        command = [sys.executable, "-m", "ngcpcfg", *words]
        subprocess.run(command, env=self._environment, check=True, stdout=subprocess.DEVNULL)

    def forget(self) -> None:
        """Make it a node that was never built."""
        for name in ("root", "state"):
            shutil.rmtree(self.root / name, ignore_errors=True)

    def change(self, number: int) -> None:
        """Change one value, as `ngcpcfg set` would."""
        file = self.main / "config.yml"
        file.write_text(re.sub(r"tos_rtp: \d+", f"tos_rtp: {number}", file.read_text()))

    def _multiply(self, copies: int) -> None:
        for template in self.templates:
            for i in range(1, copies):
                shutil.copy(template, template.with_name(f"{i}-{template.name}"))


def _project() -> ModuleType:
    """Load what the tests know of the project's node."""
    path = _PACKAGE / "tests/templates/node.py"
    spec = importlib.util.spec_from_file_location("project_node", path)
    if spec is None or spec.loader is None:
        raise FileNotFoundError(path)
    sys.path[:0] = [str(_PACKAGE / "src")]
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


class Peer:
    """Template Toolkit with the same values and as many templates of the same length."""

    def __init__(self, node: Node) -> None:
        self._pool = node.root / "toolkit"
        self._output = node.root / "toolkit-root"
        self._values = node.root / "values.json"
        self._library = next((fetch("libtemplate-perl").root / "usr/lib").glob("*/perl5/*"))
        for template in node.templates:
            path = self._pool / template.relative_to(node.main / "templates").with_suffix(".tt2")
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(translate(template.read_text()))
        self._values.write_text(_as_json(node))

    def run(self) -> None:
        """Render all of them."""
        shutil.rmtree(self._output, ignore_errors=True)
        command = ["perl", str(_PEER), str(self._values), str(self._pool), str(self._output)]
        environment = {**os.environ, "PERL5LIB": str(self._library)}
        subprocess.run(command, check=True, env=environment)


#: What a statement of ours is in the peer's language; others are left out.
_STATEMENTS: Final = {
    "if": "[% IF 1 %]",
    "for": "[% FOREACH i IN [1, 2] %]",
    "else": "[% END %][% IF 0 %]",  # of an if or a for
    "endif": "[% END %]",
    "endfor": "[% END %]",
}


def translate(text: str) -> str:
    """Write a template in the peer's language: what it makes is about as long, and means nothing."""
    return re.sub(r"\[%([-+=#]?)\s*(.*?)\s*[-+]?%\]", _translated, text, flags=re.DOTALL)


def _translated(found: re.Match[str]) -> str:
    mark, text = found.groups()
    if mark == "=":
        name = re.match(r"[a-z_][\w.]*", text)
        return f"[% {name[0] if name else 'general.companyname'} %]"
    return "" if mark == "#" else _STATEMENTS.get(text.split()[0], "")


def _as_json(node: Node) -> str:
    import json  # noqa: PLC0415 -- here alone

    from ngcpcfg.configuration import load_checked  # noqa: PLC0415 -- found once _project() has set the path

    return json.dumps(load_checked(node.main).values, default=str)


def _cost(run: Callable[[], None]) -> tuple[float, float]:
    """Give the seconds that passed and those that processors worked."""
    worked = _worked()
    begin = time.perf_counter()
    run()
    return time.perf_counter() - begin, _worked() - worked


def _worked() -> float:
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime


def _measure(directory: Path, copies: int) -> tuple[int, dict[str, list[tuple[float, float]]]]:
    """Give the number of templates and, for each quantity, ours and the peer's in each round."""
    node = Node(directory, copies)
    peer = Peer(node)
    found: dict[str, list[tuple[float, float]]] = {}
    for number in range(ROUNDS):
        node.forget()
        for kind in ("cold", "changed"):
            node.change(2 * number + (kind == "changed"))
            ours, theirs = _cost(lambda: node.run("build")), _cost(peer.run)
            found.setdefault(f"{kind}-s", []).append((ours[0], theirs[0]))
            found.setdefault(f"{kind}-cpu-s", []).append((ours[1], theirs[1]))
    return len(node.templates), found


def main() -> int:
    """Run the benchmark; 1 if a target was missed."""
    metrics = []
    for copies in (1, COPIES):
        with tempfile.TemporaryDirectory() as directory:
            number, found = _measure(Path(directory), copies)
        metrics += [Metric(f"{number}-templates-{name}", tuple(runs)) for name, runs in found.items()]
        if copies == 1:
            for name, bound in (("cold-s", COLD), ("changed-s", CHANGED)):
                metrics.append(Metric.within(name, [ours for ours, _ in found[name]], bound))
    return publish("ngcpcfg", metrics, "Template Toolkit")


if __name__ == "__main__":
    sys.exit(main())
