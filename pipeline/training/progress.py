"""What a person sees while a training runs: a line with rate and time left, and TensorBoard where asked for."""

from __future__ import annotations

import sys
import time
from pathlib import Path
from typing import TextIO

from pipeline.records import FacemillError


class Progress:
    """Prints one line now and then; measures the rate over this process's own updates.

    Args:
        updates: the whole budget.
        done: updates that an earlier process did.
        batch_size: samples of one update.
        stream: where the lines go.
        quiet: no lines, as of all processes but the first.
    """

    def __init__(
        self, updates: int, done: int, batch_size: int, stream: TextIO | None = None, *, quiet: bool = False
    ) -> None:
        self.updates, self.done, self.batch_size, self.quiet = updates, done, batch_size, quiet
        self.stream = stream or sys.stderr
        self.begun = time.monotonic()

    @property
    def seconds(self) -> float:
        """Wall-clock seconds since this process began to train."""
        return time.monotonic() - self.begun

    def say(self, words: str) -> None:
        """Print ``words`` as a line."""
        if not self.quiet:
            print(words, file=self.stream, flush=True)

    def line(self, update: int, words: str) -> None:
        """Print ``words`` with the position, the rate and the time left after ``update`` updates."""
        rate = (update - self.done) / max(self.seconds, 1e-9)
        left = (self.updates - update) / rate if rate > 0 else 0.0
        self.say(
            f"update {update}/{self.updates}  {words}  {rate * self.batch_size:.1f} samples/s  "
            f"{int(left) // 60}:{int(left) % 60:02d} left"
        )


class Board:
    """Scalars for TensorBoard in ``folder``; does nothing, and imports nothing, where ``wanted`` is False."""

    def __init__(self, folder: Path, wanted: bool) -> None:
        self.writer = None
        if wanted:
            try:
                from torch.utils.tensorboard import SummaryWriter
            except ImportError as error:
                raise FacemillError(
                    "training.tensorboard is on, but tensorboard is not installed; type: pip install tensorboard"
                ) from error
            self.writer = SummaryWriter(str(folder))

    def scalars(self, update: int, values: dict[str, float]) -> None:
        """Record ``values`` at ``update``."""
        for name, value in values.items() if self.writer else ():
            self.writer.add_scalar(name, value, update)

    def close(self) -> None:
        """Write out what is left."""
        if self.writer:
            self.writer.close()
