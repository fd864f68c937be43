"""The firewall's rule, in a kernel that only remembers what it was told."""

from collections.abc import Sequence
from pathlib import Path

import pytest

from ngcp.net import nfnetlink
from ngcp.net.nfnetlink import Message, attribute, fields, text, word
from ngcp.rtpengine import rule

IP, IP6 = rule.FAMILIES.values()


class Kernel:
    """Tables named `filter` of both families: chains, and in each of them rules, the newest first."""

    def __init__(self) -> None:
        self.chains: dict[tuple[int, str], list[bytes]] = {}
        self.transactions = 0

    def transact(self, messages: Sequence[Message]) -> None:
        self.transactions += 1
        for kind, family, body, _ in messages:
            said = fields(body)
            assert word(said[1]) == "filter"
            if kind == 3:
                assert (family, word(said[3])) not in self.chains
                self.chains[family, word(said[3])] = []
            elif kind == 5:
                assert not self.chains.pop((family, word(said[3])))
            elif kind == 6:
                self.chains[family, word(said[2])].insert(0, said[4])
            elif kind == 8 and 3 in said:
                del self.chains[family, word(said[2])][int.from_bytes(said[3], "big")]
            elif kind == 8:
                self.chains[family, word(said[2])].clear()

    def listing(self, message: Message) -> list[bytes]:
        chains = [
            (chain, rules) for (family, chain), rules in self.chains.items() if family == message.family
        ]
        if message.kind == 4:
            return [text(1, "filter") + text(3, chain) for chain, _ in chains]
        return [
            text(1, "filter") + text(2, chain) + attribute(3, place.to_bytes(8, "big")) + attribute(4, one)
            for chain, rules in chains
            for place, one in enumerate(rules)
        ]

    def count(self, family: int) -> dict[str, int]:
        return {chain: len(rules) for (known, chain), rules in self.chains.items() if known == family}


@pytest.fixture
def kernel(monkeypatch: pytest.MonkeyPatch) -> Kernel:
    made = Kernel()
    monkeypatch.setattr(nfnetlink, "transact", made.transact)
    monkeypatch.setattr(nfnetlink, "listing", made.listing)
    return made


def test_rule_is_installed_once(kernel: Kernel) -> None:
    for _ in range(2):
        rule.install(IP, 0)

    assert rule.is_installed(IP, 0)
    assert not rule.is_installed(IP6, 0)
    assert kernel.count(IP) == {"INPUT": 1, "rtpengine": 1}
    assert kernel.transactions == 1


def test_rule_of_another_table_is_replaced(kernel: Kernel) -> None:
    rule.install(IP, 5)
    rule.install(IP, 0)

    assert rule.is_installed(IP, 0)
    assert not rule.is_installed(IP, 5)
    assert kernel.count(IP) == {"INPUT": 1, "rtpengine": 1}


@pytest.mark.parametrize("lost", ["INPUT", "rtpengine"])
def test_half_a_rule_is_made_whole(kernel: Kernel, lost: str) -> None:
    rule.install(IP, 0)
    kernel.chains[IP, lost].clear()

    assert not rule.is_installed(IP, 0)
    rule.install(IP, 0)

    assert rule.is_installed(IP, 0)
    assert kernel.count(IP) == {"INPUT": 1, "rtpengine": 1}


def test_rules_of_others_stay_behind_ours(kernel: Kernel) -> None:
    """An operator's last word in that chain is often to drop everything."""
    kernel.chains[IP, "INPUT"] = [b"drop"]

    rule.install(IP, 0)
    assert kernel.chains[IP, "INPUT"][1] == b"drop"
    rule.remove(IP)

    assert kernel.chains == {(IP, "INPUT"): [b"drop"]}


def test_nothing_to_remove(kernel: Kernel) -> None:
    rule.remove(IP6)

    assert kernel.transactions == 0


@pytest.fixture
def config(tmp_path: Path) -> Path:
    path = tmp_path / "ngcp-rtpengine-daemon"
    path.write_text("INTERFACES=203.0.113.1\nTABLE=3\n")
    return path


def run(monkeypatch: pytest.MonkeyPatch, *words: object) -> int:
    monkeypatch.setattr("sys.argv", ["ngcp-rtpengine-rule", *map(str, words)])
    return rule.main()


def test_program(
    kernel: Kernel, config: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(monkeypatch, "status", "--config", config) == 1
    assert run(monkeypatch, "install", "--config", config) == 0
    assert rule.is_installed(IP, 3)
    assert rule.is_installed(IP6, 3)
    assert run(monkeypatch, "status", "--config", config) == 0
    assert run(monkeypatch, "remove", "--config", config) == 0

    assert capsys.readouterr().out.splitlines() == [
        "ip filter: no rule",
        "ip6 filter: no rule",
        "ip filter: packets are shown to table 3",
        "ip6 filter: packets are shown to table 3",
    ]


def test_program_says_why_not(
    tmp_path: Path, config: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def refuse(_: Message) -> list[bytes]:
        raise PermissionError(1, "nftables: Operation not permitted")

    monkeypatch.setattr(nfnetlink, "listing", refuse)

    assert run(monkeypatch, "install", "--config", config) == 1
    assert run(monkeypatch, "install", "--config", tmp_path / "none") == 1
    assert [line.split(": ")[0] for line in capsys.readouterr().err.splitlines()] == [
        "ngcp-rtpengine-rule"
    ] * 2
