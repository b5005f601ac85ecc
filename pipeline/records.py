"""The data contract: reasons, ledger rows, and what every HDF5 file of the chain holds."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from enum import Enum


class FacemillError(Exception):
    """A failure that a person can mend: printed as one line, exit code 1, never with a traceback."""


class Reason(Enum):
    """Why a face or a picture is reaped: a code for files and words for people."""

    UNREADABLE = ("unreadable", "unreadable picture")
    NO_FACE = ("no_face", "no face")
    ANOTHER_CHOSEN = ("another_chosen", "another face was chosen")
    SEVERAL_FACES = ("several_faces", "several faces")
    OUTSIDE_FRAME = ("outside_frame", "face outside the frame")
    IMPLAUSIBLE = ("implausible", "landmarks implausible")
    ANNOTATION_MISSING = ("annotation_missing", "annotation missing")
    ANNOTATION_NOT_FINITE = ("annotation_not_finite", "annotation not finite")
    ANNOTATION_IMPLAUSIBLE = ("annotation_implausible", "annotation implausible")
    ANNOTATION_BEYOND_MODEL = ("annotation_beyond_model", "annotation has modes that the face model lacks")
    LABEL_UNSTABLE = ("label_unstable", "the labeller's two passes disagree")
    LABEL_OUTSIDE = ("label_outside", "too little of the labelled face lies in the picture")
    UNMATCHED = ("unmatched", "no annotation belongs to this face")
    OUT_OF_MAP_RANGE = ("out_of_map_range", "value outside the map's range")
    MESH_OUTSIDE_FRAME = ("mesh_outside_frame", "mesh outside the frame")
    MESH_OUTSIDE_VOLUME = ("mesh_outside_volume", "mesh outside the volume")
    DUPLICATE = ("duplicate", "duplicate of another picture")
    BENCHMARK_COPY = ("benchmark_copy", "near copy of a benchmark's picture")

    @property
    def code(self) -> str:
        """Short name for files and counts."""
        return self.value[0]

    @property
    def words(self) -> str:
        """The reason as a person reads it."""
        return self.value[1]

    @classmethod
    def from_code(cls, code: str) -> Reason:
        """The reason with this code; FacemillError for a code that no version wrote."""
        for reason in cls:
            if reason.code == code:
                return reason
        raise FacemillError(f"unknown reason code {code!r}; known: {', '.join(r.code for r in cls)}")


@dataclass(frozen=True)
class StatusRow:
    """What one stage says of one face (``picture#k``) or of a picture without one (``picture``).

    ``reason`` is None where the face goes on. ``value`` is the number behind the decision, ``detail`` names what
    was found.
    """

    face: str
    picture: str
    stage: str
    reason: Reason | None = None
    value: float | None = None
    detail: str = ""

    COLUMNS = ("face", "picture", "stage", "code", "value", "detail")

    def cells(self) -> tuple[str, ...]:
        """The row as text, in the order of ``COLUMNS``; a face that goes on has an empty code."""
        value = "" if self.value is None else f"{self.value:.6g}"
        code = "" if self.reason is None else self.reason.code
        return (self.face, self.picture, self.stage, code, value, self.detail)

    @classmethod
    def from_cells(cls, cells: dict[str, str]) -> StatusRow:
        """The row that ``cells`` wrote."""
        return cls(
            face=cells["face"],
            picture=cells["picture"],
            stage=cells["stage"],
            reason=Reason.from_code(cells["code"]) if cells["code"] else None,
            value=float(cells["value"]) if cells["value"] else None,
            detail=cells["detail"],
        )


SOURCE_COLUMNS = (
    "id",
    "path",
    "split",
    "group",
    "annotations",
    "sha256",
    "duplicate_of",
    "licence",
)
KEPT_COLUMNS = ("face", "picture", "split", "group", "shard", "row")
LEAK_COLUMNS = ("picture", "dataset", "other", "rule", "mirrored", "bits", "correlation")
"""A picture of a training set, and the picture of a benchmark or of its own set that it repeats; rule: name, picture or
face."""
REAPED_COLUMNS = ("face", "picture", "split", "stage", "code", "reason", "value", "detail")


@dataclass(frozen=True)
class Field:
    """One dataset of an HDF5 contract.

    ``dtype`` is a numpy name or "str"; ``shape`` is the shape of one sample, where a letter stands for a size that
    the file fixes (the same letter is the same size in all fields); ``unit`` says what a number means. A ``sparse``
    field is left unwritten in samples that do not need it, and so takes less room than its shape says.
    """

    dtype: str
    shape: tuple[int | str, ...] = ()
    unit: str = ""
    sparse: bool = False


DENSE, POINTS, NONE = "dense", "points", "none"
"""Kinds of truth. dense: parameters of a face model, and what a target made of them. points: as much as a benchmark's
annotations say that have no such parameters, NaN for the rest, and no dataset of a target. none: of faces to learn from
without truth, NaN throughout."""


@dataclass(frozen=True)
class Contract:
    """What an HDF5 file of one kind holds: name, version, and its datasets, all with n samples in the first axis.

    ``truths`` are the kinds of truth that it may hold, one of which its attribute ``truth`` names; none of a file
    without truth.
    """

    name: str
    version: int
    fields: dict[str, Field] = field(default_factory=dict)
    truths: tuple[str, ...] = ()

    def extended(self, **fields: Field) -> Contract:
        """The same contract with a target's own datasets, which only a file of dense truth has."""
        truths = (DENSE,) if self.truths and fields else self.truths
        return replace(self, fields={**self.fields, **fields}, truths=truths)

    def of_truth(self, kind: str) -> Contract:
        """The same contract for faces whose truth is of one kind, `POINTS` or `NONE`."""
        return replace(self, truths=(kind,))


_TRANSFORM = Field("float64", (4,), "k, cx, cy, size: x' = k (x - cx) + (size - 1) / 2")
_DETECTED = Field(
    "float32",
    (68, 2),
    "what networks see: as detected, pixels of the source picture, 0-based; NaN: nobody looked",
)
PIXELS = "RGB, or one channel of luma (ITU-R BT.601) where the file's colour is gray"
_FACE = {"face": Field("str"), "picture": Field("str")}
_MODEL_TO_PICTURE = "model frame -> Matlab's frame of the source picture"
_TRUTH = {
    "pose_para": Field("float64", (7,), "pitch, yaw, roll in radians, tx, ty, tz in pixels, f; NaN: unknown"),
    "camera": Field(
        "float64",
        (3, 4),
        f"{_MODEL_TO_PICTURE}; where truth is points, from the scan's own frame; NaN: unknown",
    ),
    "shape_para": Field("float64", ("Ks",), "raw shape coefficients"),
    "exp_para": Field("float64", ("Ke",), "raw expression coefficients"),
    "landmarks68": Field("float64", (68, 3), "truth, pixels of the source picture, 0-based; NaN: unknown"),
    "yaw_deg": Field("float64", (), "degrees; NaN: unknown"),
    "image_height": Field("float64", (), "pixels of the source picture; turns camera into image pixels"),
}

DETECTIONS = Contract(
    "facemill.detections",
    3,
    {
        **_FACE,
        "box": Field("float32", (4,), "x1, y1, x2, y2 in pixels of the source picture"),
        "score": Field("float32"),
        "landmarks68": Field("float32", (68, 2), "pixels of the source picture, 0-based"),
        "landmark_score": Field("float32", (68,), "heat-map peak"),
        "seen68": _DETECTED,
        "landmark_depth": Field(
            "float32", (68,), "pixels of the source picture, nearer is larger, arbitrary zero; NaN: unknown"
        ),
    },
)
FINGERPRINTS = Contract(
    "facemill.fingerprints",
    1,
    {"picture": Field("str"), "thumbnail": Field("uint8", (32, 32), "grey, the whole picture")},
)
FACE_FINGERPRINTS = Contract(
    "facemill.fingerprints",
    1,
    {**_FACE, "patch": Field("uint8", (40, 40), "grey, 1.25 times the square of roi120")},
)
LABELS = Contract(
    "facemill.labels",
    1,
    {
        **_FACE,
        "params62": Field("float64", (62,), "raw: camera and coefficients in the crop of the last pass"),
        "roi": Field("float64", (4,), f"{_TRANSFORM.unit}: picture -> the crop that params62 mean"),
        "camera": Field("float64", (3, 4), _MODEL_TO_PICTURE),
        "pose_para": _TRUTH["pose_para"],
        "shape_para": Field("float64", (40,), "raw shape coefficients"),
        "exp_para": Field("float64", (10,), "raw expression coefficients"),
        "landmarks68": Field("float64", (68, 3), "pixels of the source picture, 0-based"),
        "agreement": Field(
            "float64", (), "distance of two passes' landmarks, per cent of sqrt(w h); NaN: one pass"
        ),
        "inside": Field("float64", (), "share of the vertices without ears and neck that lie in the picture"),
        "image_height": _TRUTH["image_height"],
    },
)
CROPS = Contract(
    "facemill.crops",
    2,
    {
        **_FACE,
        "detected68": _DETECTED,
        "image": Field("uint8", ("F", "F", "C"), PIXELS),
        "transform": _TRANSFORM,
        "picture_size": Field("int64", (2,), "height and width of the source picture, pixels"),
    },
)
GROUND_TRUTH = Contract(
    "facemill.ground_truth",
    3,
    {**_FACE, **_TRUTH, "crop_row": Field("int64"), "transform": _TRANSFORM},
    (DENSE, POINTS, NONE),
)
PACK = Contract(
    "facemill.pack",
    4,
    {
        **_FACE,
        **_TRUTH,
        "detected68": _DETECTED,
        "group": Field("str"),
        "image": Field("uint8", ("F", "F", "C"), PIXELS),
        "transform": _TRANSFORM,
    },
    (DENSE, POINTS, NONE),
)
