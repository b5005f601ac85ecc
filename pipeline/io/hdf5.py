"""HDF5 by contract: created, checked on write, and checked again on open.

One chunk is one sample, so that a sample is one read. Nothing here indexes with a list: ``file["image"][i]`` reads
one sample, ``file["image"][:]`` all of them. Files are equal to the byte when their content is.
"""

from __future__ import annotations

import contextlib
import math
import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import h5py
import numpy as np

from pipeline.io.files import atomic_path
from pipeline.io.spill import GuardedFile, Spill
from pipeline.records import Contract, FacemillError, Field


@contextlib.contextmanager
def create(
    path: str | Path,
    contract: Contract,
    count: int,
    sizes: Mapping[str, int] | None = None,
    attributes: Mapping[str, Any] | None = None,
) -> Iterator[h5py.File]:
    """A new file with every dataset of ``contract`` for ``count`` samples, to be filled inside the block.

    ``sizes`` gives the sizes that the contract leaves open, by letter; a kind of truth that it leaves open stands among
    the ``attributes``. The file appears under its name only when the block ends well and the content keeps the
    contract. FacemillError when the disk runs full at any moment of it.
    """
    sizes = dict(sizes or {})
    with atomic_path(path) as temporary:
        _reserve(temporary, contract, count, sizes)
        with contextlib.closing(Spill(temporary)) as spill, GuardedFile(spill) as file:
            file.attrs["contract"] = contract.name
            file.attrs["version"] = contract.version
            if len(contract.truths) == 1:
                file.attrs["truth"] = contract.truths[0]
            for key, value in sorted((attributes or {}).items()):
                file.attrs[key] = value
            create_datasets(file, contract, count, sizes)
            yield file
            check(file, contract, path)
        if spill.error is not None:
            raise spill.error


def create_datasets(
    group: h5py.Group, contract: Contract, count: int, sizes: Mapping[str, int] | None = None
) -> None:
    """The datasets of ``contract`` for ``count`` samples in a file, or in a group of one for samples set aside."""
    for name, spec in contract.fields.items():
        _create_dataset(group, name, spec, count, sizes or {})


def _create_dataset(file: h5py.Group, name: str, spec: Field, count: int, sizes: Mapping[str, int]) -> None:
    shape = (count, *(sizes[s] if isinstance(s, str) else s for s in spec.shape))
    dtype = h5py.string_dtype() if spec.dtype == "str" else np.dtype(spec.dtype)
    chunked = spec.dtype != "str" and count > 0 and len(shape) > 1 and min(shape) > 0
    dataset = file.create_dataset(name, shape, dtype, chunks=(1, *shape[1:]) if chunked else None)
    dataset.attrs["unit"] = spec.unit


def _reserve(path: Path, contract: Contract, count: int, sizes: Mapping[str, int]) -> None:
    """Ask the file system for the room that the samples will take, so that a full disk is found before the work."""
    if not hasattr(os, "posix_fallocate"):
        return
    room = sum(
        count
        * math.prod(sizes[s] if isinstance(s, str) else s for s in spec.shape)
        * np.dtype(spec.dtype).itemsize
        for spec in contract.fields.values()
        if spec.dtype != "str" and not spec.sparse
    )
    with path.open("rb+") as file:
        if room:
            os.posix_fallocate(file.fileno(), 0, room)
        file.truncate(0)


@contextlib.contextmanager
def open_checked(path: str | Path, contract: Contract) -> Iterator[h5py.File]:
    """The file, opened for reading, after its contract was checked; FacemillError says what is wrong and where."""
    path = Path(path)
    if not path.is_file():
        raise FacemillError(f"no file {path}; expected {contract.name} version {contract.version}")
    try:
        file = h5py.File(path, "r")
    except OSError as error:
        raise FacemillError(
            f"{path} is damaged or no HDF5 file ({error}); delete it and run the same command again"
        ) from error
    with file:
        check(file, contract, path)
        yield file


def check(file: h5py.File, contract: Contract, path: str | Path) -> None:
    """Raise FacemillError unless ``file`` keeps ``contract``: name, version, kind of truth, datasets, dtypes, shapes,
    counts."""

    def refuse(where: str, expected: object, found: object) -> None:
        raise FacemillError(
            f"{path}: {where}: expected {expected}, found {found}; delete the file and run the same command again"
        )

    if file.attrs.get("contract") != contract.name:
        refuse("contract", contract.name, file.attrs.get("contract"))
    if int(file.attrs.get("version", 0)) != contract.version:
        refuse("contract version", contract.version, file.attrs.get("version"))
    if contract.truths and file.attrs.get("truth") not in contract.truths:
        refuse("truth", " or ".join(contract.truths), file.attrs.get("truth"))
    count = None
    sizes: dict[str, int] = {}
    for name, spec in contract.fields.items():
        if name not in file:
            refuse("dataset", name, "none of that name")
        dataset = file[name]
        if spec.dtype == "str":
            if h5py.check_string_dtype(dataset.dtype) is None:
                refuse(f"{name} dtype", "text", dataset.dtype)
        elif dataset.dtype != np.dtype(spec.dtype):
            refuse(f"{name} dtype", spec.dtype, dataset.dtype)
        if dataset.ndim != len(spec.shape) + 1:
            refuse(f"{name} shape", ("n", *spec.shape), dataset.shape)
        count = dataset.shape[0] if count is None else count
        if dataset.shape[0] != count:
            refuse(f"{name} samples", count, dataset.shape[0])
        for size, found in zip(spec.shape, dataset.shape[1:], strict=True):
            expected = sizes.setdefault(size, found) if isinstance(size, str) else size
            if expected != found:
                refuse(f"{name} shape", ("n", *spec.shape), dataset.shape)


def texts(dataset: h5py.Dataset) -> list[str]:
    """The strings of a text dataset."""
    return [value.decode() if isinstance(value, bytes) else str(value) for value in dataset[:]]
