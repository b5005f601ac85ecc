"""Stored predictions: position maps in pixels of the network's own input, with the way back to the picture."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import h5py
import numpy as np

from pipeline.geometry.frames import CropTransform
from pipeline.io import hdf5
from pipeline.records import Contract, FacemillError, Field

PREDICTIONS = Contract(
    "facemill.predictions",
    1,
    {
        "face": Field("str"),
        "picture": Field("str"),
        "transform": Field("float64", (4,), "k, cx, cy, S: x' = k (x - cx) + (S - 1) / 2"),
        "map": Field("float32", ("S", "S", 3), "pixels of the S x S input, z from the rearmost vertex"),
    },
)


@dataclass(frozen=True, eq=False)
class Prediction:
    """What was predicted for one face.

    position_map: (S, S, 3) in pixels of the S x S input. transform: from the picture to that input.
    """

    face: str
    picture: str
    position_map: np.ndarray
    transform: CropTransform

    def in_picture(self) -> np.ndarray:
        """The map (S, S, 3) float64 in pixels of the source picture: x, y by the inverse similarity, z over k."""
        return self.transform.invert(self.position_map)


def stored(path: Path, pack: h5py.File) -> Iterator[Prediction]:
    """The predictions of a file, one for each face of the pack that they were made from, in its order.

    Raises:
        FacemillError: the file is missing or damaged, or its faces are not the pack's.
    """
    with hdf5.open_checked(path, PREDICTIONS) as file:
        faces, pictures = hdf5.texts(file["face"]), hdf5.texts(file["picture"])
        if faces != hdf5.texts(pack["face"]):
            raise FacemillError(
                f"{path}: its faces are not those of {pack.filename}, so they belong to different runs; delete it "
                "and type: python -m pipeline infer"
            )
        for row, (face, picture) in enumerate(zip(faces, pictures, strict=True)):
            transform = CropTransform.from_array(file["transform"][row])
            yield Prediction(face, picture, file["map"][row], transform)


def constant(position_map: np.ndarray, pack: h5py.File) -> Iterator[Prediction]:
    """The same map (S, S, 3), in pixels of the S x S input, predicted for every face of a pack: the mean face."""
    size = position_map.shape[0]
    faces, pictures = hdf5.texts(pack["face"]), hdf5.texts(pack["picture"])
    for row, (face, picture) in enumerate(zip(faces, pictures, strict=True)):
        transform = CropTransform.from_array(pack["transform"][row]).resized(size)
        yield Prediction(face, picture, position_map, transform)
