"""3DDFA_V2's released network as a system beside ours: every face of a benchmark's pack in its own crops.

It learns nothing here. What it predicts is stored as a network's of the chain that has learnt parameters, in the
labeller's coordinates, so that scores, tables and figures know no difference.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from pipeline.config import TargetSettings
from pipeline.detect.tddfa import Doubt, Label
from pipeline.detect.tddfa_pictures import Face
from pipeline.evaluation.predictions import Answers
from pipeline.geometry.frames import CropTransform, Roi120
from pipeline.io import hdf5
from pipeline.morphable.params62 import COUNT
from pipeline.records import PACK, FacemillError

TARGET = TargetSettings(kind="params", size=Roi120.size)
"""What it predicts: the parameters of its 120 px crop."""


def faces_of_pack(pack: Path, faces: Mapping[str, list[Face]]) -> dict[str, list[Face]]:
    """Of detected faces by picture those that a pack holds; FacemillError where one of these was not detected."""
    with hdf5.open_checked(pack, PACK) as source:
        wanted, pictures = set(hdf5.texts(source["face"])), set(hdf5.texts(source["picture"]))
    found = {picture: [one for one in faces.get(picture, ()) if one[0] in wanted] for picture in pictures}
    missing = wanted - {name for each in found.values() for name, _, _ in each}
    if missing:
        raise FacemillError(
            f"{pack}: expected faces that were detected, found {min(missing)}, which was not; pack and detections "
            "belong to different runs: delete the pack and type: python -m pipeline pack"
        )
    return found


def write_labels(
    labels: Iterable[tuple[str, str, Label | Doubt]],
    pack: Path,
    out: Path,
    answers: Answers,
    attributes: Mapping[str, Any],
) -> None:
    """Write the labels of a pack's faces to `out` as predictions; NaN for a face that could not be cut or read.

    Args:
        labels: face, picture and what the labeller says, in any order.
        answers: of `TARGET`.
    """
    found = {face: label for face, _, label in labels}
    more = {**attributes, **answers.attributes, "landmarks": answers.output.landmarks}
    with hdf5.open_checked(pack, PACK) as source:
        names, pictures = hdf5.texts(source["face"]), hdf5.texts(source["picture"])
        with hdf5.create(out, answers.contract, len(names), attributes=more) as file:
            for row, (face, picture) in enumerate(zip(names, pictures, strict=True)):
                label = found[face]
                if isinstance(label, Label):
                    parameters, crop = label.parameters, label.roi
                else:
                    parameters = np.full(COUNT, np.nan)
                    crop = CropTransform.from_array(source["transform"][row]).resized(TARGET.size)
                file["face"][row], file["picture"][row] = face, picture
                file["params"][row], file["transform"][row] = parameters, crop.to_array()
