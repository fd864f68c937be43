"""A node's rendered files, made as on a node: inventory → values → ngcpcfg with the roles' node templates."""

import json
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import jinja2
import yaml

from ngcpcfg import context, templates
from ngcpcfg.configuration import load_checked
from ngcpcfg.pool import Pool

PROJECT = Path(__file__).resolve().parents[3]
VALUES = PROJECT / "roles/ngcpcfg/templates/etc/ngcp-config"

#: What network.yml says of a node that is given its addresses, one interface for each purpose.
INTERFACES = [
    {"name": "lo", "ip": "127.0.0.1", "type": ["sip_int", "rtp_int"]},
    {"name": "eth0", "ip": "192.0.2.10", "type": ["sip_ext"]},
    {"name": "eth1", "ip": "192.0.2.11", "type": ["rtp_ext"]},
    {"name": "eth2", "ip": "192.0.2.12", "type": ["ssh_ext", "web_ext"]},
]


@dataclass(frozen=True, slots=True)
class Rendered:
    """The root directory below which the files were rendered."""

    root: Path

    def path(self, target: str) -> Path:
        """Where the file `target` of the node is."""
        return self.root / target.removeprefix("/")

    def text(self, target: str) -> str:
        """What is in it, without comments."""
        lines = self.path(target).read_text().splitlines()
        return "\n".join(line for line in lines if line.strip() and not line.lstrip().startswith("#"))


def inventory() -> dict[str, Any]:
    """Read the project's own inventory."""
    merged: dict[str, Any] = {}
    for path in sorted((PROJECT / "inventory/group_vars/all").glob("*.yml")):
        merged |= yaml.safe_load(path.read_text())
    return merged


def lay_out(main: Path, values: dict[str, Any]) -> None:
    """Make a /etc/ngcp-config as the roles do, of the inventory's values."""
    shutil.rmtree(main, ignore_errors=True)
    main.mkdir(parents=True)
    environment = jinja2.Environment(undefined=jinja2.StrictUndefined, trim_blocks=True)
    environment.filters["to_json"] = json.dumps
    environment.filters["ternary"] = lambda value, yes, no: yes if value else no
    for path in VALUES.glob("*.j2"):
        (main / path.stem).write_text(environment.from_string(path.read_text()).render(values))
    for pool in (PROJECT / "roles").glob("*/templates/etc/ngcp-config/templates"):
        shutil.copytree(pool, main / "templates", dirs_exist_ok=True)


def render(directory: Path, **changes: object) -> Rendered:
    """Render everything for the project's inventory with these changes."""
    main, root = directory / "ngcp-config", directory / "root"
    lay_out(main, inventory() | {"network_interfaces": INTERFACES} | changes)
    pool = Pool(main / "templates")
    for rendering in templates.render(pool.find(), pool, context.build(load_checked(main))):
        path = root / rendering.template.target.removeprefix("/")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(rendering.content)
    return Rendered(root)
