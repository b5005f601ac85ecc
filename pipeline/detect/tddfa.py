"""The labeller: 3DDFA_V2's network at work, from a face in a picture to its dense 3D face, in one process and batched.

A face is cut out by its landmarks or its box (frame roi120), the network gives 62 parameters in its crop, and these
become a camera of the whole picture. Each further pass cuts by the landmarks of the last one; how far two passes
differ, and how much of the face lies in the picture, say whether the label is to be believed (spec prn_vrn F.2-F.4).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import nn

from pipeline.config import LabellingSettings
from pipeline.datasets.base import FaceAnnotation
from pipeline.detect.tddfa_roi import Roi, first_roi, roi_of_landmarks
from pipeline.geometry.boxes import box_size, landmark_box
from pipeline.geometry.camera import apply_camera, flip_matrix, pose_from_matrix
from pipeline.geometry.frames import CropTransform
from pipeline.morphable import MorphableModel
from pipeline.morphable.params62 import CAMERA, EXPRESSION, SHAPE, Whitening, picture_camera, split
from pipeline.records import FacemillError, Reason

BASIS = "bfm2009"
"""The modes that the network's shape and expression coefficients multiply."""


@dataclass(frozen=True, eq=False)
class Seen:
    """One detected face: picture (h, w, 3) uint8 RGB, box (4,) and landmarks (68, 2; NaN where there are none) in
    its pixels. whole: the picture is a crop of this face already, and the first pass takes it as it is."""

    image: np.ndarray
    box: np.ndarray
    landmarks: np.ndarray
    whole: bool = False


@dataclass(frozen=True, eq=False)
class Label:
    """What the labeller says of one face.

    parameters: (62,) raw, in the crop of the last pass; roi: picture px -> px of that crop. camera: (3, 4) model frame
    -> Matlab's frame of the picture; pose: (7,) Pose_Para of the nearest rotation; shape (40,), expression (10,) raw.
    landmarks: (68, 3) px of the picture, 0-based, y down. agreement: mean 2D distance of the landmarks of the last two
    passes, per cent of sqrt(w h) of the last one's box; NaN after one pass. inside: share of the vertices without ears
    and neck that lie in the picture. height: of the picture, px.
    """

    parameters: np.ndarray
    roi: CropTransform
    camera: np.ndarray
    landmarks: np.ndarray
    agreement: float
    inside: float
    height: int

    @property
    def shape(self) -> np.ndarray:
        """(40,) raw shape coefficients."""
        return self.parameters[SHAPE]

    @property
    def expression(self) -> np.ndarray:
        """(10,) raw expression coefficients."""
        return self.parameters[EXPRESSION]

    @property
    def pose(self) -> np.ndarray:
        """(7,) Pose_Para in Matlab's frame of the picture."""
        return pose_from_matrix(self.camera)

    @property
    def annotation(self) -> FaceAnnotation:
        """The label in the form of a data set's own truth, which makes dense vertices of it."""
        return FaceAnnotation(self.pose, self.shape, self.expression, self.height, camera=self.camera)


@dataclass(frozen=True)
class Doubt:
    """Why a face has no label that one may use: the ledger's reason, the number behind it, and words."""

    reason: Reason
    value: float | None
    detail: str


class Labeller:
    """The network with its statistics and settings, for one face model.

    `network` from `tddfa_weights.load_tddfa`, `whitening` of its training set, `model` one that `require_modes` takes.
    """

    def __init__(
        self,
        network: nn.Module,
        whitening: Whitening,
        model: MorphableModel,
        settings: LabellingSettings,
    ):
        self.network = network.to(memory_format=torch.channels_last).eval()
        self.whitening, self.settings = whitening, settings
        self.points = _Surface(model, model.keypoints)
        self.face = _Surface(model, np.flatnonzero(model.face_mask))

    def label(self, faces: Sequence[Seen]) -> list[Label | Doubt]:
        """The label of each face, or why it has none. A label may still be doubtful, see `doubt`."""
        found: list[Label | Doubt] = []
        for start in range(0, len(faces), self.settings.batch):
            found += self._passes(faces[start : start + self.settings.batch])
        return found

    def _passes(self, faces: Sequence[Seen]) -> list[Label | Doubt]:
        found: list[Label | Doubt | None] = [None] * len(faces)
        for number in range(self.settings.passes):
            going = [k for k, label in enumerate(found) if not isinstance(label, Doubt)]
            rois: dict[int, Roi] = {}
            for k in going:
                try:
                    rois[k] = self._roi(faces[k], found[k])
                except FacemillError as problem:
                    found[k] = Doubt(Reason.LABEL_UNSTABLE, None, f"pass {number + 1}: {problem}"[:160])
            if rois:
                parameters = self.parameters([roi.crop(faces[k].image) for k, roi in rois.items()])
                for (k, roi), raw in zip(rois.items(), parameters, strict=True):
                    found[k] = self._label(faces[k], roi, raw, found[k])
        return found

    def _roi(self, face: Seen, last: Label | None) -> Roi:
        size, settings = face.image.shape[:2], self.settings
        if last is not None:
            return roi_of_landmarks(last.landmarks, size, settings)
        return first_roi(face.box, face.landmarks, face.whole, size, settings)

    @torch.inference_mode()
    def parameters(self, crops: Sequence[np.ndarray]) -> np.ndarray:
        """Raw parameters (n, 62) float64 of crops (n, 120, 120, 3) uint8 RGB."""
        bgr = torch.from_numpy(np.stack(crops)[..., ::-1].copy()).permute(0, 3, 1, 2)
        x = ((bgr.float() - 127.5) / 128).contiguous(memory_format=torch.channels_last)
        return self.whitening.raw(self.network(x).float().numpy())

    def _label(self, face: Seen, roi: Roi, raw: np.ndarray, last: Label | None) -> Label | Doubt:
        height, width = face.image.shape[:2]
        if not np.isfinite(raw).all():
            return Doubt(Reason.LABEL_UNSTABLE, None, "the network gives parameters that are not finite")
        camera = picture_camera(split(raw)[0], height, roi.frame)
        matrix = flip_matrix(camera, height)
        landmarks = apply_camera(self.points(raw[CAMERA.stop :]), matrix)
        dense = apply_camera(self.face(raw[CAMERA.stop :]), matrix)[:, :2]
        inside = ((dense >= -0.5) & (dense < np.array([width, height]) - 0.5)).all(axis=1).mean()
        agreement = np.nan if last is None else disagreement(last.landmarks, landmarks)
        return Label(raw, roi.frame, camera, landmarks, agreement, float(inside), height)


def doubt(label: Label, settings: LabellingSettings) -> Doubt | None:
    """Why a label is not to be believed by the thresholds of the settings, or None."""
    if label.agreement > settings.agreement:
        detail = f"two passes differ by {label.agreement:.3g} % of the face, expected at most {settings.agreement:g}"
        return Doubt(Reason.LABEL_UNSTABLE, label.agreement, detail)
    if label.inside < settings.inside:
        detail = (
            f"{label.inside:.0%} of the face lies in the picture, expected at least {settings.inside:.0%}"
        )
        return Doubt(Reason.LABEL_OUTSIDE, label.inside, detail)
    return None


def disagreement(first: np.ndarray, second: np.ndarray) -> float:
    """Mean 2D distance of landmarks (68, 2|3), per cent of sqrt(w h) of the box of the second; infinite where that
    has no area."""
    size = float(np.sqrt(np.prod(box_size(landmark_box(second)))))
    distance = float(np.linalg.norm(first[:, :2] - second[:, :2], axis=1).mean())
    return 100.0 * distance / size if size > 0 else np.inf


def require_modes(model: MorphableModel) -> None:
    """FacemillError unless the face model's first 40 shape and 10 expression modes are those that the network's
    coefficients belong to."""
    shape, expression = SHAPE.stop - SHAPE.start, EXPRESSION.stop - EXPRESSION.start
    modes = (len(model.shape_sigma), len(model.expression_sigma))
    if model.basis != BASIS or modes[0] < shape or modes[1] < expression:
        raise FacemillError(
            f"labels: tddfa needs a face model with the modes of the Basel Face Model 2009 (basis {BASIS}, at least "
            f"{shape} + {expression} modes), found {model.name} (basis {model.basis or 'of its own'}, {modes[0]} + "
            f"{modes[1]} modes); set face_model.id to npz and face_model.path to a file like bfm_sim.npz"
        )


class _Surface:
    """Some vertices of a face model as one matrix product: coefficients (50,) -> (n, 3) float64, model frame."""

    def __init__(self, model: MorphableModel, vertices: np.ndarray):
        shape, expression = SHAPE.stop - SHAPE.start, EXPRESSION.stop - EXPRESSION.start
        self.mean = model.mean[vertices].astype(np.float64)
        basis = np.concatenate(
            [model.shape_basis[vertices, :, :shape], model.expression_basis[vertices, :, :expression]], axis=2
        )
        self.basis = np.ascontiguousarray(basis.reshape(-1, shape + expression), np.float32)

    def __call__(self, coefficients: np.ndarray) -> np.ndarray:
        return self.mean + (self.basis @ coefficients.astype(np.float32)).reshape(self.mean.shape)
