"""Templates that an operator brings from a platform on which they are written for Template Toolkit."""

from pathlib import Path

import pytest

from ngcpcfg import toolkit
from ngcpcfg.jobs import WORTH_A_PROCESS
from temporary_node import RELAY_ENV, TemporaryNode

MINE = "templates/etc/mine.tt2"
ROLES = "---\nhosts:\n  self:\n    role: [proxy, lb, mgmt, rtp, db]\n    dbnode: 1\n    status: online\n"


def build(node: TemporaryNode, text: str) -> str:
    node.write(node.main, {MINE: text})
    result = node.run("build")
    assert result.status == 0, result.err
    return node.rendered("/etc/mine")


@pytest.mark.parametrize(
    ("text", "made"),
    [
        ("[% qos.tos_rtp %]\n", "184\n"),
        ("[%- IF kamailio.lb.tls.enable == 'yes' -%]\nup\n[%- END -%]\n", "up"),
        ("[% nothing.at.all %]|\n", "|\n"),
        ("[% FOREACH i IN hosts.self.interfaces %][% i %] [% END %]", "lo eth0 "),
        ("[% hosts.self.eth0.ip %]", "192.0.2.10"),
        ("[% sites.current.hosts.self.eth0.ip %]", "192.0.2.10"),
        ("ü [% general.companyname.replace('Ex', 'Ü') %]", "ü Üample Telecom"),
        ("[% rtpproxy.minport + 2 %]", "30002"),
        ("{{ x }} [%# nothing %]y", "{{ x }} y"),
        ("[% PERL %] print 6 * 7; [% END %]", "42"),
    ],
)
def test_what_a_template_makes(node: TemporaryNode, text: str, made: str) -> None:
    assert build(node, text) == made


@pytest.mark.parametrize(
    ("call", "answer"),
    [
        ("ngcp.get_hostname", "edge1"),
        ("ngcp.get_nodename", "self"),
        ("ngcp.get_pairname(ngcp.get_nodename)", "spce"),
        ("ngcp.get_version", "mr13.1.1"),
        ("ngcp.get_online_cpus > 0", "1"),
        ("ngcp.has_role('self', 'lb')", "1"),
        ("ngcp.has_role('edge1', 'l.')", "1"),
        ("ngcp.has_role('self', 'storage')", "0"),
        ("ngcp.has_role('self', '.*')", "1"),
        ("ngcp.get_dbnode('self')", "1"),
        ("ngcp.get_peername('self')", ""),
        ("ngcp.get_firstname('spce')", "self"),
        ("ngcp.get_firstname('self')", "self"),
        ("ngcp.get_mgmt_pairname", "sp"),
        ("ngcp.get_mgmt_node", "sp"),
        ("ngcp.get_instances('self').size", "0"),
        ("ngcp.get_ssh_pub_key('ed25519')", "ssh-ed25519 AAAA"),
        ("ngcp.get_redis_info.port", "6379"),
        ("ngcp.net_ip_expand('fe80::1')", "fe80:0:0:0:0:0:0:1"),
        ("ngcp.net_ip_expand('::')", "0:0:0:0:0:0:0:0"),
        ("ngcp.net_ip_expand('192.0.2.1')", "192.0.2.1"),
        ("ngcp.replace_metavars('a %v b %% %x')", "a mr13.1.1 b % %x"),
        ("USE Utils; Utils.encode_base64('ab')", "YWI="),
        ("USE Utils; Utils.get_ref(hosts)", "HASH"),
    ],
)
def test_what_a_template_can_ask(
    node: TemporaryNode, monkeypatch: pytest.MonkeyPatch, call: str, answer: str
) -> None:
    monkeypatch.setattr("socket.gethostname", lambda: "edge1.example.org")
    (node.output / "etc/ngcp_version").write_text("mr13.1.1\n")
    files = {"config.d/roles.yml": ROLES, "shared-files/ssh/id_ed25519.pub": "ssh-ed25519 AAAA\n"}
    node.write(node.main, {**files, "constants.yml": "---\nredis:\n  port: 6379\n"})

    assert build(node, f"[% {call} %]") == answer


@pytest.mark.parametrize(
    ("include", "arguments", "answer"),
    [
        ("get_all_ips", "argv.role = 'lb'; argv.type = 'sip_.*'", "127.0.0.1 192.0.2.10"),
        ("get_all_ips", "argv.role = 'storage'; argv.type = 'sip_ext'", ""),
        ("get_all_ips_for_host", "argv.host = 'spce'; argv.type = 'web_ext'", "192.0.2.10"),
        ("get_all_v6ips_for_host", "argv.host = 'self'", ""),
        ("get_all_ifaces_for_host", "argv.host = 'self'; argv.type = 'rtp_.*'", "lo eth0"),
        ("has_role", "argv.host = 'self'; argv.role = 'proxy'", "1"),
        ("get_nodename", "", "self"),
        ("get_ngcp_type", "", "spce"),
    ],
)
def test_what_a_template_can_take_in(node: TemporaryNode, include: str, arguments: str, answer: str) -> None:
    node.write(node.main, {"config.d/roles.yml": ROLES})
    text = f"[% {arguments}; PROCESS '/usr/lib/ngcp-ngcpcfg/{include}'; out.list.join(' ') %]"

    assert build(node, text) == answer


def test_addresses_that_the_system_gives_are_looked_up(node: TemporaryNode) -> None:
    node.tell_addresses(route="eth0", eth0="192.0.2.77 2001:db8::7")
    node.edit("network.yml", "ip: 192.0.2.10", "ip: auto")

    assert build(node, "[% hosts.self.eth0.ip %] [% hosts.self.lo.ip %]") == "192.0.2.77 127.0.0.1"


def test_other_templates_are_found_below_the_pool_and_the_base(node: TemporaryNode, tmp_path: Path) -> None:
    base = tmp_path / "base"
    base.mkdir()
    (base / "there").write_text("there [% qos.tos_rtp %]")
    node.write(node.main, {"templates/etc/part": "here"})
    node.environment["NGCP_BASE_TT2"] = str(base)

    assert build(node, "[% INCLUDE etc/part %], [% PROCESS './there' %]") == "here, there 184"


@pytest.mark.parametrize(
    ("text", "line", "complaint"),
    [
        ("a\n\n[% IF %]\n", 3, "parse error"),
        ("[% PROCESS 'nowhere' %]", None, "nowhere: not found"),
        ("[% THROW mine 'no such thing' %]", None, "no such thing"),
        ("[% ngcp.get_ssh_pub_key('none') %]", None, "cannot open "),
    ],
)
def test_a_broken_template_is_named(node: TemporaryNode, text: str, line: int | None, complaint: str) -> None:
    node.write(node.main, {MINE: text, "templates/etc/other.tt2": "fine"})

    failed = node.run("build")

    assert failed.status == 1
    assert f"Error: Generating /etc/mine based on {node.main / MINE}: FAILED\n" in failed.err
    place = f"{node.main / MINE}:{line}" if line else f"{node.main / MINE}"
    assert f"  {place}: {complaint}" in failed.err
    assert not (node.output / "etc/other").exists()


def test_yaml_that_is_none_is_not_written(node: TemporaryNode) -> None:
    node.write(node.main, {"templates/etc/mine.yml.tt2": "a: 1\nb: c: d\n"})

    assert "would make line 2 of /etc/mine.yml invalid YAML" in node.run("build").err


@pytest.mark.parametrize("missing", ["toolkit", "perl"])
def test_without_the_toolkit_the_file_and_the_package_are_named(
    node: TemporaryNode, tmp_path: Path, missing: str
) -> None:
    if missing == "toolkit":
        (tmp_path / "Template.pm").write_text("die;\n")
        node.environment["PERL5LIB"] = str(tmp_path)
    else:
        for program in ("git", "sh"):
            (node.root / "bin" / program).symlink_to(f"/usr/bin/{program}")
        node.environment["PATH"] = str(node.root / "bin")
    node.write(node.main, {MINE: "[% qos.tos_rtp %]"})

    failed = node.run("build")

    assert failed.status == 1
    complaint = "is written for Template Toolkit: install the package libtemplate-perl"
    assert f"  {node.main / MINE}: {complaint}\n" in failed.err


def test_an_operators_template_stands_in_for_one_in_jinja(node: TemporaryNode) -> None:
    node.write(node.main, {RELAY_ENV.replace(".j2", ".customtt.tt2"): "TOS=[% qos.tos_rtp %]\n"})

    assert node.run("apply", "mine").last == "Changed: 1 file, 1 service action, committed."
    assert node.rendered("/etc/default/ngcp-rtpengine-daemon") == "TOS=184\n"


def test_the_most_particular_template_is_used(node: TemporaryNode, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("socket.gethostname", lambda: "edge1")
    suffixes = [f"{custom}.tt2{name}" for custom in ("", ".customtt") for name in ("", ".spce", ".edge1")]
    for suffix in suffixes:
        node.write(node.main, {f"templates/etc/x{suffix}": suffix})
        node.run("build")
        assert node.rendered("/etc/x") == suffix


def test_a_patch_of_such_a_template_is_applied(node: TemporaryNode) -> None:
    node.write(node.main, {MINE: "one\ntwo\n", MINE.replace(".tt2", ".customtt.tt2"): "one\ntwo\nmine\n"})
    node.run("patch", "--from-customtt")
    (node.main / MINE.replace(".tt2", ".customtt.tt2")).unlink()

    node.run("build")

    assert node.rendered("/etc/mine") == "one\ntwo\nmine\n"


def test_it_is_rendered_every_time_for_it_may_look_at_anything(node: TemporaryNode, tmp_path: Path) -> None:
    (tmp_path / "fact").write_text("one")
    text = f"[% INCLUDE '{tmp_path}/fact' %]"
    assert build(node, text) == "one"
    (tmp_path / "fact").write_text("two")

    assert build(node, text) == "two"


def test_many_are_rendered_by_several_processes(node: TemporaryNode) -> None:
    number = 3 * WORTH_A_PROCESS + 1
    node.write(node.main, {f"templates/etc/many/{i}.tt2": f"{i} [% qos.tos_rtp %]" for i in range(number)})

    assert node.run("--jobs=3", "build").last == f"Changed: {number} files."
    assert {node.rendered(f"/etc/many/{i}") for i in range(number)} == {f"{i} 184" for i in range(number)}


def test_the_program_is_right_in_perls_eyes(node: TemporaryNode) -> None:
    program = Path(toolkit.__file__).with_name("toolkit.pl")

    assert node.call("perl", "-wc", str(program)) == (0, "", f"{program} syntax OK\n")
