"""What the proxy remembers of subscribers, how long, and what it does without a database."""

import asyncio
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field, replace
from typing import TypeVar

import pytest

from ngcp.provisioning.runtime import DatabaseUnavailable, Domain, Name, Platform, Subscriber
from ngcp.proxy.batches import settled
from ngcp.proxy.directory import ABSENT_LIFETIME, ABSENT_SIZE, RETRY, Directory, Terms, Unknown
from proxy.doors import MemoryDirectory, run_now

T = TypeVar("T")


@dataclass
class World:
    """A directory over a source that counts the questions, with a clock that stands still."""

    source: MemoryDirectory = field(default_factory=MemoryDirectory)
    now: float = 1000.0

    def __post_init__(self) -> None:
        self.directory = Directory(self.source, Terms(60.0, lambda: self.now, run_now))
        self.source.add("alice", "4311001")

    def ask(self, question: Callable[[Directory], T]) -> T:
        """Ask until memory knows."""
        for _ in range(5):
            try:
                return question(self.directory)
            except Unknown as unknown:
                run_now(settled(unknown.learn))
        raise AssertionError("memory never knows")

    def alice(self) -> Subscriber | None:
        return self.ask(lambda d: d.subscriber("alice", "example.org"))

    def change(self, password: str) -> None:
        self.source.accounts["alice"] = replace(self.source.accounts["alice"], password=password)


@pytest.fixture
def world() -> World:
    return World()


def test_who_is_known_is_not_asked_for_again(world: World) -> None:
    assert world.alice() == world.alice() is not None
    assert len(world.source.asked) == 1


def test_what_changed_unsaid_is_seen_after_its_time(world: World) -> None:
    world.alice()
    world.change("new")
    world.now += 59.0
    assert (found := world.alice()) is not None and found.password != "new"
    world.now += 1.0
    assert (found := world.alice()) is not None and found.password == "new"


def test_what_a_writer_tells_is_seen_at_once(world: World) -> None:
    world.alice()
    world.change("new")
    world.directory.drop("alice@Example.org")
    assert (found := world.alice()) is not None and found.password == "new"


def test_change_during_the_question_is_not_overlooked() -> None:
    """The answer under way may be older than the change."""
    source = MemoryDirectory()
    source.add("alice")
    started, gate = asyncio.Event(), asyncio.Event()

    class SlowSource(MemoryDirectory):
        async def subscribers(self, names: Collection[Name]) -> dict[Name, Subscriber]:
            found = dict(await source.subscribers(names))
            started.set()
            await gate.wait()
            return found

    async def main() -> Subscriber | None:
        directory = Directory(SlowSource(), Terms(60.0, lambda: 0.0, asyncio.ensure_future))

        async def ask() -> Subscriber | None:
            for _ in range(5):
                try:
                    return directory.subscriber("alice", "example.org")
                except Unknown as unknown:
                    await settled(unknown.learn)
            return None

        asking = asyncio.ensure_future(ask())
        await started.wait()
        source.accounts["alice"] = replace(source.accounts["alice"], password="new")
        directory.drop("alice@example.org")
        gate.set()
        return await asking

    found = asyncio.run(main())
    assert found is not None and found.password == "new"


def test_those_who_wait_are_asked_for_together() -> None:
    source = MemoryDirectory()
    for number in range(5):
        source.add(f"u{number}")

    async def main() -> None:
        tasks: list[asyncio.Task[None]] = []
        directory = Directory(
            source, Terms(60.0, lambda: 0.0, lambda work: tasks.append(asyncio.create_task(work)))
        )
        for number in range(5):
            with pytest.raises(Unknown) as caught:
                directory.subscriber(f"u{number}", "example.org")
            caught.value.learn(lambda error: None)
        await asyncio.gather(*tasks)

    asyncio.run(main())
    assert source.asked == [[Name(f"u{number}", "example.org") for number in range(5)]]


def test_who_is_unknown_is_remembered_for_a_moment_only(world: World) -> None:
    def mallory() -> Subscriber | None:
        return world.ask(lambda d: d.subscriber("mallory", "example.org"))

    assert mallory() is mallory() is None
    assert len(world.source.asked) == 1
    world.source.add("mallory")
    world.now += ABSENT_LIFETIME
    assert mallory() is not None


def test_who_was_unknown_is_known_once_anybody_was_provisioned(world: World) -> None:
    assert world.ask(lambda d: d.subscriber("bob", "example.org")) is None
    assert world.ask(lambda d: d.by_number("4311002", "example.org")) is None
    world.source.add("bob", "4311002")
    world.directory.drop("bob@example.org")
    assert world.ask(lambda d: d.subscriber("bob", "example.org")) is not None
    assert world.ask(lambda d: d.by_number("4311002", "example.org")) is not None


def test_names_that_strangers_invent_push_nobody_out(world: World) -> None:
    world.alice()
    for number in range(ABSENT_SIZE + 10):
        assert world.ask(lambda d, n=number: d.subscriber(f"x{n}", "example.org")) is None  # type: ignore[misc]
    asked = len(world.source.asked)
    assert world.alice() is not None
    assert len(world.source.asked) == asked


def test_number_that_moved_leads_to_its_new_owner(world: World) -> None:
    def owner() -> str | None:
        found = world.ask(lambda d: d.by_number("4311001", "example.org"))
        return found.username if found else None

    world.source.add("bob")
    assert owner() == "alice"
    world.source.aliases["4311001"] = "bob"
    world.directory.drop("alice@example.org")
    world.directory.drop("bob@example.org")
    assert owner() == "bob"
    del world.source.aliases["4311001"]
    world.directory.drop("bob@example.org")
    assert owner() is None


def test_domain_is_ours_once_it_was_made_and_no_longer_once_removed(world: World) -> None:
    def is_local() -> bool:
        return "example.net" in world.ask(Directory.platform).domains

    assert not is_local()
    world.source.shared = Platform({"example.net": Domain()})
    world.directory.drop("example.net")
    assert is_local()
    world.source.shared = Platform()
    world.directory.drop("*")
    assert not is_local()


def test_dead_database_leaves_us_with_what_we_knew(world: World) -> None:
    world.alice()
    world.source.dead = True
    world.now += 10_000.0
    assert world.alice() is not None
    with pytest.raises(DatabaseUnavailable):
        world.ask(lambda d: d.subscriber("bob", "example.org"))
    world.source.dead = False
    world.change("new")
    world.now += RETRY
    world.alice()  # nobody waits for the first answer
    assert (found := world.alice()) is not None and found.password == "new"


def test_dead_database_leaves_nobody_who_is_nobody_waiting(world: World) -> None:
    """A forward to the voicebox asks for the owner of a number that is none, call after call."""
    assert world.ask(lambda d: d.subscriber("nobody", "example.org")) is None
    world.source.dead = True
    world.now += 10 * ABSENT_LIFETIME
    assert world.ask(lambda d: d.subscriber("nobody", "example.org")) is None
    world.source.dead = False
    world.source.add("nobody", "4311009")
    world.now += RETRY
    world.ask(lambda d: d.subscriber("nobody", "example.org"))  # nobody waits for the first answer
    assert world.ask(lambda d: d.subscriber("nobody", "example.org")) is not None


def test_dead_database_does_not_bring_back_what_was_changed(world: World) -> None:
    world.alice()
    world.directory.drop("alice@example.org")
    world.source.dead = True
    with pytest.raises(DatabaseUnavailable):
        world.alice()


def test_bug_of_the_source_is_told_to_whoever_waits(world: World, caplog: pytest.LogCaptureFixture) -> None:
    class Broken(MemoryDirectory):
        async def subscribers(self, names: Collection[Name]) -> Mapping[Name, Subscriber]:  # type: ignore[override]
            raise LookupError("a bug")

    world.directory = Directory(Broken(), Terms(60.0, lambda: 0.0, run_now))
    with pytest.raises(LookupError):
        world.alice()
    assert "a bug" in caplog.text
