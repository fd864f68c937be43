"""From an edited configuration to a node that runs with it: build, services, commit, record."""

import sys

from ngcpcfg import report, services
from ngcpcfg.build import build, record
from ngcpcfg.paths import Paths
from ngcpcfg.pending import Pending
from ngcpcfg.problems import RefusedError
from ngcpcfg.repository import Repository


def apply(paths: Paths, message: str) -> int:
    """Make the node run with the configuration as it is; 1 if a service did not follow."""
    repository = Repository(paths.main)
    repository.require_initialised()
    if not message and repository.changes():
        print("Please provide commit message, like: ngcpcfg apply 'summary of your changes'")
        raise RefusedError("Uncommitted configuration files found.")
    generated = build(paths)
    outcome = services.run(paths)
    is_committed = repository.commit(message)
    record(paths)
    print(report.changed(_files(generated), _actions(outcome), "committed" if is_committed else ""))
    return tell_failures(outcome)


def preview(paths: Paths) -> int:
    """Show what `apply` would do, and do nothing."""
    generated = build(paths, dry_run=True)
    changed = Pending(paths.state).load() | dict.fromkeys(generated, 0.0)
    for script in services.scripts_for(changed, paths.templates):
        print(f"Would execute action for {script.name(paths.templates)}")
    print(report.would_change(_files(generated)))
    return 0


def run_services(paths: Paths) -> int:
    """Let the services follow the files that earlier builds have changed; 1 if one did not."""
    outcome = services.run(paths)
    print(report.changed(_actions(outcome)))
    return tell_failures(outcome)


def tell_failures(outcome: services.Outcome) -> int:
    """Print what failed; the exit status that goes with it."""
    if not outcome.failed:
        return 0
    print(f"Error: these have failed: {', '.join(outcome.failed)}", file=sys.stderr)
    return 1


def _files(generated: list[str]) -> str:
    return report.count(len(generated), "file")


def _actions(outcome: services.Outcome) -> str:
    return report.count(len(outcome.done), "service action")
