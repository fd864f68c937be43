"""Peers that are asked whether they live."""

from dataclasses import replace
from itertools import count

import pytest

from ngcp.provisioning.runtime import Peer, PeerGroup
from ngcp.proxy.probes import Probes, Probing
from ngcp.sip.syntax import Request, parse
from proxy.stage import Stage

PEER = Peer(1, "carrier", "203.0.113.1", 5060, is_probed=True)


class Scene:
    """Two peers, of which one is probed."""

    def __init__(self) -> None:
        stage = Stage()
        other = replace(PEER, id=2, is_probed=False)
        group = PeerGroup(1, "carriers", 1, 1, (), (), (PEER, other))
        stage.source.shared = replace(stage.source.shared, peer_groups=(group,))
        self.source, self.directory = stage.source, stage.floor.directory
        ids = map(str, count())
        self.probes = Probes(Probing(10.0, 2), self.directory, stage.floor.edge, ids.__next__)
        self.now = 0.0

    def ask(self) -> Request:
        """Return the probe that leaves next."""
        [probe] = self.visit()
        return probe

    def visit(self) -> list[Request]:
        """Return what leaves next; the first time, memory has to learn who there is."""
        probes: list[Request] = []
        for _ in range(2):
            self.now = max(self.now, self.probes.due)
            sent = [parse(data) for data, _ in self.probes.visit(self.now)]
            probes += [probe for probe in sent if isinstance(probe, Request)]
            if probes:
                break
        return probes

    def answer(self, probe: Request, status: int) -> None:
        self.probes.hear(probe.reply(status))


@pytest.fixture
def scene() -> Scene:
    return Scene()


def test_who_is_silent_is_down_until_he_answers(scene: Scene) -> None:
    for is_down in (False, False, True, True):
        probe = scene.ask()
        assert scene.probes.is_down(PEER) is is_down
    scene.answer(probe, 200)
    assert not scene.probes.is_down(PEER)


def test_who_answers_now_and_then_is_there(scene: Scene) -> None:
    for _ in range(5):
        scene.ask()
        scene.answer(scene.ask(), 200)
        assert not scene.probes.is_down(PEER)


@pytest.mark.parametrize(
    ("status", "is_down"), [(200, False), (404, False), (405, False), (408, True), (430, True), (503, True)]
)
def test_what_counts_as_an_answer(scene: Scene, status: int, is_down: bool) -> None:
    for _ in range(4):
        scene.answer(scene.ask(), status)
    assert scene.probes.is_down(PEER) is is_down


def test_an_answer_to_another_probe_is_none(scene: Scene) -> None:
    first = scene.ask()
    scene.ask()
    scene.ask()
    scene.answer(first, 200)
    assert scene.probes.is_down(PEER)


def test_a_peer_that_is_no_longer_probed_is_forgotten(scene: Scene) -> None:
    for _ in range(3):
        scene.ask()
    scene.source.shared = replace(scene.source.shared, peer_groups=())
    scene.directory.drop("peers")
    assert scene.visit() == []
    assert not scene.probes.is_down(PEER)


@pytest.mark.parametrize(("interval", "failures"), [(0.5, 3), (10.0, 0)])
def test_a_configuration_that_cannot_be(interval: float, failures: int) -> None:
    with pytest.raises(ValueError, match="not"):
        Probing(interval, failures)
