"""What the YAML files may say: read, merged and checked."""

from pathlib import Path

import pytest

from ngcpcfg.configuration import Configuration, load, load_checked
from ngcpcfg.problems import RefusedError
from ngcpcfg.values import Switch
from temporary_node import CONFIG, NETWORK


def write(main: Path, **files: str) -> Path:
    """Write files named as `config`, `config_local`, `config_d_mine`."""
    for name, text in {"config": CONFIG, "network": NETWORK, **files}.items():
        path = main / f"{name.replace('config_d_', 'config.d/').replace('_', '.')}.yml"
        path.parent.mkdir(exist_ok=True)
        path.write_text(text)
    return main


def complaints(main: Path) -> list[str]:
    with pytest.raises(RefusedError) as refused:
        load_checked(main)
    return [str(problem).removeprefix(f"{main}/") for problem in refused.value.problems]


@pytest.mark.parametrize(
    ("old", "new", "complaint"),
    [
        (
            "port: 5060",
            "port: 70000",
            ":7: kamailio.lb.port: 70000 is not allowed; allowed is a port number from",
        ),
        (
            "port: 5060",
            "port: '5060'",
            ":7: kamailio.lb.port: '5060' is not allowed; allowed is a port number",
        ),
        ("port: 5060", "port: true", ":7: kamailio.lb.port: true is not allowed; allowed is a port number"),
        ("port: 5060", "port:", ":7: kamailio.lb.port: nothing is not allowed; allowed is a port number"),
        (
            "port: 5060",
            "port: [5060]",
            ":7: kamailio.lb.port: a list is not allowed; allowed is a port number",
        ),
        ("minport: 30000", "minport: 1000", ":14: rtpproxy.minport: 1000 is not allowed; allowed is an even"),
        (
            "port: 5061",
            "port: 5060",
            ":10: kamailio.lb.tls.port: 5060 is not allowed; it is the port of kamailio.lb.port",
        ),
        ("port: 5060", "prot: 5060", ":7: kamailio.lb.prot: unknown key; did you mean kamailio.lb.port?"),
        ("port: 5060", "port: {a: 1}", ":7: kamailio.lb.port.a: unknown key; did you mean kamailio.lb.port?"),
        (
            "enable: yes",
            "enable: true",
            ":9: kamailio.lb.tls.enable: true is not allowed; allowed is yes or no",
        ),
        (
            "enable: yes",
            "enable: on",
            ":9: kamailio.lb.tls.enable: 'on' is not allowed; allowed is yes or no",
        ),
        (
            "minport: 30000",
            "minport: 30001",
            ":14: rtpproxy.minport: 30001 is not allowed; allowed is an even",
        ),
        (
            "minport: 30000",
            "minport: 40000",
            ":14: rtpproxy.minport: 40000 is not allowed; it is not below rtpproxy.maxport, which is 40000",
        ),
        (
            "tos_rtp: 184",
            "tos_rtp: 256",
            ":18: qos.tos_rtp: 256 is not allowed; allowed is the whole TOS byte",
        ),
        ("qos:", "qso:", ":18: qso.tos_rtp: unknown key; did you mean qos.tos_rtp?"),
        ("qos:", "zzz:", ":18: zzz.tos_rtp: unknown key"),
        ("qos:\n  tos_rtp: 184", "qos: 184", ":17: qos: is a section; it must hold keys such as qos.tos_rtp"),
        ("qos:\n  tos_rtp: 184", "qos:", ":17: qos: is a section; it must hold keys such as qos.tos_rtp"),
        ("tos_rtp: 184", "tos_rtp: 1\n  tos_rtp: 2", ":19: qos.tos_rtp: is here twice, first on line 18"),
        (
            "Example Telecom",
            "'two\n\n    lines'",
            ":4: general.companyname: 'two\\nlines' is not allowed; allowed is",
        ),
        ("tos_rtp: 184", "? [a]\n  : 1", ":18: qos: a key must be a word"),
        ("tos_rtp: 184", "tos_rtp: !!binary x", ":18: qos.tos_rtp: the YAML tag"),
        ("qos:", "qos: &again\n  again: *again", ":17: is nested too deeply"),
        ("qos:", "qos: {", ":19: invalid YAML: "),
        ("qos:", "qos:\n\t", ":18: invalid YAML: "),
        ("---\n", "- ", ":1: must consist of keys and values"),
    ],
)
def test_what_is_wrong_is_named_by_line_and_key(tmp_path: Path, old: str, new: str, complaint: str) -> None:
    assert old in CONFIG
    text = CONFIG.replace(old, new, 1) if old != "---\n" else "- a\n"

    found = complaints(write(tmp_path, config=text))

    assert [line for line in found if not line.startswith(f"config.yml{complaint}")] == []
    assert len(found) == 1


@pytest.mark.parametrize(
    ("old", "new", "complaint"),
    [
        (
            "192.0.2.10",
            "192.0.2.256",
            ":9: hosts.self.eth0.ip: '192.0.2.256' is not allowed; allowed is an IPv4",
        ),
        ("      ip: 192.0.2.10\n", "", ":8: hosts.self.eth0.ip: nothing is not allowed; allowed is an IPv4"),
        (
            "web_ext",
            "webext",
            ":10: hosts.self.eth0.type.0: 'webext' is not a type of interface; did you mean web",
        ),
        (
            "[web_ext, sip_ext, rtp_ext]",
            "sip_ext",
            ":10: hosts.self.eth0.type: must be a list of some of web_ext",
        ),
        (
            "[lo, eth0]",
            "[lo, eth1]",
            ":4: hosts.self.interfaces: eth1 is listed, but there is no hosts.self.eth1",
        ),
        ("[lo, eth0]", "eth0", ":4: hosts.self.interfaces: must be a list of interface names such as"),
        ("self:", "me:", ":2: hosts: must hold the key self"),
    ],
)
def test_network_errors_are_named_by_line_and_key(tmp_path: Path, old: str, new: str, complaint: str) -> None:
    assert old in NETWORK

    found = complaints(write(tmp_path, network=NETWORK.replace(old, new)))

    assert len(found) == 1
    assert found[0].startswith(f"network.yml{complaint}")


def test_everything_that_is_wrong_is_said_at_once(tmp_path: Path) -> None:
    main = write(
        tmp_path,
        config=CONFIG.replace("184", "256").replace("5061", "0"),
        network=NETWORK.replace("192.0.2.10", "x"),
    )

    assert [line.split(": ")[1] for line in complaints(main)] == [
        "kamailio.lb.tls.port",
        "qos.tos_rtp",
        "hosts.self.eth0.ip",
    ]


def test_a_file_that_is_not_text_is_named_with_its_line(tmp_path: Path) -> None:
    (write(tmp_path) / "config.yml").write_bytes(b"---\na: 1\nb: \xff\n")

    assert complaints(tmp_path) == ["config.yml:3: is not UTF-8"]


def test_files_are_merged_in_order_and_the_last_wins(tmp_path: Path) -> None:
    """Groups of keys are merged, lists replaced."""
    main = write(
        tmp_path,
        config_local="rtpproxy: {minport: 20000}\nqos: {tos_rtp: 1, tos_sip: 1}\n",
        maintenance="qos: {tos_rtp: 2}\n",
        config_d_a="mine: {list: [1, 2], kept: yes}\n",
        config_d_b="mine: {list: [3]}\nqos: {tos_rtp: 3}\n",
        constants="database: {socket: /run/mysqld/mysqld.sock}\n",
    )

    merged = load_checked(main)

    assert merged.values["rtpproxy"] == {"minport": 20000, "maxport": 40000}
    assert merged.values["qos"] == {"tos_rtp": 3, "tos_sip": 1}
    assert merged.values["mine"] == {"list": [3], "kept": "yes"}
    assert merged.get("database.socket") == "/run/mysqld/mysqld.sock"
    assert merged.get("hosts.self.interfaces.1") == "eth0"


def test_the_file_that_has_won_is_blamed(tmp_path: Path) -> None:
    main = write(tmp_path, config_d_mine="---\nqos:\n  tos_rtp: 256\n")

    assert complaints(main)[0].startswith("config.d/mine.yml:3: qos.tos_rtp: 256")


def test_a_known_section_has_no_unknown_keys_even_in_config_d(tmp_path: Path) -> None:
    main = write(tmp_path, config_d_mine="qos: {tos_rpt: 1}\nmine: {anything: 1}\n")

    assert complaints(main) == ["config.d/mine.yml:1: qos.tos_rpt: unknown key; did you mean qos.tos_rtp?"]


def test_no_file_at_all_is_no_values(tmp_path: Path) -> None:
    assert load(tmp_path) == Configuration(tmp_path)


@pytest.mark.parametrize(
    ("key", "value"),
    [("yes", True), ("on", True), ("no", False), ("off", False)],
)
def test_a_switch_is_its_word_and_its_meaning(key: str, value: bool) -> None:
    assert Switch(key) == key
    assert bool(Switch(key)) is value
