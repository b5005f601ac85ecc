"""A prediction that is the truth, moved or disturbed by known amounts, whatever a protocol compares."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from pipeline.evaluation.shapes import Shape
from pipeline.evaluation.truth import Truth
from pipeline.morphable import MorphableModel

Move = Callable[[np.ndarray], np.ndarray]


class Moved(Shape):
    """The true shape with a function applied to every point set.

    Args:
        truth: of the picture.
        move: points (K, 2 or 3) in 0-based pixels of the picture -> moved points of the same shape.
        turn: (3, 3) rotation by which the camera is turned, y up.
        origin: number of the first pixel in the file that the prediction is said to come from.
    """

    what = "the truth, moved"

    def __init__(
        self, truth: Truth, move: Move = np.asarray, turn: np.ndarray | None = None, origin: int = 1
    ) -> None:
        self._truth = truth.shape
        self._move = move
        self._turn = np.eye(3) if turn is None else turn
        self.origin = origin
        self.named = {name: move(points) for name, points in truth.shape.named.items()}

    @property
    def model(self) -> MorphableModel:
        return self._truth.model

    def landmarks(self) -> np.ndarray:
        return self._move(self._truth.landmarks())

    def face(self, grid: int) -> np.ndarray:
        return self._move(self._truth.face(grid))

    def vertices(self, part: str) -> np.ndarray:
        return self._move(self._truth.vertices(part))

    def camera(self) -> np.ndarray:
        return self._turn @ self._truth.camera()
