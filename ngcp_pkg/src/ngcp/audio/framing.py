"""Cut a stream of samples into frames of one length."""


class Framer:
    """Collects samples until there is a frame of them."""

    def __init__(self, size: int) -> None:
        """Cut frames of `size` bytes."""
        self.size = size
        self._held = b""

    def __call__(self, samples: bytes) -> list[bytes]:
        """Return the frames that `samples` complete."""
        held = self._held + samples
        end = len(held) - len(held) % self.size
        self._held = held[end:]
        return [held[start : start + self.size] for start in range(0, end, self.size)]

    @property
    def held(self) -> int:
        """Bytes that wait for the rest of their frame."""
        return len(self._held)

    def flush(self) -> bytes:
        """Return and forget what waits, filled up with silence; nothing if nothing does."""
        held, self._held = self._held, b""
        return held.ljust(self.size, b"\0") if held else b""
