import pytest

from rtpengine.harness import Phone, Relay, establish


@pytest.fixture
def relay() -> Relay:
    return Relay()


@pytest.fixture
def alice(relay: Relay) -> Phone:
    return Phone(relay, "alice", "198.51.100.10", 4000)


@pytest.fixture
def bob(relay: Relay) -> Phone:
    return Phone(relay, "bob", "192.0.2.20", 5000)


@pytest.fixture
def carol(relay: Relay) -> Phone:
    return Phone(relay, "carol", "192.0.2.30", 6000)


@pytest.fixture
def talking(alice: Phone, bob: Phone) -> None:
    establish(alice, bob)
    assert bob.hears(alice)
    assert alice.hears(bob)
