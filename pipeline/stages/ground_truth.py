"""ground_truth: annotations -> the truth of each face in the crop's frame. One job is a shard of crops.

Where annotations have parameters of a face model the truth is dense: vertices, and the target that is made of them.
Of a benchmark whose annotations have no such parameters it is their points. Faces that are learnt from without truth
have none, and no annotation is read.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar, Protocol

import h5py
import numpy as np

from pipeline.config import TargetSettings
from pipeline.datasets.base import AnnotationProblem, FaceAnnotation
from pipeline.datasets.labelled import read_labels
from pipeline.datasets.matching import Cropped, Found, match, read_crops
from pipeline.datasets.plausible import checked, checked_points
from pipeline.datasets.points import known_points
from pipeline.geometry.frames import CropTransform
from pipeline.io import hdf5
from pipeline.io.files import expand
from pipeline.io.tables import read_tsv, write_status
from pipeline.morphable import MorphableModel, load_face_model
from pipeline.records import (
    DENSE,
    GROUND_TRUTH,
    NONE,
    POINTS,
    SOURCE_COLUMNS,
    Contract,
    Reason,
    StatusRow,
)
from pipeline.registry import DATASETS, TARGETS
from pipeline.targets.base import Context, Target

TruthOf = Callable[[str, Cropped], Sequence[Found | None]]
"""A picture and its cropped faces -> for each its annotation, why it has none, or None where an earlier stage said
why."""


@dataclass(frozen=True, eq=False)
class Truth:
    """One face's truth: row of its crop, annotation, landmarks (68, 3) image px, NaN where unknown, the target's
    datasets, and the crop's transform."""

    face: str
    picture: str
    row: int
    annotation: FaceAnnotation
    landmarks: np.ndarray
    stored: dict[str, np.ndarray]
    transform: CropTransform


class Kind(Protocol):
    """A kind of truth: what its file holds, and what is kept of a face."""

    contract: Contract
    attributes: Mapping[str, Any]

    def make(self, picture: str, cropped: Cropped, k: int, found: FaceAnnotation) -> Truth | StatusRow:
        """The truth of face `k` of a picture, or the status row that says why there is none."""
        ...


class AnnotatedKind(Kind, Protocol):
    """A kind of truth that comes from annotations: which of them can be true, and where their faces lie."""

    def checked(self, annotation: FaceAnnotation, name: str) -> FaceAnnotation:
        """The annotation of the file `name`; `AnnotationProblem` when it cannot be true."""
        ...

    def points(self, annotation: FaceAnnotation) -> np.ndarray:
        """The points (K, 2|3) image px by which an annotation finds its face."""
        ...


class Dense:
    """Vertices of a face model, and what a target makes of them."""

    def __init__(self, model: MorphableModel, target: Target):
        self.model, self.target = model, target
        self.contract = GROUND_TRUTH.extended(**target.fields)
        self.attributes = target.attributes

    def checked(self, annotation: FaceAnnotation, name: str) -> FaceAnnotation:
        """Its coefficients are the model's, its face could be in a picture."""
        return checked(annotation, self.model, name)

    def points(self, annotation: FaceAnnotation) -> np.ndarray:
        """The 68 landmarks, the annotation's own or the model's."""
        return annotation.landmarks(self.model)

    def make(self, picture: str, cropped: Cropped, k: int, found: FaceAnnotation) -> Truth | StatusRow:
        """The face placed in the target's frame."""
        face, model = cropped.faces[k], self.model
        transform = cropped.transforms[k].resized(self.target.side)
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
        if detail := outside(placed[model.keypoints], self.target.side):
            return StatusRow(face, picture, "ground_truth", Reason.MESH_OUTSIDE_FRAME, 0.0, detail)
        made = self.target.make(placed, model, context)
        if made.problem is not None:
            problem = made.problem
            return StatusRow(face, picture, "ground_truth", problem.reason, problem.value, problem.detail)
        landmarks = dense[model.keypoints] if found.landmarks68 is None else found.landmarks(model)
        return Truth(face, picture, cropped.rows[k], found, landmarks, made.stored, cropped.transforms[k])


class Points:
    """The points of annotations without parameters of a face model."""

    contract = GROUND_TRUTH.of_truth(POINTS)
    attributes: ClassVar[Mapping[str, Any]] = {}

    def checked(self, annotation: FaceAnnotation, name: str) -> FaceAnnotation:
        """Its points could be in a picture."""
        return checked_points(annotation, name)

    def points(self, annotation: FaceAnnotation) -> np.ndarray:
        """The visible points of the set that shows best where the face lies."""
        return known_points(annotation)

    def make(self, picture: str, cropped: Cropped, k: int, found: FaceAnnotation) -> Truth | StatusRow:
        """The face with as many of the 68 landmarks as the annotation has, in two dimensions or three."""
        face, transform = cropped.faces[k], cropped.transforms[k]
        if detail := outside(transform.apply(known_points(found)), transform.size):
            return StatusRow(face, picture, "ground_truth", Reason.MESH_OUTSIDE_FRAME, 0.0, detail)
        landmarks = np.full((68, 3), np.nan)
        if found.landmarks68 is not None:
            landmarks[:, : found.landmarks68.shape[1]] = found.landmarks68
        return Truth(face, picture, cropped.rows[k], found, landmarks, {}, transform)


class Absent:
    """No truth: every cropped face goes on."""

    contract = GROUND_TRUTH.of_truth(NONE)
    attributes: ClassVar[Mapping[str, Any]] = {}

    def make(self, picture: str, cropped: Cropped, k: int, found: FaceAnnotation) -> Truth | StatusRow:
        """The face with nothing but its place in the crops."""
        unknown = np.full((68, 3), np.nan)
        return Truth(cropped.faces[k], picture, cropped.rows[k], found, unknown, {}, cropped.transforms[k])


def run(
    *,
    inputs: Mapping[str, Any],
    outputs: Mapping[str, str],
    settings: Mapping[str, Any],
    wildcards: Mapping[str, str],
    attributes: Mapping[str, str],
) -> None:
    """Make the truth of one shard: `inputs` source, detections, crops and, for a data set whose truth is the
    labeller's, labels; `outputs` ground_truth (h5), status (tsv); `settings` truth (its kind), of dense truth
    face_model and target, and, for annotations, root, reader. Faces that the labeller refused have no row here."""
    if settings["truth"] == NONE:
        kind, truth_of = Absent(), _unannotated
    else:
        kind = _dense(settings) if settings["truth"] == DENSE else Points()
        truth_of = _labelled(inputs, kind) if "labels" in inputs else _annotated(inputs, settings, kind)
    truths: list[Truth] = []
    status: list[StatusRow] = []
    for picture, cropped in read_crops(inputs["crops"], inputs["detections"]):
        for k, found in enumerate(truth_of(picture, cropped)):
            if found is None:
                continue
            if isinstance(found, AnnotationProblem):
                face = cropped.faces[k]
                status.append(StatusRow(face, picture, "ground_truth", found.reason, None, found.detail))
                continue
            result = kind.make(picture, cropped, k, found)
            if isinstance(result, Truth):
                truths.append(result)
                result = StatusRow(result.face, picture, "ground_truth")
            status.append(result)
    with _create(outputs["ground_truth"], truths, kind, attributes) as file:
        for k, truth in enumerate(truths):
            _write(file, k, truth)
    write_status(outputs["status"], status)


def outside(points: np.ndarray, side: int) -> str | None:
    """What to say when none of the points (K, 2|3), in px of a crop `side` px wide, lies in it; None when one does."""
    flat = points[:, :2]
    if ((flat >= -0.5) & (flat < side - 0.5)).all(axis=1).any():
        return None
    x, y = flat.mean(axis=0)
    return f"none of {len(points)} points lies in the crop; their mean is at ({x:.4g}, {y:.4g}) of {side} px"


def _dense(settings: Mapping[str, Any]) -> Dense:
    target = TARGETS[settings["target"]["kind"]](TargetSettings.model_validate(settings["target"]))
    return Dense(load_face_model(**settings["face_model"]), target)


def _unannotated(picture: str, cropped: Cropped) -> list[Found]:
    """Annotations that say nothing of any face of a picture."""
    return [FaceAnnotation(None, None, None, cropped.height) for _ in cropped.faces]


def _annotated(inputs: Mapping[str, Any], settings: Mapping[str, Any], kind: AnnotatedKind) -> TruthOf:
    """The truth of a picture's faces from the data set's annotation files."""
    root = expand(settings["root"])
    reader = DATASETS[settings["reader"]]()
    rows = {row["id"]: row for row in read_tsv(inputs["source"], SOURCE_COLUMNS)}

    def read(path: Path, height: int) -> Found:
        try:
            return kind.checked(reader.annotation(path, height), path.name)
        except AnnotationProblem as problem:
            return problem

    def of(picture: str, cropped: Cropped) -> list[Found]:
        paths = [root / path for path in rows[picture]["annotations"].split(";") if path]
        return match(cropped.boxes, [read(path, cropped.height) for path in paths], kind.points)

    return of


def _labelled(inputs: Mapping[str, Any], kind: AnnotatedKind) -> TruthOf:
    """The truth of a picture's faces from the labeller, by their names; None for a face that it refused."""
    labels = read_labels(inputs["labels"])

    def label(face: str) -> Found | None:
        try:
            return kind.checked(labels[face], f"label of {face}") if face in labels else None
        except AnnotationProblem as problem:
            return problem

    return lambda picture, cropped: [label(face) for face in cropped.faces]


def _create(path: str, truths: Sequence[Truth], kind: Kind, attributes: Mapping[str, str]):
    """The new file, with the sizes that the contract leaves open taken from the first face."""
    sizes = {
        letter: 0
        for field in kind.contract.fields.values()
        for letter in field.shape
        if isinstance(letter, str)
    }
    for truth in truths[:1]:
        for name, value in _values(truth).items():
            letters = kind.contract.fields[name].shape
            sizes.update({s: n for s, n in zip(letters, np.shape(value), strict=True) if isinstance(s, str)})
    return hdf5.create(path, kind.contract, len(truths), sizes, {**attributes, **kind.attributes})


def _write(file: h5py.File, k: int, truth: Truth) -> None:
    for name, value in _values(truth).items():
        file[name][k] = value


def _values(truth: Truth) -> dict[str, Any]:
    """The datasets of one face by name: NaN for what its annotation does not say, and no coefficients."""
    annotation = truth.annotation
    placed = annotation.pose is not None or annotation.camera is not None
    pose = np.full(7, np.nan) if annotation.pose is None else annotation.pose
    return {
        "face": truth.face,
        "picture": truth.picture,
        "crop_row": truth.row,
        "transform": truth.transform.to_array(),
        "pose_para": pose,
        "camera": annotation.matrix if placed else np.full((3, 4), np.nan),
        "shape_para": np.zeros(0) if annotation.shape is None else annotation.shape,
        "exp_para": np.zeros(0) if annotation.expression is None else annotation.expression,
        "landmarks68": truth.landmarks,
        "yaw_deg": np.degrees(pose[1]) if annotation.yaw_deg is None else annotation.yaw_deg,
        "image_height": annotation.height,
        **truth.stored,
    }
