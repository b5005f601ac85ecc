"""What every kind of answer offers."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Protocol, TypeAlias

import numpy as np

from pipeline.evaluation.chart import Chart
from pipeline.evaluation.shapes import Shape
from pipeline.geometry.frames import CropTransform
from pipeline.io import hdf5
from pipeline.records import PACK, FacemillError, Field
from pipeline.targets.base import Target

if TYPE_CHECKING:
    import torch

Answer: TypeAlias = "torch.Tensor | Mapping[str, torch.Tensor]"


class Output(Protocol):
    """A kind of answer, made as `OUTPUTS[kind](target, chart)`.

    Attributes:
        fields: the datasets that a file of predictions has of it, in px of the network's S x S input.
        landmarks: how its 68 landmarks are found, in words.
    """

    fields: Mapping[str, Field]
    landmarks: str

    def __init__(self, target: Target, chart: Chart): ...

    def sizes(self, size: int) -> Mapping[str, int]:
        """The sizes that the fields leave open, for a network with inputs of this side."""
        ...

    def store(self, answer: Answer, size: int) -> Iterator[Mapping[str, np.ndarray]]:
        """The datasets of each face of a batch that a network answered, for inputs of this side.

        `FacemillError` for an answer of another form.
        """
        ...

    def shape(self, stored: Mapping[str, np.ndarray], transform: CropTransform) -> Shape:
        """The face that was stored, in pixels of the picture; transform: from the picture to the S x S input."""
        ...

    def mean(self, packs: Sequence[Path]) -> tuple[Mapping[str, np.ndarray], int]:
        """The mean of the training targets as a stored answer, before any augmentation, and the S of its pixels."""
        ...


def require_shape(answer: Answer, shape: tuple[int, ...], kind: str) -> torch.Tensor:
    """The answer; `FacemillError` unless all its axes but the first, the faces, are as they should be."""
    if isinstance(answer, Mapping) or tuple(answer.shape[1:]) != shape:
        found = ", ".join(answer) if isinstance(answer, Mapping) else tuple(answer.shape)
        raise FacemillError(
            f"expected {kind} of shape {('B', *shape)} from the network, found {found}; its settings do not fit its "
            "target"
        )
    return answer


def mean_landmarks(packs: Sequence[Path], size: int) -> np.ndarray:
    """Mean of the true landmarks (68, 3) over all faces of the packs, in px of S x S crops, z from the rearmost one."""

    def placed(file, row: int) -> np.ndarray:
        crop = CropTransform.from_array(file["transform"][row]).resized(size)
        points = crop.apply(file["landmarks68"][row])
        points[:, 2] -= points[:, 2].min()
        return points

    return mean_over(packs, placed)


def mean_over(packs: Sequence[Path], value_of, fields: Mapping[str, Field] | None = None) -> np.ndarray:
    """Mean of `value_of(file, row)`, an array, over all faces of the packs, float64; `FacemillError` without faces."""
    total, count = None, 0
    for path in packs:
        with hdf5.open_checked(path, PACK.extended(**(fields or {}))) as file:
            for row in range(len(file["face"])):
                value = value_of(file, row)
                total = np.array(value, np.float64) if total is None else np.add(total, value, out=total)
                count += 1
    if total is None:
        raise FacemillError(f"mean face: expected training faces in {', '.join(map(str, packs))}, found none")
    return total / count
