"""Faces for figures: their crops and truths from packs, and what was predicted for them."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace

import h5py
import numpy as np

from pipeline.datasets.base import FaceAnnotation
from pipeline.evaluation import predictions
from pipeline.evaluation.benchmark import annotation_of
from pipeline.evaluation.chart import Chart
from pipeline.evaluation.shapes import Shape
from pipeline.evaluation.truth import of_annotation
from pipeline.geometry.frames import CropTransform
from pipeline.geometry.resample import to_rgb
from pipeline.io import hdf5
from pipeline.records import PACK
from pipeline.tables.results import Run


@dataclass(frozen=True, eq=False)
class Face:
    """The face of a picture. image: (F, F, 3) uint8 crop; crop: the way to it from the picture; truth: in pixels of the
    picture."""

    image: np.ndarray
    crop: CropTransform
    truth: Shape


def angles_of(runs: Sequence[Run]) -> dict[str, np.ndarray]:
    """Picture -> true pitch, yaw and roll (3,) in degrees of its first face in any run's pack; NaN where unknown."""
    found: dict[str, np.ndarray] = {}
    for path in _packs(runs):
        with hdf5.open_checked(path, PACK) as pack:
            angles = np.degrees(pack["pose_para"][:, :3])
            angles[:, 1] = np.where(np.isnan(angles[:, 1]), pack["yaw_deg"][:], angles[:, 1])
            for picture, own in zip(hdf5.texts(pack["picture"]), angles, strict=True):
                found.setdefault(picture, own)
    return found


def faces_of(runs: Sequence[Run], pictures: Collection[str], chart: Chart) -> dict[str, Face]:
    """The first face of each of these pictures, from the first run's pack that has it; others are left out."""
    found: dict[str, Face] = {}
    for path in _packs(runs):
        with hdf5.open_checked(path, PACK) as pack:
            for row, picture in enumerate(hdf5.texts(pack["picture"])):
                if picture in pictures and picture not in found:
                    found[picture] = _face(pack, row, picture, chart)
    return found


def shapes_of(run: Run, pictures: Collection[str], chart: Chart) -> dict[str, Shape]:
    """What a run of the chain predicted for the first face of each of these pictures, in pixels of the picture; without
    those that failed."""
    found: dict[str, Shape] = {}
    with hdf5.open_checked(run.pack, PACK) as pack:
        for prediction, shape in predictions.shapes(run.predictions, pack, chart):
            if prediction.picture in pictures and prediction.picture not in found:
                found[prediction.picture] = shape
    return {picture: shape for picture, shape in found.items() if shape.finite}


def drawable(runs: Sequence[Run]) -> list[Run]:
    """The runs whose predictions and crops are stored: not those of predictions that were given."""
    return [run for run in runs if run.pack and run.predictions]


def _packs(runs: Sequence[Run]) -> list[str]:
    return list(dict.fromkeys(run.pack for run in drawable(runs)))


def _face(pack: h5py.File, row: int, picture: str, chart: Chart) -> Face:
    annotation = annotation_of(pack, row)
    crop = CropTransform.from_array(pack["transform"][row])
    truth = of_annotation(picture, _without_nan(annotation), chart)
    return Face(to_rgb(pack["image"][row]), crop, truth.shape)


def _without_nan(annotation: FaceAnnotation) -> FaceAnnotation:
    """The annotation; its landmarks alone where the pack does not know all parameters of a face model for it."""
    known = (annotation.pose, annotation.shape, annotation.expression, annotation.camera)
    if all(np.isfinite(part).all() for part in known):
        return annotation
    return replace(annotation, pose=None, shape=None, expression=None, camera=None)
