"""Completion in bash, with the shipped scripts: what the running daemon knows is offered."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from ngcp.service.commands import CommandTable, Json
from ngcp.tools import kamctl, sercmd
from ngcp.tools.control import DAEMONS, Name
from tools.conftest import Node, ServeNode, Tool

SCRIPTS = Path(__file__).resolve().parents[2] / "debian/completions"
SOURCE = Path(sys.modules["ngcp.tools.control"].__file__ or "").parents[2]

#: A tool as its console script runs it, whose daemons listen where the test says.
PROGRAM = """#!{python}
import os, sys
from dataclasses import replace
from pathlib import Path
sys.path.insert(0, {source!r})
from ngcp.tools import control, {module}
for name, daemon in control.DAEMONS.items():
    control.DAEMONS[name] = replace(daemon, configuration=Path({directory!r}) / f"{{name.value}}.yml")
{module}.main()
"""


@pytest.fixture
def node(serve_node: ServeNode, tmp_path: Path) -> Node:
    """Serve a table, and install the tools into a directory."""
    table = CommandTable("kamailio-lb")
    table.add("dlg.list", lambda: [{"call-id": "c1@h"}, {"call-id": "c2@h"}, {"call-id": "x"}], "calls")
    table.add("list.sessions", lambda: [{"call-id": "m1@h"}, {"call-id": "m2@h"}], "media")
    table.add("htable.dump", lambda name: [], "TABLE: entries")
    aors: Json = [{"Info": {"AoR": f"{user}@example.org"}} for user in ("alice", "bob")]
    table.add("ul.dump", lambda what: {"Domains": [{"Domain": {"AoRs": aors}}]}, "registrations")
    table.add("htable.listTables", lambda: [{"name": "ipban"}, {"name": "auth"}], "all tables")
    table.add("stats", lambda: {"transactions": 1, "requests.INVITE": 2, "requests.BYE": 2}, "counters")
    node = serve_node(table)
    for name, module in (("sercmd", "sercmd"), ("kamctl", "kamctl"), ("rtpengine-ctl", "rtpengine")):
        program = tmp_path / f"ngcp-{name}"
        text = PROGRAM.format(
            python=sys.executable, source=str(SOURCE), module=module, directory=str(node.directory)
        )
        program.write_text(text)
        program.chmod(0o755)
    return node


def complete(directory: Path, *words: str) -> list[str]:
    """Press Tab behind these words in a bash that has loaded the script; return what it offers."""
    tool, bash = words[0], shutil.which("bash")
    assert bash is not None
    script = f"""
        source {SCRIPTS / tool}
        COMP_WORDS=("$@") COMP_CWORD=$(($# - 1))
        function=$(complete -p {tool} | sed -E 's/.* -F ([^ ]+) .*/\\1/')
        $function {tool} "${{@: -1}}" "${{@: -2:1}}"
        printf '%s\\n' "${{COMPREPLY[@]}}"
    """
    environment = {**os.environ, "PATH": f"{directory}:{os.environ['PATH']}"}
    ran = subprocess.run(
        [bash, "-c", script, "bash", *words], env=environment, capture_output=True, text=True, check=True
    )
    assert ran.stderr == ""
    return ran.stdout.split()


@pytest.mark.parametrize("script", sorted(SCRIPTS.iterdir()), ids=lambda path: path.name)
def test_the_scripts_are_bash(script: Path) -> None:
    ran = subprocess.run(["bash", "-n", script], capture_output=True, text=True, check=False)

    assert (ran.returncode, ran.stderr) == (0, "")


@pytest.mark.parametrize(
    ("words", "offered"),
    [
        (("ngcp-sercmd", ""), {"lb", "proxy", "rtpengine", "mediator"}),
        (("ngcp-sercmd", "lb", "htable."), {"htable.dump", "htable.listTables"}),
        (("ngcp-sercmd", "lb", "htable.dump", ""), {"ipban", "auth"}),
        (("ngcp-sercmd", "lb", "help", "htable.l"), {"htable.listTables"}),
        (("ngcp-sercmd", "proxy", "system.methodHelp", "core.v"), {"core.version"}),
        (("ngcp-sercmd", "lb", "stats.fetch", ""), {"all", "requests:"}),
        (("ngcp-sercmd", "lb", "core.trace", "u"), {"user="}),
        (("ngcp-kamctl", "lb", "ban", ""), {"show", "rm"}),
        (("ngcp-kamctl", "lb", "trace", "--p"), {"--pcap"}),
    ],
)
def test_a_tab_offers_what_may_come_next(
    node: Node, tool: Tool, monkeypatch: pytest.MonkeyPatch, words: tuple[str, ...], offered: set[str]
) -> None:
    """What the script runs, without the script."""
    assert node
    monkeypatch.setenv("COMP_WORDS", "\n".join(words))
    monkeypatch.setenv("COMP_CWORD", str(len(words) - 1))
    monkeypatch.setenv(f"_{words[0].upper().replace('-', '_')}_COMPLETE", "complete_bash")
    main = sercmd.main if words[0] == "ngcp-sercmd" else kamctl.main

    assert set(tool(main)[1].split()) == offered


def test_the_scripts_ask_the_tools(node: Node) -> None:
    assert set(complete(node.directory, "ngcp-sercmd", "lb", "htable.dump", "")) == {"ipban", "auth"}
    assert complete(node.directory, "ngcp-kamctl", "lb", "ba") == ["ban"]


def test_a_daemon_that_is_down_offers_nothing_and_disturbs_nobody(node: Node) -> None:
    (node.directory / DAEMONS[Name.LB].configuration.name).unlink()

    assert complete(node.directory, "ngcp-sercmd", "lb", "htable.dump", "") == []


def test_who_is_registered_is_completed(node: Node) -> None:
    assert complete(node.directory, "ngcp-kamctl", "proxy", "ul", "rm", "al") == ["alice@example.org"]
    assert len(complete(node.directory, "ngcp-kamctl", "proxy", "ul", "show", "")) == 2


def test_calls_are_completed(node: Node) -> None:
    words = ("ngcp-kamctl", "proxy", "dialog", "terminate")
    assert complete(node.directory, *words, "c") == ["c1@h", "c2@h"]
    (node.directory / DAEMONS[Name.PROXY].configuration.name).unlink()
    assert complete(node.directory, *words, "c") == []


def test_calls_with_media_are_completed(node: Node) -> None:
    words = ("ngcp-rtpengine-ctl", "list", "sessions")
    assert complete(node.directory, *words, "m") == ["m1@h", "m2@h"]
    assert complete(node.directory, "ngcp-rtpengine-ctl", "list", "t") == ["totals"]
    (node.directory / "rtpengine.yml").unlink()
    assert complete(node.directory, *words, "m") == []
