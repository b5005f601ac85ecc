"""A file that HDF5 writes through and that never fails it.

The library cannot close a file that it could not write: it repeats the error from destructors and takes the process
down at exit. So the first error is kept for us, what comes after it goes to memory, and the library closes in peace.
"""

from __future__ import annotations

import io
import os
from pathlib import Path
from typing import Any

import h5py


class Spill(io.RawIOBase):
    """The file at ``path``, emptied, as h5py wants file objects; ``error`` is the first that the system reported.

    From then on nothing reaches the disk, and reads see what was written since. The writer has to look at ``error``
    soon (`GuardedFile` does at each sample), since all of that stays in memory.
    """

    def __init__(self, path: str | Path) -> None:
        super().__init__()
        self.error: OSError | None = None
        self._file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_TRUNC)
        self._position = self._end = 0
        self._kept: list[tuple[int, bytes]] = []

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        """Go to ``offset`` from the beginning, or from the end with SEEK_END; returns the position."""
        self._position = offset + (self._end if whence == os.SEEK_END else 0)
        return self._position

    def readinto(self, buffer: Any) -> int:
        """Fill ``buffer`` from the position on; zeros where nothing was written."""
        view = memoryview(buffer).cast("B")
        start, size = self._position, len(view)
        stored = os.pread(self._file, size, start)
        view[:] = stored + bytes(size - len(stored))
        for place, data in self._kept:
            low, high = max(start, place), min(start + size, place + len(data))
            if low < high:
                view[low - start : high - start] = data[low - place : high - place]
        return size

    def write(self, data: Any) -> int:
        """Write at the position; all of it, or to memory once the file has failed."""
        view = memoryview(data).cast("B")
        self._end = max(self._end, self._position + len(view))
        if self.error is None:
            try:
                done = 0
                while done < len(view):
                    done += os.pwrite(self._file, view[done:], self._position + done)
            except OSError as error:
                self.error = error
        if self.error is not None:
            self._kept.append((self._position, bytes(view)))
        return len(view)

    def truncate(self, size: int | None = None) -> int:
        """Cut or lengthen the file to ``size`` bytes."""
        self._end = self._position if size is None else size
        if self.error is None:
            try:
                os.ftruncate(self._file, self._end)
            except OSError as error:
                self.error = error
        return self._end

    def close(self) -> None:
        """Close the file; an error of the system shows in ``error``."""
        if self.closed:
            return
        super().close()
        try:
            os.close(self._file)
        except OSError as error:
            self.error = self.error or error


class GuardedFile(h5py.File):
    """A new HDF5 file on a `Spill`: to ask it for a dataset raises the error that the system reported, if any."""

    def __init__(self, spill: Spill) -> None:
        self._spill = spill
        super().__init__(spill, "w")

    def __getitem__(self, name: Any) -> Any:
        if self._spill.error is not None:
            raise self._spill.error
        return super().__getitem__(name)
