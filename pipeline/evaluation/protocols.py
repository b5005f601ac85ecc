"""Protocols: how a figure is made, as data. Adding one is adding one file to the folder `protocols/`."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import pairwise
from pathlib import Path
from typing import Annotated, Any, Literal

import numpy as np
import yaml
from pydantic import AfterValidator, Field, ValidationError, model_validator

from pipeline.config import Strict
from pipeline.evaluation.measures import Measure
from pipeline.evaluation.shapes import Degenerate, Shape
from pipeline.evaluation.truth import Truth
from pipeline.metrics.summary import YAW_BINS
from pipeline.records import FacemillError
from pipeline.registry import unknown

FOLDER = Path(__file__).parent / "protocols"
UNITS = {"pose": "deg", "volume": "1"}
"""Kind of a measure -> the unit of its scores; all others are per cent."""


def _rising(bins: dict[str, float]) -> dict[str, float]:
    """The bins by their bounds: JSON sorts them by name."""
    bounds = sorted(bins.values())
    if not all(low < high for low, high in pairwise([0.0, *bounds])):
        raise ValueError(f"expected different upper bounds in degrees, above 0; found {bounds}")
    return dict(sorted(bins.items(), key=lambda item: item[1]))


class Protocol(Strict):
    """One way to score a face, and one way to make a figure of many scores.

    A figure names its protocol; two figures of different protocols are never compared.
    """

    id: str = Field(description="the file's name; a variant of another protocol adds a suffix to its id")
    title: str = Field(description="one line for tables")
    unit: Literal["%", "deg", "1"] = Field(description="of the score; 1: a share")
    better: Literal["lower", "higher"] = "lower"
    worst: float = Field(ge=0, description="score of a picture without a usable prediction")
    limit: float = Field(
        10.0, gt=0, description="right end of the error curve; beyond it a picture has failed"
    )
    paper: str = Field("", description="whose figure it is: paper and table, or ours")
    source: str = Field("", description="script or text that the recipe follows, and what differs")
    uncertain: str = Field("", description="what about the recipe nobody can confirm; empty: nothing")
    crops: str = Field("any", description="what the paper's own predictions were cropped by")
    yaw: Literal["fitted", "aflw"] = Field(
        "fitted", description="list of true yaws that sorts pictures into bins: of the fitted pose, or AFLW's"
    )
    bins: Annotated[dict[str, float], AfterValidator(_rising)] = Field(
        dict(YAW_BINS),
        description="name -> upper bound of |yaw| in degrees, itself in the bin; the last takes all beyond; {}: none",
    )
    exclude_beyond: float | None = Field(
        None, description="leave out faces with a true pitch, yaw or roll beyond it, degrees"
    )
    aggregate: Literal["balanced", "plain"] = Field(
        "balanced",
        description="the figure that the paper prints: mean of the bins' means, or mean over pictures",
    )
    beside: str | None = Field(
        None, description="protocol by known correspondence whose figure belongs beside this one"
    )
    default: float | None = Field(
        None, description="place among the protocols that are scored by default; none: it is not among them"
    )
    place: int = Field(0, ge=0, description="among the protocols of a run; the chain sets it")
    measure: Measure

    @model_validator(mode="after")
    def _fits(self) -> Protocol:
        if not self.bins and self.aggregate == "balanced":
            raise ValueError("aggregate: expected plain where there are no bins to balance, found balanced")
        unit = UNITS.get(self.measure.kind, "%")
        if self.unit != unit:
            raise ValueError(
                f"unit: expected {unit!r} for a measure of kind {self.measure.kind}, found {self.unit!r}"
            )
        if self.beside is not None and self.beside not in names():
            raise ValueError(f"beside: {unknown('protocol', self.beside, names())}")
        return self

    @property
    def further(self) -> bool:
        """Whether it needs points or yaws of the truth that stand in the data set's annotation files alone."""
        return self.measure.further or self.yaw != "fitted"

    def leaves_out(self, truth: Truth) -> bool:
        """Whether the face does not count, whatever is predicted; never where its angles are unknown (NaN)."""
        beyond = np.abs(np.degrees(truth.angles)).max()
        return self.exclude_beyond is not None and bool(beyond > self.exclude_beyond)

    def score(self, predicted: Shape, truth: Truth) -> float:
        """The score of one face; `Lacking` where the prediction or the truth does not have what is compared.

        A prediction that cannot be measured (all its points in one place) gets the worst score.
        """
        try:
            return self.measure.score(predicted, truth)
        except Degenerate:
            return self.worst


def names() -> list[str]:
    """The ids of the shipped protocols, sorted."""
    return sorted(path.stem for path in FOLDER.glob("*.yaml"))


def load(name: str) -> Protocol:
    """The protocol of the file with this name.

    Raises:
        FacemillError: no such file (with the list and a suggestion), or a file that is no protocol.
    """
    path = FOLDER / f"{name}.yaml"
    if not path.is_file():
        raise FacemillError(unknown("protocol", name, names()))
    try:
        content = yaml.safe_load(path.read_text(encoding="utf-8"))
    except yaml.YAMLError as error:
        raise FacemillError(f"{path} is not YAML: {' '.join(str(error).split())}") from error
    return parse(name, content)


def ordered(contents: Mapping[str, Any]) -> list[Protocol]:
    """The protocols of id -> content, by their places."""
    return sorted((parse(name, content) for name, content in contents.items()), key=lambda one: one.place)


def parse(name: str, content: Any) -> Protocol:
    """The protocol that a file's content describes; FacemillError says what is wrong with it."""
    where = f"protocol {name} ({FOLDER.name}/{name}.yaml)"
    if not isinstance(content, Mapping):
        raise FacemillError(f"{where}: expected a mapping of settings, found {type(content).__name__}")
    try:
        return Protocol(id=name, **content)
    except ValidationError as error:
        problems = "; ".join(_explained(each) for each in error.errors())
        raise FacemillError(f"{where}: {problems}") from error


def _explained(error: Mapping[str, Any]) -> str:
    """One error of a file's content: where, what was expected, what was found."""
    place = ".".join(str(part) for part in error["loc"])
    message = error["msg"].removeprefix("Value error, ")
    found = "" if error["type"] in ("missing", "value_error") else f", found {error.get('input')!r}"
    return f"{place}: {message}{found}" if place else f"{message}{found}"
