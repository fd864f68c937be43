"""What a template may say, and what is said of one that is broken."""

from pathlib import Path
from typing import Any

import pytest

from ngcpcfg import templates
from ngcpcfg.context import Node, Section
from ngcpcfg.pool import Pool
from ngcpcfg.templates import RenderError
from ngcpcfg.values import Switch

CONTEXT: dict[str, Any] = {
    "rtpproxy": Section({"minport": 30000, "maxport": 40000}, "rtpproxy"),
    "switches": Section({"up": Switch("yes"), "down": Switch("no")}, "switches"),
    "words": Section({"items": "a key", "name": "another"}, "words"),
    "ngcp": Node({}),
}


def render(pool: Path, text: str, target: str = "etc/file") -> str:
    path = pool / f"{target}.j2"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    return templates.render(Pool(pool).find(), Pool(pool), CONTEXT)[0].content.decode()


@pytest.mark.parametrize(
    ("text", "made"),
    [
        ("[%= rtpproxy.minport %]-[%= rtpproxy['maxport'] %]\n", "30000-40000\n"),
        ("a[%# gone %]b\n[%# this line too %]\n", "ab\n"),
        ("[% if switches.up %]\nup\n[% endif %]\n[% if switches.down %]\ndown\n[% endif %]\n", "up\n"),
        ("[% if switches.up == 'yes' %]up[% endif %]\n", "up"),
        ("[% if rtpproxy.timeout is defined %]a[% else %]b[% endif %]", "b"),
        ("[%= words.items %], [%= words.name %]", "a key, another"),
        (
            "[% for k, v in rtpproxy.items() %]\n[%= k %]=[%= v %]\n[% endfor %]\n",
            "minport=30000\nmaxport=40000\n",
        ),
        ("{{ not ours }} {% nor this %} {# or that #}\n", "{{ not ours }} {% nor this %} {# or that #}\n"),
        ("no newline at the end", "no newline at the end"),
        ("ü\n", "ü\n"),
    ],
)
def test_what_a_template_makes(tmp_path: Path, text: str, made: str) -> None:
    assert render(tmp_path, text) == made


@pytest.mark.parametrize(
    ("text", "line", "complaint"),
    [
        ("a\nb\n[%= rtpproxy.minprot %]\n", 3, "rtpproxy.minprot is not defined; did you mean minport?"),
        ("[%= rtpproxy['zzz'] %]\n", 1, "rtpproxy.zzz is not defined"),
        ("[%= rtpproxy.get %]\n", 1, "rtpproxy.get is not defined"),
        ("a\n[%= nothing.at.all %]\n", 2, "'nothing' is undefined"),
        ("a\n[% if rtpproxy %]\nb\n", 3, "Unexpected end of template"),
        ("\n[% for x in rtpproxy %]\n[%= x | nofilter %]\n[% endfor %]\n", 3, "No filter named 'nofilter'"),
        ("\n[%= rtpproxy.minport / 0 %]\n", 2, "ZeroDivisionError: division by zero"),
        (
            "[%= ngcp.address('sip_ext') %]",
            1,
            "ngcp.address('sip_ext'): no interface of network.yml has the type",
        ),
        ("[% include 'etc/none' %]", 1, "'etc/none' not found"),
    ],
)
def test_a_broken_template_is_named_with_its_line(
    tmp_path: Path, text: str, line: int, complaint: str
) -> None:
    with pytest.raises(RenderError) as refused:
        render(tmp_path, text)

    assert str(refused.value).startswith(f"{tmp_path}/etc/file.j2:{line}: {complaint}")


def test_a_template_that_is_not_text_is_named(tmp_path: Path) -> None:
    (tmp_path / "etc").mkdir()
    (tmp_path / "etc/file.j2").write_bytes(b"\xff")

    with pytest.raises(RenderError, match=r"file\.j2: is not UTF-8"):
        templates.render(Pool(tmp_path).find(), Pool(tmp_path), CONTEXT)


def test_yaml_that_is_none_is_not_written(tmp_path: Path) -> None:
    with pytest.raises(RenderError, match=r"lb\.yml\.j2: would make line 2 of /etc/lb\.yml invalid YAML"):
        render(tmp_path, "a: 1\nb: c: d\n", "etc/lb.yml")


def test_every_broken_template_is_named_at_once(tmp_path: Path) -> None:
    (tmp_path / "var").mkdir()
    (tmp_path / "var/other.j2").write_text("[%= one %]")

    with pytest.raises(RenderError) as refused:
        render(tmp_path, "[%= two %]")

    assert [template.target for template in refused.value.failures] == ["/etc/file", "/var/other"]


def test_only_etc_and_var_are_pools(tmp_path: Path) -> None:
    for name in ("etc/a.j2", "var/b.customtt.j2", "usr/c.j2", "etc/d.services", "etc/e.j2.orig"):
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        path.touch()

    assert [template.target for template in Pool(tmp_path).find()] == ["/etc/a", "/var/b"]


def test_the_override_is_rendered_with_the_permissions_of_the_template(tmp_path: Path) -> None:
    for name, mode in (("x.j2", 0o750), ("x.customtt.j2", 0o644)):
        path = tmp_path / "etc" / name
        path.parent.mkdir(exist_ok=True)
        path.touch()
        path.chmod(mode)

    (template,) = Pool(tmp_path).find()

    assert (template.source.name, template.mode) == ("x.customtt.j2", 0o550)
