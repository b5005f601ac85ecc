"""Protocols: how a figure is made, as data. Adding one is adding one file to the folder `protocols/`."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any, Literal

import yaml
from pydantic import Field, ValidationError

from pipeline.config import Strict
from pipeline.evaluation.measures import Face, Measure
from pipeline.records import FacemillError
from pipeline.registry import unknown

FOLDER = Path(__file__).parent / "protocols"


class Protocol(Strict):
    """One way to score a face.

    A figure names its protocol; two figures of different protocols are never compared.
    """

    id: str = Field(description="the file's name; a variant of another protocol adds a suffix to its id")
    title: str = Field(description="one line for tables")
    unit: Literal["%", "deg"] = Field(description="of the score")
    worst: float = Field(gt=0, description="score of a picture without a usable prediction")
    source: str = Field(description="paper or script that the recipe follows, and what differs")
    measure: Measure

    def score(self, face: Face) -> float | None:
        """The score of one face, lower is better; None where the protocol leaves the face out.

        A prediction that cannot be measured (all its points in one place) gets the worst score.
        """
        value = self.measure.score(face)
        return self.worst if value == math.inf else value


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


def parse(name: str, content: Any) -> Protocol:
    """The protocol that a file's content describes; FacemillError says what is wrong with it."""
    try:
        return Protocol(id=name, **content)
    except (ValidationError, TypeError) as error:
        raise FacemillError(f"protocol {name}: {' '.join(str(error).split())}") from error
