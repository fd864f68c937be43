"""`ngcpcfg get` and `ngcpcfg set` on the command line."""

import pytest

from temporary_node import CONFIG, TemporaryNode


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("rtpproxy.minport", "30000"),
        ("kamailio.lb.tls.enable", "yes"),
        ("general.companyname", "Example Telecom"),
        ("hosts.self.interfaces", "lo eth0"),
        ("hosts.self.interfaces.1", "eth0"),
        ("rtpproxy", "maxport: 40000\nminport: 30000"),
    ],
)
def test_get(node: TemporaryNode, key: str, value: str) -> None:
    assert node.run("get", key)[:2] == (0, f"{value}\n")


def test_get_of_a_key_that_does_not_exist(node: TemporaryNode) -> None:
    assert node.run("get", "rtpproxy.nothing") == (
        1,
        "",
        "Error: cannot process request for 'rtpproxy.nothing'!\n",
    )


def test_set_changes_one_line_and_keeps_the_rest(node: TemporaryNode) -> None:
    (node.main / "config.yml").chmod(0o660)

    result = node.run("set", "config.yml", "rtpproxy.minport=32000", "kamailio.lb.tls.enable=no")

    assert result.out == f"Changed: {node.main}/config.yml.\n"
    text = (node.main / "config.yml").read_text()
    assert text == CONFIG.replace("30000", "32000").replace("enable: yes", "enable: no")
    assert (node.main / "config.yml").stat().st_mode & 0o777 == 0o660


def test_set_takes_the_full_path_of_the_file(node: TemporaryNode) -> None:
    assert node.run("set", "--diff", f"{node.main}/config.yml", "qos.tos_sip=96").status == 0
    assert node.run("get", "qos.tos_sip").out == "96\n"


def test_set_shows_the_difference(node: TemporaryNode) -> None:
    assert (
        "-  tos_rtp: 184\n+  tos_rtp: 96\n" in node.run("set", "--diff", "config.yml", "qos.tos_rtp=96").out
    )


def test_set_to_what_it_is_changes_nothing(node: TemporaryNode) -> None:
    assert node.run("set", "config.yml", "qos.tos_rtp=184").out == "Nothing changed.\n"


@pytest.mark.parametrize(
    ("assignments", "complaint"),
    [
        (["qos.tos_rtp=96", "rtpproxy.minport=70000"], ":14: rtpproxy.minport: 70000 is not allowed"),
        (["qos.tos_rpt=96"], ":19: qos.tos_rpt: unknown key; did you mean qos.tos_rtp?"),
        (["qos.tos_rtp"], "can't parse 'qos.tos_rtp'"),
        (["qos=184"], "Key resolved to a HASH reference; refusing to overwrite."),
    ],
)
def test_set_refuses_what_apply_would(node: TemporaryNode, assignments: list[str], complaint: str) -> None:
    result = node.run("set", "config.yml", *assignments)

    assert result.status == 1
    assert result.err.removeprefix("Error: ").removeprefix(f"{node.main}/config.yml").startswith(complaint)
    assert (node.main / "config.yml").read_text() == CONFIG


def test_values_that_limit_each_other_can_be_set_one_after_the_other(node: TemporaryNode) -> None:
    assert node.run("set", "config.yml", "rtpproxy.minport=42000").status == 0
    assert "it is not below rtpproxy.maxport" in node.run("check").err
    assert node.run("set", "config.yml", "rtpproxy.maxport=44000").status == 0
    assert node.run("check").status == 0


def test_a_wrong_value_elsewhere_does_not_keep_one_from_setting_it_right(node: TemporaryNode) -> None:
    node.edit("config.yml", "minport: 30000", "minport: 70000")

    assert node.run("set", "config.yml", "qos.tos_rtp=96").status == 0
    assert node.run("set", "config.yml", "rtpproxy.minport=30000").status == 0


def test_set_of_a_file_that_does_not_exist(node: TemporaryNode) -> None:
    assert node.run("set", "nothing.yml", "a=1") == (1, "", "Error: missing nothing.yml. Exiting.\n")


def test_del_removes_a_key_and_keeps_the_rest(node: TemporaryNode) -> None:
    node.run("set", "config.yml", "qos.tos_sip=96")

    result = node.run("del", "--diff", "config.yml", "qos.tos_sip")

    assert result.status == 0
    assert "-  tos_sip: 96\n" in result.out
    assert (node.main / "config.yml").read_text() == CONFIG


def test_del_of_an_element_of_a_list(node: TemporaryNode) -> None:
    node.write(node.main, {"config.d/mine.yml": "---\nmine:\n  list: [a, b, c]\n"})

    assert node.run("del", "config.d/mine.yml", "mine.list.1").status == 0
    assert node.run("get", "mine.list").out == "a c\n"


def test_del_of_the_last_key_of_a_group(node: TemporaryNode) -> None:
    node.write(node.main, {"config.d/mine.yml": "---\nmine:\n  a: 1\nother:\n  b: 2 # two\n"})

    assert node.run("del", "config.d/mine.yml", "mine.a").status == 0
    assert node.run("get", "mine").out == "{}\n"
    assert node.run("get", "other.b").out == "2\n"


@pytest.mark.parametrize("key", ["qos.nothing", "nothing.at.all", "qos.tos_rtp.0", "rtpproxy.7"])
def test_del_of_what_is_not_there_is_done_already(node: TemporaryNode, key: str) -> None:
    result = node.run("del", "config.yml", key)

    assert (result.status, result.out) == (0, "Nothing changed.\n")
    assert result.err == f"Warning: {node.main}/config.yml: {key}: is not there\n"
    assert (node.main / "config.yml").read_text() == CONFIG
