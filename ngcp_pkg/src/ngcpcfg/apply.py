"""From an edited configuration to a node that runs with it: build, services, commit, record."""

from dataclasses import dataclass, field

from ngcpcfg import build, messages, report, services
from ngcpcfg.paths import Paths
from ngcpcfg.pending import Pending
from ngcpcfg.problems import RefusedError
from ngcpcfg.repository import Repository
from ngcpcfg.undo import Rejected, Undo


@dataclass(frozen=True, slots=True)
class Terms:
    """How a configuration is applied."""

    scope: build.Scope = field(default_factory=build.Scope)
    forces_services: bool = False
    """Whether all services follow, changed or not."""
    keeps_failures: bool = False
    """Whether the change stays although a service did not follow."""


def apply(paths: Paths, message: str, terms: Terms) -> int:
    """Make the node run with the configuration as it is; 1 if a service did not follow.

    Then all files become what they were and their services follow back: the node runs as before, and the
    change waits, uncommitted, for the operator.
    """
    repository = Repository(paths.main)
    repository.require_initialised()
    if not message and repository.changes():
        messages.info("Please provide commit message, like: ngcpcfg apply 'summary of your changes'")
        raise RefusedError("Uncommitted configuration files found.")
    generated = build.build(paths, terms.scope, is_applied=True)
    if terms.forces_services:
        services.force(paths)
    outcome = services.run(paths)
    if outcome.failed and not terms.keeps_failures and (earlier := Undo(paths).targets()):
        return _go_back(paths, earlier, outcome)
    Rejected(paths).forget()
    is_committed = repository.commit(message)
    build.record(paths)
    messages.info(report.changed(_files(generated), _actions(outcome), "committed" if is_committed else ""))
    return tell_failures(outcome)


def _go_back(paths: Paths, earlier: list[str], outcome: services.Outcome) -> int:
    """Make files what they were before the change and let the services follow them."""
    tell_failures(outcome)
    pending = Pending(paths.state)
    pending.announce(earlier)
    Undo(paths).restore()
    Rejected(paths).note()
    pending.settle(earlier)
    for target in earlier:
        messages.info(f"Restoring {target}: OK")
    again = services.run(paths)
    messages.info(
        f"Rolled back: {_files(earlier)}. The change was not applied; it waits in {paths.main}. "
        f"The reason: {', '.join(outcome.failed)}."
    )
    if again.failed:
        messages.fail(f"not even the earlier files help: {', '.join(again.failed)}")
    return 1


def run_services(paths: Paths, *, forces_services: bool = False) -> int:
    """Let the services follow the files that earlier builds have changed; 1 if one did not."""
    if forces_services:
        services.force(paths)
    outcome = services.run(paths)
    messages.info(report.changed(_actions(outcome)))
    return tell_failures(outcome)


def tell_failures(outcome: services.Outcome) -> int:
    """Print what failed; the exit status that goes with it."""
    if not outcome.failed:
        return 0
    messages.fail(f"these have failed: {', '.join(outcome.failed)}")
    return 1


def _files(generated: list[str]) -> str:
    return report.count(len(generated), "file")


def _actions(outcome: services.Outcome) -> str:
    return report.count(len(outcome.done), "service action")
