"""The labeller: 3DDFA_V2's network at work, from a face in a picture to its dense 3D face, in one process and batched.

A face is cut out by its landmarks or its box (frame roi120), the network gives 62 parameters in its crop, and these
become a camera of the whole picture. Each further pass cuts by the landmarks of the last one; how far two passes
differ, and how much of the face lies in the picture, say whether the label is to be believed (spec prn_vrn F.2-F.4).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import torch
from torch import nn

from pipeline.config import LabellingSettings, TddfaSettings
from pipeline.datasets.base import FaceAnnotation
from pipeline.detect.tddfa_roi import Roi, first_roi, roi_of_landmarks
from pipeline.geometry.boxes import box_size, landmark_box
from pipeline.geometry.camera import apply_camera, flip_matrix, pose_from_matrix
from pipeline.geometry.frames import CropTransform
from pipeline.morphable import MorphableModel
from pipeline.morphable.params62 import CAMERA, EXPRESSION, SHAPE, Whitening, picture_camera, split
from pipeline.records import FacemillError, Reason

SHAPES, EXPRESSIONS = SHAPE.stop - SHAPE.start, EXPRESSION.stop - EXPRESSION.start
FACE_MODELS_OF_BFM = ("npz", "bfm2009", "tddfa_configs", "tddfa_v2")
"""Names of the face models whose first modes are those that the network's coefficients multiply: the Basel Face Model
2009 with 3DDFA's expressions, on whatever part of its mesh."""


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
        settings: TddfaSettings,
    ):
        self.network = network.to(memory_format=torch.channels_last).eval()
        self.whitening, self.settings = whitening, settings
        self.points = _Surface(model, model.keypoints)
        self.face = _Surface(model, np.flatnonzero(model.face_mask))

    def label(self, faces: Sequence[Seen]) -> list[Label | Doubt]:
        """The label of each face, or why it has none. A label may still be doubtful, see `doubt`."""
        found: list[Label | Doubt] = []
        for start in range(0, len(faces), self.settings.batch):
            part = faces[start : start + self.settings.batch]
            found += self._inside(part, self._passes(part))
        return found

    def _passes(self, faces: Sequence[Seen]) -> list[Label | Doubt | None]:
        found: list[Label | Doubt | None] = [None] * len(faces)
        for number in range(self.settings.passes):
            rois: dict[int, Roi] = {}
            for k, face in enumerate(faces):
                if isinstance(found[k], Doubt):
                    continue
                try:
                    rois[k] = self._roi(face, found[k])
                except FacemillError as problem:
                    reason = Reason.IMPLAUSIBLE if number == 0 else Reason.LABEL_UNSTABLE
                    found[k] = Doubt(reason, None, f"pass {number + 1} of the labeller: {problem}"[:160])
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
        """Raw parameters (n, 62) float64 of crops (n, 120, 120, 3) RGB in 0..255."""
        bgr = np.stack(crops)[..., ::-1].astype(np.float32)
        x = torch.from_numpy((bgr - 127.5) / 128).permute(0, 3, 1, 2)
        return self.whitening.raw(self.network(x).float().numpy())

    def _label(self, face: Seen, roi: Roi, raw: np.ndarray, last: Label | None) -> Label | Doubt:
        if not np.isfinite(raw).all():
            return Doubt(Reason.LABEL_UNSTABLE, None, "the network gives parameters that are not finite")
        height = face.image.shape[0]
        camera = picture_camera(split(raw)[0], height, roi.frame)
        (surface,) = self.points(raw[None, CAMERA.stop :])
        landmarks = apply_camera(surface, flip_matrix(camera, height))
        agreement = np.nan if last is None else disagreement(last.landmarks, landmarks)
        return Label(raw, roi.frame, camera, landmarks, agreement, np.nan, height)

    def _inside(self, faces: Sequence[Seen], found: list[Label | Doubt | None]) -> list[Label | Doubt]:
        """The same labels with the share of the face that lies in the picture."""
        labels = {k: label for k, label in enumerate(found) if isinstance(label, Label)}
        if labels:
            surfaces = self.face(np.stack([label.parameters[CAMERA.stop :] for label in labels.values()]))
            for (k, label), surface in zip(labels.items(), surfaces, strict=True):
                limit = np.array(faces[k].image.shape[1::-1]) - 0.5
                points = apply_camera(surface, flip_matrix(label.camera, label.height))[:, :2]
                inside = ((points >= -0.5) & (points < limit)).all(axis=1)
                found[k] = replace(label, inside=float(inside.mean()))
        return found


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


def require_modes(model: MorphableModel, user: str = "labels: tddfa") -> None:
    """FacemillError, which begins with the setting that `user` says, unless the face model's first 40 shape and 10
    expression modes are those that the network's coefficients belong to."""
    modes = (len(model.shape_sigma), len(model.expression_sigma))
    if model.name not in FACE_MODELS_OF_BFM or modes[0] < SHAPES or modes[1] < EXPRESSIONS:
        raise FacemillError(
            f"{user} needs a face model with the modes of the Basel Face Model 2009 (face_model.id "
            f"{' or '.join(FACE_MODELS_OF_BFM)}, at least {SHAPES} + {EXPRESSIONS} modes), found {model.name} with "
            f"{modes[0]} + {modes[1]} modes; set face_model.id to npz and face_model.path to a file like bfm_sim.npz"
        )


class _Surface:
    """Some vertices of a face model as one matrix product: coefficients (n, 50) -> (n, N, 3) float64, model frame."""

    def __init__(self, model: MorphableModel, vertices: np.ndarray):
        self.mean = model.mean[vertices].astype(np.float64)
        basis = np.concatenate(
            [model.shape_basis[vertices, :, :SHAPES], model.expression_basis[vertices, :, :EXPRESSIONS]],
            axis=2,
        )
        self.basis = np.ascontiguousarray(basis.reshape(-1, SHAPES + EXPRESSIONS), np.float32)

    def __call__(self, coefficients: np.ndarray) -> np.ndarray:
        offsets = coefficients.astype(np.float32) @ self.basis.T
        return self.mean + offsets.reshape(len(coefficients), *self.mean.shape)
