"""What all measures share."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from pipeline.config import Strict
from pipeline.evaluation.shapes import Shape
from pipeline.evaluation.truth import Truth

Grid = Annotated[int, Field(ge=16, le=512)]


class BaseMeasure(Strict):
    """A settings block of a protocol file with a method that turns a prediction and its truth into one number."""

    @property
    def further(self) -> bool:
        """Whether it compares point sets of the truth that no pack holds, but the data set's annotation files."""
        return False

    def score(self, predicted: Shape, truth: Truth) -> float:
        """The score of one face.

        Raises `Lacking` where the prediction or the truth does not have what is compared, and `Degenerate` for a
        prediction in one place, which nothing can be fitted to.
        """
        raise NotImplementedError
