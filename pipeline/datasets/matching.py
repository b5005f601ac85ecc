"""The cropped faces of a picture, and which of its annotations belongs to each."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from pipeline.datasets.base import AnnotationProblem, FaceAnnotation
from pipeline.geometry.boxes import box_area, iou, landmark_box
from pipeline.geometry.frames import CropTransform
from pipeline.io import hdf5
from pipeline.records import CROPS, DETECTIONS, Reason

MATCH_IOU = 0.3
"""A face and an annotation belong together when the boxes of their landmarks overlap by at least this much. It tells
faces apart; how far the landmarks are off does not count."""

Found = FaceAnnotation | AnnotationProblem


@dataclass(frozen=True, eq=False)
class Cropped:
    """The cropped faces of one picture: rows in the crops file, names, detected landmark boxes (n, 4; NaN where the
    whole picture is the face), transforms, and the picture's height in px."""

    rows: list[int]
    faces: list[str]
    boxes: np.ndarray
    transforms: list[CropTransform]
    height: int


def read_crops(crops: str, detections: str) -> Iterator[tuple[str, Cropped]]:
    """Each picture of a shard with its cropped faces, in the order of the crops file."""
    with hdf5.open_checked(detections, DETECTIONS) as file:
        landmarks = dict(zip(hdf5.texts(file["face"]), file["landmarks68"][:], strict=True))
    with hdf5.open_checked(crops, CROPS) as file:
        faces, pictures = hdf5.texts(file["face"]), hdf5.texts(file["picture"])
        transforms = [CropTransform.from_array(values) for values in file["transform"][:]]
        heights = file["picture_size"][:, 0]
    index: dict[str, list[int]] = {}
    for k, picture in enumerate(pictures):
        index.setdefault(picture, []).append(k)
    for picture, rows in index.items():
        boxes = np.stack([landmark_box(landmarks[faces[k]]) for k in rows])
        yield (
            picture,
            Cropped(
                rows, [faces[k] for k in rows], boxes, [transforms[k] for k in rows], int(heights[rows[0]])
            ),
        )


def match(
    boxes: np.ndarray, annotations: Sequence[Found], points_of: Callable[[FaceAnnotation], np.ndarray]
) -> list[Found]:
    """For each face of a picture its annotation, or why it has none.

    Pairs are made greedily by the overlap of boxes, best first, each annotation used once. A face that is the whole
    picture takes the largest annotated face. A face without a partner gets the problem of a broken annotation of its
    picture, if there is one.

    Args:
        boxes: (n, 4) the detected landmarks' boxes; NaN where the whole picture is the face.
        annotations: of the picture, what each of its files holds or what is wrong with it.
        points_of: the points (K, 2|3) image px of an annotation that its box is drawn about.
    """
    good = [a for a in annotations if isinstance(a, FaceAnnotation)]
    broken = [a for a in annotations if isinstance(a, AnnotationProblem)]
    if not annotations:
        nothing = AnnotationProblem(
            Reason.ANNOTATION_MISSING, "the data set has no annotation for this picture"
        )
    elif broken:
        nothing = broken[0]
    else:
        nothing = AnnotationProblem(Reason.UNMATCHED, f"none of {len(good)} annotated faces overlaps with it")
    found: list[Found] = [nothing] * len(boxes)
    if not good:
        return found
    annotated = np.stack([landmark_box(points_of(a)) for a in good])
    if not np.isfinite(boxes).all():
        return [good[int(np.argmax(box_area(annotated)))]] * len(boxes)
    overlap = iou(boxes, annotated)
    while overlap.max() >= MATCH_IOU:
        face, annotation = np.unravel_index(np.argmax(overlap), overlap.shape)
        found[face] = good[annotation]
        overlap[face], overlap[:, annotation] = -1.0, -1.0
    return found
