"""The bill of materials of an image: every package, its licences, whom it needs; one text for one tree."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

pytestmark = pytest.mark.repository

SCRIPT = Path(__file__).resolve().parents[3] / "image/sbom.py"
STATUS = """\
Package: redis-server
Status: install ok installed
Maintainer: Somebody <s@example.org>
Architecture: amd64
Source: redis (5:8.0.2-1)
Version: 5:8.0.2-1+b1
Depends: libc6 (>= 2.38), missing | redis-tools (= 5:8.0.2-1)
Description: key-value store
 of some kind

Package: redis-tools
Status: install ok installed
Architecture: amd64
Version: 5:8.0.2-1
Provides: libc6 (= 1)
Description: its tools

Package: gone
Status: deinstall ok config-files
Architecture: amd64
Version: 1

Package: ngcp-ce
Status: hold ok installed
Architecture: all
Version: 0.1.0
Pre-Depends: redis-server
Description: a whole node
"""
SERVER = "pkg:deb/debian/redis-server@5%3A8.0.2-1+b1?arch=amd64&distro=debian-13"
TOOLS = "pkg:deb/debian/redis-tools@5%3A8.0.2-1?arch=amd64&distro=debian-13"


@pytest.fixture
def root(tmp_path: Path) -> Path:
    (tmp_path / "var/lib/dpkg").mkdir(parents=True)
    (tmp_path / "var/lib/dpkg/status").write_text(STATUS)
    documents = tmp_path / "usr/share/doc/redis-server"
    documents.mkdir(parents=True)
    (documents / "copyright").write_text("Files: *\nLicense: BSD-3-clause\n text\n\nLicense: GPL-2+\n")
    return tmp_path


def write(root: Path) -> str:
    environment = {**os.environ, "SOURCE_DATE_EPOCH": "1795435200"}
    command = [sys.executable, str(SCRIPT), str(root)]
    return subprocess.run(command, env=environment, capture_output=True, text=True, check=True).stdout


def test_every_installed_package_is_in_it(root: Path) -> None:
    bill: dict[str, Any] = json.loads(write(root))

    assert (bill["bomFormat"], bill["specVersion"]) == ("CycloneDX", "1.6")
    assert bill["metadata"] == {
        "timestamp": "2026-11-23T12:00:00Z",
        "component": {"type": "operating-system", "name": "ngcp-appliance", "version": "0.1.0"},
    }
    assert [one["name"] for one in bill["components"]] == ["ngcp-ce", "redis-server", "redis-tools"]
    server = bill["components"][1]
    assert (server["purl"], server["bom-ref"], server["description"]) == (SERVER, SERVER, "key-value store")
    assert server["licenses"] == [{"license": {"name": "BSD-3-clause"}}, {"license": {"name": "GPL-2+"}}]
    assert {one["name"]: one["value"] for one in server["properties"]} == {
        "debian:source": "redis",
        "debian:source-version": "5:8.0.2-1",
    }


def test_who_needs_whom(root: Path) -> None:
    """Alternatives and what is provided count, as far as they are there."""
    needs = {one["ref"]: one["dependsOn"] for one in json.loads(write(root))["dependencies"]}

    assert needs[SERVER] == [TOOLS]
    assert needs["pkg:deb/debian/ngcp-ce@0.1.0?arch=all&distro=debian-13"] == [SERVER]


def test_the_same_tree_gives_the_same_text(root: Path) -> None:
    first = write(root)
    assert write(root) == first

    (root / "var/lib/dpkg/status").write_text(STATUS.replace("8.0.2-1+b1", "8.0.3-1"))
    assert json.loads(write(root))["serialNumber"] != json.loads(first)["serialNumber"]
