"""Templates of Perl's Template Toolkit, as the platform's own tool renders them, by `toolkit.pl`.

An operator who comes from that platform brings his `X.tt2` and `X.customtt.tt2`. They see the merged values
and an object `ngcp`; what does not exist is empty there.
"""

import json
import os
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from ngcpcfg import __version__, names
from ngcpcfg.context import Node
from ngcpcfg.pool import Pool, Template
from ngcpcfg.problems import Problem

PACKAGE: Final = "libtemplate-perl"
_PROGRAM: Final = Path(__file__).with_name("toolkit.pl")
_NOT_INSTALLED: Final = 3


def render(
    templates: Sequence[Template], pool: Pool, context: Mapping[str, Any]
) -> list[str | list[Problem]]:
    """Render all in one process; what each has made, or why it cannot be rendered."""
    job = {
        "values": _values(context),
        "facts": _facts(pool),
        "base": os.environ.get("NGCP_BASE_TT2", "/"),
        "includes": [str(pool.root)],
        "templates": [pool.read(template.source).decode(errors="replace") for template in templates],
    }
    try:
        done = subprocess.run(
            ["perl", str(_PROGRAM)], input=json.dumps(job).encode(), capture_output=True, check=False
        )
    except FileNotFoundError:
        return [[_not_installed(template)] for template in templates]
    if done.returncode == _NOT_INSTALLED:
        return [[_not_installed(template)] for template in templates]
    if done.returncode != 0:
        said = done.stderr.decode(errors="replace").strip() or f"perl ended with status {done.returncode}"
        return [[Problem(said, template.source)] for template in templates]
    answers = json.loads(done.stdout)
    return [_result(template, answer) for template, answer in zip(templates, answers, strict=True)]


def _not_installed(template: Template) -> Problem:
    return Problem(f"is written for Template Toolkit: install the package {PACKAGE}", template.source)


def _result(template: Template, answer: Mapping[str, str | None]) -> str | list[Problem]:
    text = answer.get("text")
    if text is not None:
        return text
    line = answer.get("line")
    said = " ".join((answer["error"] or "cannot be rendered").split())
    return [Problem(said, template.source, int(line) if line else None)]


def _values(context: Mapping[str, Any]) -> dict[str, Any]:
    """Give the values as plain ones, addresses that the system gives looked up."""
    node: Node = context["ngcp"]
    values = {key: value for key, value in context.items() if key != "ngcp"}
    if "hosts" in values:
        values["hosts"] = {**values["hosts"], "self": node.resolved()}
        values.setdefault("sites", {"current": {"hosts": values["hosts"]}})
    return values


def _facts(pool: Pool) -> dict[str, Any]:
    return {
        "hostname": names.hostname(),
        "nodename": names.nodename(),
        "version": _version(),
        "cpus": os.cpu_count() or 1,
        "main": str(pool.root.parent),
    }


def _version() -> str:
    file = Path(os.environ.get("OUTPUT_DIRECTORY", "/"), "etc/ngcp_version")
    return file.read_text().strip() if file.is_file() else __version__
