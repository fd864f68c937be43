"""What every Ansible role promises: its manual is true, and its node templates are ngcpcfg's."""

import re
from pathlib import Path
from typing import Any

import pytest
import yaml

pytestmark = pytest.mark.repository

ROLES = Path(__file__).resolve().parents[3] / "roles"
NODE_TEMPLATES = Path("templates/etc/ngcp-config/templates")
ROLE_PATHS = sorted(path.parent for path in ROLES.glob("*/tasks"))
TEMPLATE_PATHS = sorted(path for role in ROLE_PATHS for path in (role / NODE_TEMPLATES).rglob("*.j2"))

role = pytest.mark.parametrize("role", ROLE_PATHS, ids=lambda path: path.name)
template = pytest.mark.parametrize("template", TEMPLATE_PATHS, ids=lambda path: path.name)


def load(path: Path) -> dict[str, Any]:
    content: dict[str, Any] = yaml.safe_load(path.read_text())
    return content


@role
def test_the_manual_says_what_the_defaults_are(role: Path) -> None:
    defaults = load(role / "defaults/main.yml")
    options = load(role / "meta/argument_specs.yml")["argument_specs"]["main"]["options"]

    assert {name: option.get("default") for name, option in options.items()} == defaults
    assert all(option["description"] for option in options.values())


@role
def test_every_default_is_preceded_by_a_comment(role: Path) -> None:
    text = (role / "defaults/main.yml").read_text()

    for name in load(role / "defaults/main.yml"):
        assert re.search(rf"^#.+\n{name}:", text, re.MULTILINE), f"{name} has no comment"


@role
def test_variables_carry_the_name_of_their_role(role: Path) -> None:
    assert [name for name in load(role / "defaults/main.yml") if not name.startswith(f"{role.name}_")] == []


@role
def test_main_fits_on_one_screen(role: Path) -> None:
    assert len((role / "tasks/main.yml").read_text().splitlines()) <= 80


@role
def test_only_the_handler_restarts_services(role: Path) -> None:
    """A role would restart too early, or for nothing: restarts follow from rendered files, by .services."""
    for path in [*role.glob("tasks/*.yml"), *role.glob("handlers/*.yml")]:
        assert not re.search(r"state: (restarted|reloaded)|systemctl", path.read_text()), path


@role
def test_node_templates_are_those_on_disk(role: Path) -> None:
    pool = role / NODE_TEMPLATES
    on_disk = {str(path.relative_to(pool)) for path in pool.rglob("*") if path.is_file()}

    assert set(load(role / "defaults/main.yml").get(f"{role.name}_node_templates", [])) == on_disk


@template
def test_ansible_finds_nothing_of_its_own_in_a_node_template(template: Path) -> None:
    """Both passes read the file: only ngcpcfg's delimiters may stand in it."""
    for path in (template, template.with_suffix(".services")):
        assert not re.search(r"\{\{|\{%|\{#", path.read_text()), path


@template
def test_somebody_follows_a_change_of_the_rendered_file(template: Path) -> None:
    assert "ngcp-service --queue " in template.with_suffix(".services").read_text()


@template
def test_a_rendered_file_says_where_to_change_it(template: Path) -> None:
    pool = next(parent for parent in template.parents if parent.match(f"*/{NODE_TEMPLATES}"))

    assert f"change /etc/ngcp-config/templates/{template.relative_to(pool)}, then" in template.read_text()


def targets() -> dict[str, Path]:
    """Map each file on the node to its template."""
    return {
        f"/{path.relative_to(role / NODE_TEMPLATES).with_suffix('')}": path
        for role in ROLE_PATHS
        for path in (role / NODE_TEMPLATES).rglob("*.j2")
    }


def test_files_that_an_image_carries_ask_nothing_of_the_machine() -> None:
    """They are rendered where the image is built, whose address and name are not those of the node."""
    for target in load(ROLES / "ngcpcfg/defaults/main.yml")["ngcpcfg_image_files"]:
        assert not re.search(r"\[%[^%]*\bngcp\.", targets()[target].read_text()), target
