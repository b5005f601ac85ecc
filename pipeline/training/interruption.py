"""SIGTERM as a flag: a training that a cluster stops saves its state first."""

from __future__ import annotations

import signal
from types import FrameType


class Termination:
    """True once SIGTERM has come; inside its block the signal only sets the flag. For the main thread."""

    def __init__(self) -> None:
        self.raised = False

    def __bool__(self) -> bool:
        return self.raised

    def __enter__(self) -> Termination:
        self._previous = signal.signal(signal.SIGTERM, self._raise)
        return self

    def __exit__(self, *_: object) -> None:
        signal.signal(signal.SIGTERM, self._previous)

    def _raise(self, number: int, frame: FrameType | None) -> None:
        self.raised = True
