"""A template is rendered again if, and only if, something that it has looked at has changed."""

from pathlib import Path

import pytest

from ngcpcfg.jobs import WORTH_A_PROCESS, spread
from temporary_node import RELAY_ENV, TemporaryNode

MINE = "templates/etc/mine.j2"
VALUES = "config.d/mine.yml"
START = "---\nmine:\n  a: 1\n  b: {x: 1, y: [1, 2, {z: 3}]}\nplain: 5\nflag: yes\n"


def rendered(node: TemporaryNode, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Build, and list the templates that were rendered."""
    from ngcpcfg.jinja import Renderer  # noqa: PLC0415 -- as the program does

    found: list[str] = []
    real = Renderer.render

    def noting(self: Renderer, template):  # type: ignore[no-untyped-def]  # noqa: ANN001, ANN202 -- as the real one
        found.append(template.target)
        return real(self, template)

    with monkeypatch.context() as patched:
        patched.setattr(Renderer, "render", noting)
        assert node.run("build").status == 0
    return found


@pytest.mark.parametrize(
    ("template", "old", "new", "is_concerned"),
    [
        ("[%= mine.a %]", "a: 1", "a: 2", True),
        ("[%= mine.a %]", "a: 1", "a: '1'", True),
        ("[%= mine.a %]", "x: 1", "x: 2", False),
        ("[%= mine.b.x %]", "a: 1", "a: 2", False),
        ("[%= mine.b.y[2].z %]", "z: 3", "z: 4", True),
        ("[% for k in mine %][%= k %][% endfor %]", "a: 1", "c: 1", True),
        ("[% for k, v in mine.items() %][%= v %][% endfor %]", "z: 3", "z: 4", True),
        ("[%= mine.b | tojson %]", "z: 3", "z: 4", True),
        ("[%= mine.b %]", "z: 3", "z: 4", True),
        ("[%= mine.b | length %]", "x: 1,", "", True),
        ("[% if mine.b %]x[% endif %]", "x: 1,", "", True),
        ("[%= 'x' in mine.b %]", "x: 1,", "", True),
        ("[% if mine.c is defined %]x[% endif %]", "a: 1", "a: 1\n  c: 1", True),
        ("[% if other is defined %]x[% endif %]", "plain: 5", "plain: 5\nother: 1", True),
        ("[%= plain %]", "plain: 5", "plain: 6", True),
        ("[%= plain %]", "flag: yes", "flag: no", False),
        ("[% if flag %]x[% endif %]", "flag: yes", "flag: no", True),
        ("[% set a = mine.a %][%= a %]", "a: 1", "a: 2", True),
        ("nothing", "a: 1", "a: 2", False),
    ],
)
def test_what_a_changed_value_concerns(
    node: TemporaryNode,
    monkeypatch: pytest.MonkeyPatch,
    template: str,
    old: str,
    new: str,
    is_concerned: bool,
) -> None:
    node.write(node.main, {MINE: template, VALUES: START})
    node.run("build")
    assert rendered(node, monkeypatch) == []

    node.edit(VALUES, old, new)

    assert rendered(node, monkeypatch) == (["/etc/mine"] if is_concerned else [])
    assert rendered(node, monkeypatch) == []


def test_a_changed_address_concerns_those_who_ask_for_it(
    node: TemporaryNode, monkeypatch: pytest.MonkeyPatch
) -> None:
    node.edit("network.yml", "192.0.2.10", "192.0.2.11")

    assert rendered(node, monkeypatch) == ["/etc/kamailio/lb/lb.yml"]
    assert "192.0.2.11" in node.rendered("/etc/kamailio/lb/lb.yml")


def test_a_changed_name_of_the_host_concerns_those_who_show_it(
    node: TemporaryNode, monkeypatch: pytest.MonkeyPatch
) -> None:
    node.write(node.main, {MINE: "[%= ngcp.hostname %]"})
    node.run("build")
    monkeypatch.setattr("socket.gethostname", lambda: "another")

    assert rendered(node, monkeypatch) == ["/etc/mine"]
    assert node.rendered("/etc/mine") == "another"


def test_what_was_taken_in_counts(node: TemporaryNode, monkeypatch: pytest.MonkeyPatch) -> None:
    part = "templates/etc/part"
    node.write(node.main, {MINE: "[% include 'etc/part' %]", part: "one"})
    node.run("build")
    node.write(node.main, {part: "two"})

    assert rendered(node, monkeypatch) == ["/etc/mine"]
    assert node.rendered("/etc/mine") == "two"
    (node.main / part).unlink()
    assert node.run("build").status == 1


@pytest.mark.parametrize("change", ["text", "override", "file", "mode"])
def test_other_changes_count_as_well(
    node: TemporaryNode, monkeypatch: pytest.MonkeyPatch, change: str
) -> None:
    file = node.output / "etc/default/ngcp-rtpengine-daemon"
    match change:
        case "text":
            node.edit(RELAY_ENV, "PORT_MIN", "MIN_PORT")
        case "override":
            node.write(node.main, {RELAY_ENV.replace(".j2", ".customtt.j2"): "mine"})
        case "file":
            file.chmod(0o644)
            file.write_text("another hand")
            file.chmod(0o444)
        case "mode":
            file.chmod(0o644)

    assert rendered(node, monkeypatch) == ["/etc/default/ngcp-rtpengine-daemon"]


@pytest.mark.parametrize("content", ["", "{", "{}", '{"program": 1, "templates": {}}'])
def test_without_its_memory_it_renders_all(
    node: TemporaryNode, monkeypatch: pytest.MonkeyPatch, content: str
) -> None:
    (node.state / "renderings.json").write_text(content)

    assert len(rendered(node, monkeypatch)) == 2


def test_a_dry_run_remembers_nothing(node: TemporaryNode) -> None:
    node.edit("config.yml", "tos_rtp: 184", "tos_rtp: 96")
    before = (node.state / "renderings.json").read_text()

    node.run("apply", "--dry-run")

    assert (node.state / "renderings.json").read_text() == before


@pytest.mark.parametrize("jobs", [1, 2, 3])
@pytest.mark.parametrize("number", [0, 1, 5 * WORTH_A_PROCESS + 1])
def test_work_that_is_spread_comes_back_in_its_order(jobs: int, number: int) -> None:
    assert spread(lambda item: item * 2, range(number), jobs) == [item * 2 for item in range(number)]


def test_many_templates_are_rendered_by_several_processes(node: TemporaryNode) -> None:
    node.write(
        node.main,
        {f"templates/etc/many/{i}.j2": f"{i} [%= qos.tos_rtp %]\n" for i in range(4 * WORTH_A_PROCESS)},
    )
    broken = node.main / "templates/etc/many/broken.j2"

    assert node.run("--jobs=4", "build").last == f"Changed: {4 * WORTH_A_PROCESS} files."
    assert node.rendered("/etc/many/7") == "7 184\n"
    broken.write_text("[%= nothing %]")
    node.edit("config.yml", "tos_rtp: 184", "tos_rtp: 96")
    failed = node.run("--jobs=4", "build")
    assert f"{broken}:1: 'nothing' is undefined" in failed.err
    assert node.rendered("/etc/many/7") == "7 184\n"


def test_the_most_particular_template_is_used(
    node: TemporaryNode, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """From the least particular to the most; `elsewhere` is another node."""
    monkeypatch.setattr("socket.gethostname", lambda: "edge1")
    order = [".j2", ".j2.spce", ".j2.edge1", ".customtt.j2", ".customtt.j2.spce", ".customtt.j2.edge1"]
    node.write(node.main, {"templates/etc/x.customtt.j2.elsewhere": "wrong"})
    for suffix in order:
        node.write(node.main, {f"templates/etc/x{suffix}": suffix})
        node.run("build")
        assert node.rendered("/etc/x") == suffix


def test_two_templates_of_one_rank_are_refused(node: TemporaryNode) -> None:
    node.write(node.main, {"templates/etc/x.customtt.j2": "a", "templates/etc/x.customtt.tt2": "b"})

    assert node.run("build").err == (
        f"Error: {node.main}/templates/etc/x.customtt.tt2: there is x.customtt.j2 beside it; remove one\n"
    )


def test_the_pool_may_be_a_larger_one(node: TemporaryNode) -> None:
    node.write(node.main, {"templates/srv/x.j2": "here"})
    assert node.run("build").out == "Nothing changed.\n"
    node.environment["CONFIG_POOL"] = "/etc /var /srv"

    assert node.run("build").last == "Changed: 1 file."
    assert node.rendered("/srv/x") == "here"
