"""What is in an image, as a bill of materials: CycloneDX 1.6, JSON, of what dpkg knows of a root tree.

usage: SOURCE_DATE_EPOCH=… sbom.py ROOT > FILE         the same tree gives the same text, byte for byte
"""

import json
import os
import re
import sys
import uuid
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final
from urllib.parse import quote

#: Makes the serial number of its text: CycloneDX wants a UUID, and the same bill has the same one.
NAMESPACE: Final = uuid.UUID("5d6a2f8e-0b1c-4f7e-9a53-3f1d0c2b7a64")
#: A dependency, as dpkg writes it: name, and perhaps architecture and version.
_DEPENDENCY: Final = re.compile(r"([a-z0-9][a-z0-9+.-]*)(?::\w+)?")
_LICENSE: Final = re.compile(r"^License: *(\S.*)$", re.MULTILINE)

Stanza = dict[str, str]
Json = dict[str, Any]


def installed(root: Path) -> list[Stanza]:
    """Read the packages that are installed in a root tree, by name."""
    stanzas = (
        _parse(text) for text in (root / "var/lib/dpkg/status").read_text().split("\n\n") if text.strip()
    )
    there = (one for one in stanzas if one.get("Status", "").endswith(" installed"))
    return sorted(there, key=lambda one: (one["Package"], one["Architecture"]))


def _parse(text: str) -> Stanza:
    fields: Stanza = {}
    name = ""
    for line in text.splitlines():
        if line.startswith((" ", "\t")):
            fields[name] += f"\n{line}"
        elif ":" in line:
            name, _, value = line.partition(":")
            fields[name] = value.strip()
    return fields


def reference(package: Stanza) -> str:
    """Name a package as a package URL (purl), which is also what others refer to it by."""
    version = quote(package["Version"], safe="+~.-")
    name, architecture = quote(package["Package"]), package["Architecture"]
    return f"pkg:deb/debian/{name}@{version}?arch={architecture}&distro=debian-13"


def component(package: Stanza, root: Path) -> Json:
    """Describe a package."""
    source, _, version = package.get("Source", package["Package"]).partition(" ")
    return {
        "type": "library",
        "bom-ref": reference(package),
        "name": package["Package"],
        "version": package["Version"],
        "purl": reference(package),
        "supplier": {"name": package.get("Maintainer", "unknown")},
        "description": package.get("Description", "").partition("\n")[0],
        "licenses": [{"license": {"name": name}} for name in licenses(root, package["Package"])],
        "properties": [
            {"name": "debian:source", "value": source},
            {"name": "debian:source-version", "value": version.strip("()") or package["Version"]},
        ],
    }


def licenses(root: Path, name: str) -> list[str]:
    """List the short names of licences that a package's machine-readable copyright file gives."""
    file = root / "usr/share/doc" / name / "copyright"
    if not file.is_file():
        return []
    return sorted(set(_LICENSE.findall(file.read_text(errors="replace"))))


def dependencies(packages: list[Stanza]) -> Iterator[Json]:
    """Say which packages need which, of those that are there; of alternatives, all."""
    references: dict[str, str] = {}
    for package in packages:
        names = [package["Package"], *_DEPENDENCY.findall(package.get("Provides", ""))]
        for name in names:
            references.setdefault(name, reference(package))
    for package in packages:
        text = f"{package.get('Pre-Depends', '')}, {package.get('Depends', '')}"
        wanted = _DEPENDENCY.findall(re.sub(r"\([^)]*\)", "", text))
        needed = {references[name] for name in wanted if name in references} - {reference(package)}
        yield {"ref": reference(package), "dependsOn": sorted(needed)}


def bill(root: Path, moment: datetime) -> Json:
    """Write the whole bill."""
    packages = installed(root)
    node = next(one for one in packages if one["Package"] == "ngcp-ce")
    content: Json = {
        "metadata": {
            "timestamp": moment.strftime("%Y-%m-%dT%H:%M:%SZ"),
            "component": {"type": "operating-system", "name": "ngcp-appliance", "version": node["Version"]},
        },
        "components": [component(package, root) for package in packages],
        "dependencies": list(dependencies(packages)),
    }
    serial = uuid.uuid5(NAMESPACE, json.dumps(content, sort_keys=True))
    head = {
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        "serialNumber": f"urn:uuid:{serial}",
        "version": 1,
    }
    return head | content


def main() -> int:
    """Print the bill of the root tree that is named."""
    moment = datetime.fromtimestamp(int(os.environ["SOURCE_DATE_EPOCH"]), UTC)
    json.dump(bill(Path(sys.argv[1]), moment), sys.stdout, indent=1)
    print()
    return 0


if __name__ == "__main__":
    sys.exit(main())
