"""Stored predictions: what a network answered for each face of a pack, with the way back to the picture."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import h5py
import numpy as np

from pipeline.config import TargetSettings
from pipeline.evaluation.chart import Chart
from pipeline.evaluation.shapes import Shape
from pipeline.geometry.frames import CropTransform
from pipeline.io import hdf5
from pipeline.records import Contract, FacemillError, Field
from pipeline.registry import OUTPUTS, TARGETS

PREDICTIONS = Contract(
    "facemill.predictions",
    2,
    {
        "face": Field("str"),
        "picture": Field("str"),
        "transform": Field(
            "float64", (4,), "k, cx, cy, S: x' = k (x - cx) + (S - 1) / 2, to the network's input"
        ),
    },
)


@dataclass(frozen=True, eq=False)
class Prediction:
    """What was predicted for one face.

    stored: the datasets of its kind of answer, in px of the S x S input. transform: from the picture to that input.
    """

    face: str
    picture: str
    stored: Mapping[str, np.ndarray]
    transform: CropTransform


class Answers:
    """How the answers of networks that have learnt one target are stored and read as faces.

    Args:
        target: its settings.
        chart: of the face model.
    """

    def __init__(self, target: TargetSettings, chart: Chart):
        self.target = target
        self.output = OUTPUTS[target.kind](TARGETS[target.kind](target), chart)

    @classmethod
    def of_file(cls, path: str | Path, chart: Chart) -> Answers:
        """Those of a file of predictions, which says what was learnt."""
        with hdf5.open_checked(path, PREDICTIONS) as file:
            said = json.loads(file.attrs["target"])
        return cls(TargetSettings.model_validate(said), chart)

    @property
    def contract(self) -> Contract:
        """Of a file of such predictions."""
        return PREDICTIONS.extended(**self.output.fields)

    @property
    def attributes(self) -> dict[str, str]:
        """What a file of such predictions says of them."""
        return {"target": self.target.model_dump_json()}

    def stored(self, path: str | Path, pack: h5py.File) -> Iterator[Prediction]:
        """The predictions of a file, one for each face of the pack that they were made from, in its order.

        Raises:
            FacemillError: the file is missing or damaged, or its faces are not the pack's.
        """
        with hdf5.open_checked(path, self.contract) as file:
            faces, pictures = hdf5.texts(file["face"]), hdf5.texts(file["picture"])
            if faces != hdf5.texts(pack["face"]):
                raise FacemillError(
                    f"{path}: its faces are not those of {pack.filename}, so they belong to different runs; delete it "
                    "and type: python -m pipeline infer"
                )
            for row, (face, picture) in enumerate(zip(faces, pictures, strict=True)):
                values = {name: file[name][row] for name in self.output.fields}
                yield Prediction(face, picture, values, CropTransform.from_array(file["transform"][row]))

    def constant(self, stored: Mapping[str, np.ndarray], size: int, pack: h5py.File) -> Iterator[Prediction]:
        """The same answer, in px of an input with this side, for every face of a pack: the mean face."""
        faces, pictures = hdf5.texts(pack["face"]), hdf5.texts(pack["picture"])
        for row, (face, picture) in enumerate(zip(faces, pictures, strict=True)):
            transform = CropTransform.from_array(pack["transform"][row]).resized(size)
            yield Prediction(face, picture, stored, transform)

    def shape(self, prediction: Prediction) -> Shape:
        """The face that was predicted, in pixels of its picture."""
        return self.output.shape(prediction.stored, prediction.transform)


def how_landmarks(path: str | Path) -> str:
    """How the 68 landmarks of a file of predictions were found, in words."""
    with hdf5.open_checked(path, PREDICTIONS) as file:
        return str(file.attrs["landmarks"])


def shapes(path: str | Path, pack: h5py.File, chart: Chart) -> Iterator[tuple[Prediction, Shape]]:
    """Every prediction of a file with its face, in the order of the pack that they were made from."""
    answers = Answers.of_file(path, chart)
    for prediction in answers.stored(path, pack):
        yield prediction, answers.shape(prediction)
