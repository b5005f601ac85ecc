"""Checkpoints that others have published: the names and shapes that their public code gives, turned into our weights.

Each has a text file here, `<name>.txt`. It begins with lines `# key: value`, among them `repository`, `commit` and
`files` (the code that the names were read from), and may have `ignored` (patterns of names that a checkpoint may hold
and a network has no use for, as an optimiser's state). Then one tensor a line: its name, and its shape as 64x3x7x7, or
`scalar`. The names come from the public code, never from our network, so that a wrong layer of ours is found.

Beside it stands a module with the converter, `@PUBLISHED.register("<model>")`: a function
`convert(found, path, statistics) -> Converted`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from functools import cache
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
from torch import Tensor

from pipeline.records import FacemillError

FOLDER = Path(__file__).parent
PARALLEL = "module."
"""What ``DataParallel`` puts before every name."""
SHOWN = 5
T = TypeVar("T", Tensor, np.ndarray)


@dataclass(frozen=True)
class Converted:
    """A checkpoint in our terms: ``settings`` are the keywords of the registered network, ``tensors`` its state by
    name (counts of batches, which are no weights, may be left out), ``source`` the row of
    `pipeline/datasets/sources.tsv` under whose licence it stands."""

    source: str
    tensors: dict[str, Tensor]
    settings: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class KeyTable:
    """What the public code says that a checkpoint holds: ``shapes`` by name in the order of the file, and the head."""

    name: str
    head: dict[str, str]
    shapes: dict[str, tuple[int, ...]]

    def take(self, found: Mapping[str, T], path: str | Path) -> dict[str, T]:
        """The tensors (or arrays) of the table, in its order, from those found in ``path``; without ``module.`` before
        the names. What the table does not list is not read.

        Raises FacemillError when names are missing, when the file holds others that the head does not ignore, or when
        a shape differs; it says which.
        """
        named = {name.removeprefix(PARALLEL): name for name in found}
        missing = [name for name in self.shapes if name not in named]
        extra = [name for name in named if name not in self.shapes and not self._ignored(name)]
        if missing or extra:
            lines = [f"{path}: expected the {len(self.shapes)} tensors of {self.of}"]
            lines += [f"missing: {_some(missing)}"] if missing else []
            lines += [f"left over: {_some(extra)}"] if extra else []
            raise FacemillError("; ".join(lines))
        taken = {name: found[named[name]] for name in self.shapes}
        for name, shape in self.shapes.items():
            if tuple(taken[name].shape) != shape:
                raise FacemillError(
                    f"{path}: expected {name} of shape {shape} ({self.of}), found {tuple(taken[name].shape)}"
                )
        return taken

    def _ignored(self, name: str) -> bool:
        return any(fnmatchcase(name, pattern) for pattern in self.head.get("ignored", "").split())

    @property
    def of(self) -> str:
        """The code that the names come from, in words."""
        return f"{self.head['repository']} at {self.head['commit'][:10]}"


@cache
def key_table(name: str) -> KeyTable:
    """The table `<name>.txt` of this folder."""
    path = FOLDER / f"{name}.txt"
    head: dict[str, str] = {}
    shapes: dict[str, tuple[int, ...]] = {}
    for line in path.read_text(encoding="utf-8").splitlines():
        if line.startswith("#"):
            key, colon, value = line[1:].partition(": ")
            if colon:
                head[key.strip()] = value.strip()
        elif line.strip():
            key, shape = line.split()
            if key in shapes:
                raise FacemillError(f"{path}: {key} stands there twice")
            shapes[key] = () if shape == "scalar" else tuple(map(int, shape.split("x")))
    lacking = {"repository", "commit", "files"} - set(head)
    if lacking or not shapes:
        raise FacemillError(
            f"{path}: expected a head with repository, commit and files, and one tensor a line"
        )
    return KeyTable(name, head, shapes)


def _some(names: list[str]) -> str:
    more = len(names) - SHOWN
    return ", ".join(names[:SHOWN]) + (f" and {more} more" if more > 0 else "")
