"""Where everything lies: the platform's places, each of which the environment may move."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Paths:
    """The directories one run works on."""

    main: Path
    """The configuration and its git repository (NGCPCTL_MAIN)."""

    output: Path
    """The root below which rendered files are written (OUTPUT_DIRECTORY)."""

    state: Path
    """What must survive a reboot: the last build, services that still have to run (STATE_FILES_DIR)."""

    run: Path
    """What must not survive one: the lock, the queue of service actions (RUN_DIR)."""

    vendor: Path
    """The working tree of branch `vendor`, where new versions arrive (NGCPCTL_VENDOR)."""

    @classmethod
    def from_environment(cls, environment: Mapping[str, str]) -> "Paths":
        """Take the platform's places, apart from those the environment names."""
        return cls(
            main=Path(environment.get("NGCPCTL_MAIN", "/etc/ngcp-config")),
            output=Path(environment.get("OUTPUT_DIRECTORY", "/")),
            state=Path(environment.get("STATE_FILES_DIR", "/var/lib/ngcpcfg/state")),
            run=Path(environment.get("RUN_DIR", "/run/ngcpcfg")),
            vendor=Path(environment.get("NGCPCTL_VENDOR", "/var/lib/ngcpcfg/vendor")),
        )

    @property
    def templates(self) -> Path:
        """The pool of templates; the path below it is the path on the node."""
        return self.main / "templates"

    @property
    def archive(self) -> Path:
        """The file that holds a locked configuration."""
        return self.main.with_name(f"{self.main.name}.tgz.pgp")

    @property
    def is_locked(self) -> bool:
        """Tell whether the configuration was encrypted and erased."""
        return self.archive.exists() and not (self.main / ".git").exists()

    @property
    def queue(self) -> Path:
        """The service actions that `ngcp-service --queue` has asked for."""
        return self.run / "services.queue"

    @property
    def reboot_required(self) -> Path:
        """The file by which Debian's packages ask for a reboot."""
        return self.output / "run/reboot-required"

    def on_disk(self, target: str) -> Path:
        """Find the file that a target such as `/etc/hosts` really is, symbolic links followed."""
        return (self.output / target.removeprefix("/")).resolve()
