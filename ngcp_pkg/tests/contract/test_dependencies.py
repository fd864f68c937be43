"""What the source imports, its packages depend on: a node has nothing else installed."""

import re
import sys
import tomllib

from contract.source_tree import PATHS, SRC, imports

#: Whose import package has another name than the project.
PROJECT = {"OpenSSL": "pyopenssl", "audioop": "audioop-lts", "yaml": "pyyaml"}
#: Part of Python before 3.13, a project of its own since.
MOVED = {"audioop"}
#: Loaded by name, not imported: what SQLAlchemy's asyncio engine runs on.
BY_NAME = {"greenlet"}
#: Debian's names of what ngcpcfg, whose package declares its own, may import.
DEBIAN = {"jinja2": "python3-jinja2", "pyyaml": "python3-yaml"}


def imported(package: str) -> set[str]:
    """Return the projects whose modules a package imports, in lower case."""
    paths = [path for path in PATHS if path.relative_to(SRC).parts[0] == package]
    roots = {name.partition(".")[0] for path in paths for name in imports(path)}
    foreign = (
        roots
        - (sys.stdlib_module_names - MOVED)
        - {"ngcp", "ngcpcfg", "ngcp_bencode", "ngcp_media", "ngcp_speed", ""}
    )
    return {PROJECT.get(root, root) for root in foreign}


def test_python_project_names_what_it_imports_and_nothing_else() -> None:
    """dh_python3 makes the Depends of python3-ngcp of this list."""
    project = tomllib.loads((SRC.parent / "pyproject.toml").read_text())["project"]

    assert {name.partition(";")[0].lower() for name in project["dependencies"]} == (
        imported("ngcp") | imported("ngcpcfg")
    ) | BY_NAME


def test_package_of_the_configuration_tool_names_what_it_imports() -> None:
    """It does not depend on python3-ngcp, so that nothing of that can break it."""
    control = (SRC.parent / "debian" / "control").read_text()
    stanza = next(part for part in control.split("\n\n") if part.startswith("Package: ngcp-ngcpcfg\n"))

    depends = set(re.findall(r"^ (python3-[a-z0-9-]+),$", stanza, re.MULTILINE))

    assert depends == {DEBIAN[name] for name in imported("ngcpcfg")}
