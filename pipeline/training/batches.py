"""Samples of packs by number, and which of them make the batch of an update."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import h5py
import numpy as np

from pipeline.geometry.frames import CropTransform
from pipeline.io import hdf5
from pipeline.records import PACK, FacemillError
from pipeline.seeding import rng
from pipeline.targets.base import Target

Source = Mapping[str, h5py.Dataset | np.ndarray]


class Row(Mapping[str, np.ndarray]):
    """The datasets of one sample, each read when it is asked for."""

    def __init__(self, source: Source, row: int, names: Sequence[str]):
        self._source, self._row, self._names = source, row, names

    def __getitem__(self, name: str) -> np.ndarray:
        return self._source[name][self._row]

    def __iter__(self) -> Iterator[str]:
        return iter(self._names)

    def __len__(self) -> int:
        return len(self._names)


@dataclass(frozen=True, eq=False)
class Sample:
    """One face of a pack.

    Attributes:
        image: (F, F, C) uint8 crop.
        points: (68, 2) detected landmarks px of the crop, NaN where the detector looked for none.
        landmarks: (68, 3) true landmarks px of the crop.
        stored: the target's datasets, as the pack has them.
    """

    image: np.ndarray
    points: np.ndarray
    landmarks: np.ndarray
    stored: Mapping[str, np.ndarray]


class Packs:
    """The samples of one or more packs, one after the other; without a target none of their truth is looked at.

    A pack whose images and targets take at most ``memory_limit_mb`` is read whole, but for what only some samples
    have; of a larger one each sample is a read of its own (a list of indices would be hundreds of times slower).
    `FacemillError` for a pack that breaks its contract.
    """

    def __init__(self, paths: Sequence[str | Path], target: Target | None, memory_limit_mb: int):
        self.target = target
        self._fields = {} if target is None else target.fields
        self._open = ExitStack()
        self._sources: list[Source] = []
        names = ["image", "detected68", "landmarks68", "transform", *self._fields]
        sparse = {name for name, field in self._fields.items() if field.sparse}
        for path in paths:
            file = self._open.enter_context(hdf5.open_checked(path, PACK.extended(**self._fields)))
            source = {name: file[name] for name in names}
            if (
                sum(d.size * d.dtype.itemsize for name, d in source.items() if name not in sparse)
                <= memory_limit_mb << 20
            ):
                source = {name: d if name in sparse else d[:] for name, d in source.items()}
            self._sources.append(source)
        self._ends = np.cumsum([len(source["image"]) for source in self._sources])

    def __len__(self) -> int:
        return int(self._ends[-1]) if len(self._ends) else 0

    def __getitem__(self, index: int) -> tuple[np.ndarray, np.ndarray]:
        """Crop (F, F, C) uint8 and decoded target of one sample."""
        source, row = self._place(index)
        return source["image"][row], self.target.decode(Row(source, row, list(self._fields)))

    def sample(self, index: int) -> Sample:
        """All that is known of one sample."""
        source, row = self._place(index)
        crop = CropTransform.from_array(source["transform"][row])
        return Sample(
            source["image"][row],
            crop.apply(source["detected68"][row]),
            crop.apply(source["landmarks68"][row]),
            Row(source, row, list(self._fields)),
        )

    def _place(self, index: int) -> tuple[Source, int]:
        if not 0 <= index < len(self):
            raise IndexError(index)
        which = int(np.searchsorted(self._ends, index, side="right"))
        return self._sources[which], index - (int(self._ends[which - 1]) if which else 0)

    @property
    def channels(self) -> int | None:
        """C of the crops: 3, or 1 for a gray frame; None without packs."""
        return self._sources[0]["image"].shape[3] if self._sources else None

    def close(self) -> None:
        """Close the files."""
        self._open.close()


def chosen(update: int, batch_size: int, samples: int, seed: int) -> list[int]:
    """The samples of update ``update``: every epoch is a permutation of its own, and a batch may span two.

    `FacemillError` without samples.
    """
    if samples < 1:
        raise FacemillError(
            "expected at least one training sample, found none; see the ledger for what was reaped"
        )
    places = range(update * batch_size, (update + 1) * batch_size)
    return [int(_order(seed, place // samples, samples)[place % samples]) for place in places]


@lru_cache(maxsize=4)
def _order(seed: int, epoch: int, samples: int) -> np.ndarray:
    return rng("order", seed, epoch).permutation(samples)
