"""ground_truth: annotations -> dense vertices -> targets in the crop's frame. One job is a shard of crops."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import h5py
import numpy as np

from pipeline.config import TargetSettings
from pipeline.datasets.base import AnnotationProblem, FaceAnnotation, Reader
from pipeline.datasets.plausible import checked
from pipeline.geometry.boxes import box_area, iou, landmark_box
from pipeline.geometry.frames import CropTransform
from pipeline.io import hdf5
from pipeline.io.files import expand
from pipeline.io.tables import read_tsv, write_status
from pipeline.morphable import MorphableModel, load_face_model
from pipeline.records import CROPS, DETECTIONS, GROUND_TRUTH, LABELS, SOURCE_COLUMNS, Reason, StatusRow
from pipeline.registry import DATASETS, TARGETS
from pipeline.targets.base import Context, Target

MATCH_IOU = 0.3
"""A face and an annotation belong together when the boxes of their landmarks overlap by at least this much. It tells
faces apart; how far the landmarks are off does not count."""


@dataclass(frozen=True, eq=False)
class Cropped:
    """The cropped faces of one picture: rows in the crops file, names, detected landmark boxes (n, 4; NaN where the
    whole picture is the face), transforms, and the picture's height in px."""

    rows: list[int]
    faces: list[str]
    boxes: np.ndarray
    transforms: list[CropTransform]
    height: int


TruthOf = Callable[[str, Cropped], Sequence[FaceAnnotation | AnnotationProblem | None]]
"""A picture and its cropped faces -> for each its truth, why it has none, or None where an earlier stage said why."""


@dataclass(frozen=True, eq=False)
class Truth:
    """One face's truth: row of its crop, annotation, landmarks (68, 3) image px, and the target's datasets."""

    face: str
    picture: str
    row: int
    annotation: FaceAnnotation
    landmarks: np.ndarray
    stored: dict[str, np.ndarray]
    transform: CropTransform


def run(
    *,
    inputs: Mapping[str, Any],
    outputs: Mapping[str, str],
    settings: Mapping[str, Any],
    wildcards: Mapping[str, str],
    attributes: Mapping[str, str],
) -> None:
    """Make the targets of one shard: `inputs` source, detections, crops and, for a data set whose truth is the
    labeller's, labels; `outputs` ground_truth (h5), status (tsv); `settings` face_model, target and, for annotations,
    root, reader. Faces that the labeller refused have no row here."""
    model = load_face_model(**settings["face_model"])
    target = TARGETS[settings["target"]["kind"]](TargetSettings.model_validate(settings["target"]))
    truth_of = _labelled(inputs, model) if "labels" in inputs else _annotated(inputs, settings, model)
    truths: list[Truth] = []
    status: list[StatusRow] = []
    for picture, cropped in read_crops(inputs["crops"], inputs["detections"]):
        for k, found in enumerate(truth_of(picture, cropped)):
            if found is None:
                continue
            result = make(picture, cropped, k, found, model, target)
            if isinstance(result, Truth):
                truths.append(result)
                result = StatusRow(result.face, picture, "ground_truth")
            status.append(result)
    with _create(outputs["ground_truth"], truths, target, attributes) as file:
        for k, truth in enumerate(truths):
            _write(file, k, truth)
    write_status(outputs["status"], status)


def _annotated(inputs: Mapping[str, Any], settings: Mapping[str, Any], model: MorphableModel) -> TruthOf:
    """The truth of a picture's faces from the data set's annotation files."""
    root = expand(settings["root"])
    reader = DATASETS[settings["reader"]]()
    rows = {row["id"]: row for row in read_tsv(inputs["source"], SOURCE_COLUMNS)}

    def of(picture: str, cropped: Cropped) -> Sequence[FaceAnnotation | AnnotationProblem]:
        paths = [root / path for path in rows[picture]["annotations"].split(";") if path]
        return match(cropped, read_annotations(reader, paths, cropped.height, model), model)

    return of


def _labelled(inputs: Mapping[str, Any], model: MorphableModel) -> TruthOf:
    """The truth of a picture's faces from the labeller, by their names; None for a face that it refused."""
    labels = read_labels(inputs["labels"])

    def of(picture: str, cropped: Cropped) -> list[FaceAnnotation | AnnotationProblem | None]:
        return [
            _checked(labels[face], model, f"label of {face}") if face in labels else None
            for face in cropped.faces
        ]

    return of


def read_labels(path: str) -> dict[str, FaceAnnotation]:
    """The labels of a shard by face, as annotations without points of their own."""
    with hdf5.open_checked(path, LABELS) as file:
        columns = [
            file[name][:] for name in ("pose_para", "shape_para", "exp_para", "image_height", "camera")
        ]
        return {
            face: FaceAnnotation(pose, shape, expression, int(height), camera=camera)
            for face, pose, shape, expression, height, camera in zip(
                hdf5.texts(file["face"]), *columns, strict=True
            )
        }


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


def read_annotations(
    reader: Reader, paths: Sequence[Path], height: int, model: MorphableModel
) -> list[FaceAnnotation | AnnotationProblem]:
    """What each annotation file of a picture holds, or what is wrong with it."""
    found: list[FaceAnnotation | AnnotationProblem] = []
    for path in paths:
        try:
            found.append(_checked(reader.annotation(path, height), model, path.name))
        except AnnotationProblem as problem:
            found.append(problem)
    return found


def _checked(
    annotation: FaceAnnotation, model: MorphableModel, name: str
) -> FaceAnnotation | AnnotationProblem:
    try:
        return checked(annotation, model, name)
    except AnnotationProblem as problem:
        return problem


def match(
    cropped: Cropped, annotations: Sequence[FaceAnnotation | AnnotationProblem], model: MorphableModel
) -> list[FaceAnnotation | AnnotationProblem]:
    """For each face of a picture its annotation, or why it has none.

    Pairs are made greedily by the overlap of landmark boxes, best first, each annotation used once. A face that is
    the whole picture takes the largest annotated face. A face without a partner gets the problem of a broken
    annotation of its picture, if there is one.
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
    found: list[FaceAnnotation | AnnotationProblem] = [nothing] * len(cropped.faces)
    if not good:
        return found
    boxes = np.stack([landmark_box(a.landmarks(model)) for a in good])
    if not np.isfinite(cropped.boxes).all():
        return [good[int(np.argmax(box_area(boxes)))]] * len(cropped.faces)
    overlap = iou(cropped.boxes, boxes)
    while overlap.max() >= MATCH_IOU:
        face, annotation = np.unravel_index(np.argmax(overlap), overlap.shape)
        found[face] = good[annotation]
        overlap[face], overlap[:, annotation] = -1.0, -1.0
    return found


def make(
    picture: str,
    cropped: Cropped,
    k: int,
    found: FaceAnnotation | AnnotationProblem,
    model: MorphableModel,
    target: Target,
) -> Truth | StatusRow:
    """The truth of face `k` of a picture, or the status row that says why there is none."""
    face = cropped.faces[k]
    if isinstance(found, AnnotationProblem):
        return StatusRow(face, picture, "ground_truth", found.reason, None, found.detail)
    transform = cropped.transforms[k].resized(target.side)
    context = Context(
        transform=transform,
        pose=found.pose,
        camera=found.matrix,
        shape=found.shape,
        expression=found.expression,
        height=found.height,
        landmarks=None if found.landmarks68 is None else transform.apply(found.landmarks(model)),
    )
    dense = found.vertices(model)
    placed = transform.apply(dense)
    points = placed[model.keypoints, :2]
    if not ((points >= -0.5) & (points < target.side - 0.5)).all(axis=1).any():
        x, y = points.mean(axis=0)
        detail = f"no landmark lies in the crop; their mean is at ({x:.4g}, {y:.4g}) of {target.side} px"
        return StatusRow(face, picture, "ground_truth", Reason.MESH_OUTSIDE_FRAME, 0.0, detail)
    made = target.make(placed, model, context)
    if made.problem is not None:
        problem = made.problem
        return StatusRow(face, picture, "ground_truth", problem.reason, problem.value, problem.detail)
    landmarks = dense[model.keypoints] if found.landmarks68 is None else found.landmarks(model)
    return Truth(face, picture, cropped.rows[k], found, landmarks, made.stored, cropped.transforms[k])


def _create(path: str, truths: Sequence[Truth], target: Target, attributes: Mapping[str, str]):
    """The new file, with the sizes that the contract leaves open taken from the first face."""
    contract = GROUND_TRUTH.extended(**target.fields)
    sizes = {
        letter: 0 for field in contract.fields.values() for letter in field.shape if isinstance(letter, str)
    }
    for truth in truths[:1]:
        sizes |= {"Ks": len(truth.annotation.shape), "Ke": len(truth.annotation.expression)}
        for name, field in target.fields.items():
            shape = np.shape(truth.stored[name]) if name in truth.stored else ()
            sizes.update({s: n for s, n in zip(field.shape, shape, strict=False) if isinstance(s, str)})
    return hdf5.create(path, contract, len(truths), sizes, {**attributes, **target.attributes})


def _write(file: h5py.File, k: int, truth: Truth) -> None:
    annotation = truth.annotation
    values = {
        "face": truth.face,
        "picture": truth.picture,
        "crop_row": truth.row,
        "transform": truth.transform.to_array(),
        "pose_para": annotation.pose,
        "camera": annotation.matrix,
        "shape_para": annotation.shape,
        "exp_para": annotation.expression,
        "landmarks68": truth.landmarks,
        "yaw_deg": np.degrees(annotation.pose[1]) if annotation.yaw_deg is None else annotation.yaw_deg,
        "image_height": annotation.height,
    }
    for name, value in {**values, **truth.stored}.items():
        file[name][k] = value
