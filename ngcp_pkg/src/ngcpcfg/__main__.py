"""The command line of ngcpcfg."""

import argparse
import os
import sys
from collections.abc import Callable, Sequence
from typing import Final, NamedTuple

from ngcpcfg import (
    apply,
    build,
    clean,
    defaults,
    messages,
    patches,
    post_build,
    rehearsal,
    report,
    setting,
    shown,
    transaction,
    vendor,
)
from ngcpcfg.check import check
from ngcpcfg.command_line import GIT_COMMANDS, OBSOLETE, make_parser, split_jobs
from ngcpcfg.lock import exclusive
from ngcpcfg.paths import Paths
from ngcpcfg.problems import InvalidError, RefusedError
from ngcpcfg.repository import Repository
from ngcpcfg.status import status
from ngcpcfg.templates import RenderError


def _initialise(paths: Paths, _: argparse.Namespace) -> int:
    is_new = vendor.initialise(paths)
    messages.info("OK:   has been initialised" if is_new else "OK:   has been initialised already")
    return 0


def _scope(arguments: argparse.Namespace, patterns: Sequence[str] = ()) -> build.Scope:
    return build.Scope(patterns, arguments.ignore_branch_check, arguments.jobs)


def _build(paths: Paths, arguments: argparse.Namespace) -> int:
    scope = _scope(arguments, arguments.pattern)
    make, say = (build.preview, report.would_change) if arguments.dry_run else (build.build, report.changed)
    messages.info(say(report.count(len(make(paths, scope)), "file")))
    return 0


def _apply(paths: Paths, arguments: argparse.Namespace) -> int:
    if arguments.dry_run:
        return _rehearse(paths, arguments)
    terms = apply.Terms(
        scope=_scope(arguments),
        forces_services=arguments.force_all_services,
        keeps_failures=arguments.no_action_failure,
    )
    return apply.apply(paths, " ".join(arguments.message), terms)


def _rehearse(paths: Paths, arguments: argparse.Namespace) -> int:
    generated = build.preview(paths, _scope(arguments))
    actions = rehearsal.rehearse(paths, generated, forces_services=arguments.force_all_services)
    counts = report.count(len(generated), "file"), report.count(actions, "service action")
    messages.info(report.would_change(*counts))
    return 0


def _services(paths: Paths, arguments: argparse.Namespace) -> int:
    if arguments.dry_run or arguments.test:
        return rehearsal.show(paths, forces_services=arguments.force_all_services)
    return apply.run_services(paths, forces_services=arguments.force_all_services)


def _check(paths: Paths, arguments: argparse.Namespace) -> int:
    check(paths, arguments.file, ignores_branch=arguments.ignore_branch_check)
    messages.info("yml configs were validated successfully")
    messages.info("configs were checked successfully")
    return 0


def _commit(paths: Paths, arguments: argparse.Namespace) -> int:
    repository = Repository(paths.main)
    repository.require_initialised()
    is_new = repository.commit(" ".join(arguments.message) or "Change the configuration")
    messages.info("OK" if is_new else "OK:   nothing to commit.")
    return 0


def _status(paths: Paths, _: argparse.Namespace) -> int:
    print("\n".join(status(paths)))
    return 0


def _get(paths: Paths, arguments: argparse.Namespace) -> int:
    print(setting.get(paths, arguments.key))
    return 0


def _set(paths: Paths, arguments: argparse.Namespace) -> int:
    return setting.set_values(paths, arguments.file, arguments.assignment, shows_diff=arguments.diff)


def _del(paths: Paths, arguments: argparse.Namespace) -> int:
    return setting.delete(paths, arguments.file, arguments.key, shows_diff=arguments.diff)


def _cat(paths: Paths, arguments: argparse.Namespace) -> int:
    return shown.cat(paths, arguments.name)


def _edit(paths: Paths, arguments: argparse.Namespace) -> int:
    return shown.edit(paths, arguments.file)


def _clean(paths: Paths, arguments: argparse.Namespace) -> int:
    wanted = {name for name in clean.PARTS if getattr(arguments, name.replace("-", "_"))}
    return clean.clean(paths, wanted, everything=arguments.all, is_forced=arguments.force)


def _patch(paths: Paths, arguments: argparse.Namespace) -> int:
    return patches.run(paths, arguments.name, from_custom=arguments.from_customtt)


def _post_build(_: Paths, arguments: argparse.Namespace) -> int:
    return post_build.run(skips_databases=arguments.no_db_sync)


def _encrypt(paths: Paths, _: argparse.Namespace) -> int:
    from ngcpcfg import locker  # noqa: PLC0415 -- needed seldom, and slow to load

    return locker.encrypt(paths)


def _decrypt(paths: Paths, _: argparse.Namespace) -> int:
    from ngcpcfg import locker  # noqa: PLC0415 -- likewise

    return locker.decrypt(paths)


def _vendor(paths: Paths, arguments: argparse.Namespace) -> int:
    return vendor.update(paths, " ".join(arguments.message))


class _Command(NamedTuple):
    run: Callable[[Paths, argparse.Namespace], int]
    is_exclusive: bool = False


_COMMANDS: Final = {
    "apply": _Command(_apply, is_exclusive=True),
    "build": _Command(_build, is_exclusive=True),
    "cat": _Command(_cat),
    "check": _Command(_check),
    "clean": _Command(_clean, is_exclusive=True),
    "commit": _Command(_commit, is_exclusive=True),
    "decrypt": _Command(_decrypt, is_exclusive=True),
    "del": _Command(_del, is_exclusive=True),
    "edit": _Command(_edit),
    "encrypt": _Command(_encrypt, is_exclusive=True),
    "get": _Command(_get),
    "initialise": _Command(_initialise, is_exclusive=True),
    "patch": _Command(_patch, is_exclusive=True),
    "post-build": _Command(_post_build, is_exclusive=True),
    "services": _Command(_services, is_exclusive=True),
    "set": _Command(_set, is_exclusive=True),
    "status": _Command(_status),
    "vendor": _Command(_vendor, is_exclusive=True),
}


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line; 1 if it was refused."""
    sys.stdout.reconfigure(line_buffering=True)  # type: ignore[union-attr]  # scripts print in between
    os.umask(0o022)
    try:
        return _run(list(sys.argv[1:] if arguments is None else arguments))
    except RenderError as error:
        build.report_failures(error)
    except RefusedError as error:
        for problem in error.problems:
            messages.fail(str(problem))
        if isinstance(error, InvalidError):
            messages.fail("Aborted, please fix issue(s) above and repeat.")
    except OSError as error:
        messages.fail(f"{error.filename}: {error.strerror}")
    except KeyboardInterrupt:
        messages.note("Interrupted. The next 'ngcpcfg apply' does what is left to do.")
    return 1


def _run(words: list[str]) -> int:
    defaults.load(os.environ)
    paths = Paths.from_environment(os.environ)
    words, jobs = split_jobs([OBSOLETE.get(word, word) if i == 0 else word for i, word in enumerate(words)])
    if words and words[0] in GIT_COMMANDS:
        _require_unlocked(paths)
        os.execvp("git", ["git", "-C", str(paths.main), *words])
    parsed, unknown = make_parser().parse_known_args(words)
    if unknown:
        raise RefusedError(f"unsupported option '{unknown[0]}'. Exiting.")
    if os.geteuid() != 0 and "NGCP_TESTSUITE" not in os.environ:
        raise RefusedError("only root may do this")
    parsed.jobs = jobs
    if parsed.debug:
        os.environ["DEBUG"] = "1"
    command = _COMMANDS[parsed.command]
    if parsed.command != "decrypt":
        _require_unlocked(paths)
    if not command.is_exclusive:
        return command.run(paths, parsed)
    with exclusive(paths.run):
        transaction.recover(paths.state)
        Repository(paths.main).outlive_a_killed_git()
        return command.run(paths, parsed)


def _require_unlocked(paths: Paths) -> None:
    if paths.is_locked:
        raise RefusedError("Configuration pool locked.")


if __name__ == "__main__":
    sys.exit(main())
