"""Batches made ahead of the updates that use them: by a thread, or by processes where a GPU would wait for one."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, closing
from typing import Protocol

import cv2
import torch
from torch.utils.data import DataLoader, Dataset

from pipeline.records import FacemillError

AHEAD = 2
"""Batches that each worker has ready."""

Batch = dict[str, torch.Tensor]


class Source(Protocol):
    """What makes batches: a `training.loop.Task`."""

    def batch(self, update: int) -> Batch:
        """The batch of one update, a pure function of its number."""


class Prefetch:
    """A context in which batches are made ahead, the same whoever makes them; whoever does has stopped at its end.

    workers: processes that make them; 0: a thread makes the next one while the last is used. pinned: whether those of
    processes lie in page-locked memory, from which a GPU copies beside its work.
    """

    def __init__(self, source: Source, workers: int, pinned: bool = False):
        self._source, self._workers, self._pinned = source, workers, pinned
        self._open = ExitStack()

    def __enter__(self) -> Prefetch:
        return self

    def __exit__(self, *problem: object) -> None:
        self._open.close()

    def batches(self, first: int, end: int) -> Iterator[Batch]:
        """The batches of updates ``first`` to ``end`` - 1 in their order; what fails in making one is raised here."""
        made = self._of_processes if self._workers else self._of_a_thread
        return self._open.enter_context(closing(made(range(first, end))))

    def _of_a_thread(self, updates: range) -> Iterator[Batch]:
        with ThreadPoolExecutor(1) as pool:
            following = None
            for update in updates:
                batch = following.result() if following else self._source.batch(update)
                following = pool.submit(self._source.batch, update + 1) if update + 1 in updates else None
                yield batch

    def _of_processes(self, updates: range) -> Iterator[Batch]:
        loader = DataLoader(
            _Updates(self._source),
            batch_size=None,
            sampler=updates,
            num_workers=self._workers,
            prefetch_factor=AHEAD,
            multiprocessing_context="fork",
            worker_init_fn=_begin,
            pin_memory=self._pinned,
            generator=torch.Generator(),  # and not torch's own, from which layers draw
        )
        made = iter(loader)
        try:
            for batch in made:
                if isinstance(batch, FacemillError):
                    raise batch
                yield batch
        finally:
            _end(made)


class _Updates(Dataset):
    """Batches by update; in place of one that cannot be made, the reason, which would else come back as a traceback."""

    def __init__(self, source: Source):
        self.source = source

    def __getitem__(self, update: int) -> Batch | FacemillError:
        try:
            return self.source.batch(update)
        except FacemillError as problem:
            return problem


def _begin(worker: int) -> None:
    """For a worker: signals to the whole group are for the training, which ends it; and OpenCV starts no threads, since
    its own do not survive a fork."""
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, signal.SIG_IGN)
    cv2.setNumThreads(0)


def _end(made: Iterator[Batch]) -> None:
    """End the workers now: torch would when what ended the run is collected, and only those that listen."""
    made._shutdown_workers()
    for worker in made._workers:
        if worker.is_alive():
            worker.kill()
            worker.join()
