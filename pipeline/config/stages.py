"""Blocks of the configuration that say how pictures become ground truth."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import AfterValidator, Field

from pipeline.config.types import Share, Strict, ordered


class DetectionSettings(Strict):
    """From a picture to boxes and landmarks."""

    detector: str = Field(
        "faceboxes",
        description="registry name: faceboxes, a detector of face-alignment's, boxes, annotation or whole",
    )
    weights: str = Field(
        "shipped",
        description="of the box detector: shipped (faceboxes), library (face-alignment's) or a path",
    )
    boxes: str | None = Field(
        None, description="detector boxes: a table of boxes; null: a .txt or .npy beside each picture"
    )
    landmarks: Literal["2d", "2.5d", "3d"] = Field(
        "2.5d", description="the visible contour, projections of 3D points, or these with their depth"
    )
    fan_weights: str = Field("shipped", description="of the landmark network: shipped, library or a path")
    depth_weights: str = Field(
        "library", description="of the depth network, for landmarks 3d: library or a path"
    )
    points: Literal["own", "fan"] = Field(
        "own",
        description="landmarks that networks see: the detector's own, or FAN's, which most detectors' own are already",
    )
    score: Share = Field(0.92, description="least score of a box")
    overlap: Share = Field(
        0.3, description="non-maximum suppression drops a box that overlaps a better one by more"
    )
    nms: Literal["hard", "linear", "gaussian"] = Field(
        "hard", description="linear and gaussian lower the score of an overlapping box instead"
    )
    plus_one: Literal["auto", "on", "off"] = Field(
        "auto", description="a box covers x2 - x1 + 1 pixels; auto: with published weights only"
    )
    decode: Literal["subpixel", "quarter", "library"] = Field(
        "subpixel", description="heat-map decode; library truncates to integers as face-alignment does"
    )
    flip: bool = Field(False, description="second landmark pass on the mirrored crop")
    peak: Share = Field(0.4, description="least mean heat-map peak of plausible landmarks")
    batch: int = Field(16, ge=1, description="faces in one pass")
    device: Literal["auto", "cpu", "cuda"] = "auto"
    precision: Literal["fp32", "bf16", "fp16"] = Field("fp32", description="of our own networks")


class TddfaSettings(Strict):
    """3DDFA_V2's released network at work, with the user's weights: by default as its authors run it on a photo."""

    weights: str | None = Field(None, description="a published checkpoint, as mb05_120x120.pth")
    statistics: str | None = Field(
        None,
        description="its param_mean_std, .npz or .pkl; null: in the face model's .npz, or beside its files",
    )
    roi: Literal["box", "landmarks"] = Field(
        "landmarks", description="what the first pass is cut by; a face without landmarks is cut by its box"
    )
    passes: int = Field(1, ge=1, le=3, description="each further pass is cut by the landmarks of the last")
    resample: Literal["exact", "linear", "cv2_uint8"] = Field(
        "cv2_uint8",
        description="linear: the peers' square without anti-aliasing; cv2_uint8 reproduces the peers' pixels",
    )
    pixels: Literal["3ddfa_v2", "exact"] = Field(
        "3ddfa_v2", description="where a crop's coordinates lie: by its corner, as published networks mean it"
    )
    batch: int = Field(32, ge=1, description="faces in one pass")


class LabellingSettings(TddfaSettings):
    """Pseudo ground truth by 3DDFA_V2's network, for data sets whose labels are tddfa."""

    passes: int = Field(2, ge=1, le=3, description="each further pass is cut by the landmarks of the last")
    resample: Literal["exact", "linear", "cv2_uint8"] = Field(
        "exact",
        description="linear: the peers' square without anti-aliasing; cv2_uint8 reproduces the peers' pixels",
    )
    agreement: float = Field(
        10.0, gt=0, description="largest distance of two passes' landmarks, per cent of sqrt(w h)"
    )
    inside: Share = Field(0.75, description="least share of the face's mesh that lies in the picture")


class LeakSettings(Strict):
    """Training pictures that repeat a benchmark's."""

    check: bool = Field(True, description="compare each training set with every benchmark")
    names: bool = Field(True, description="by the names of published collections")
    bits: Annotated[tuple[int, int], AfterValidator(ordered)] = Field(
        (48, 72),
        description="of 255: hashes that differ in no more are of one picture; up to the second, with the correlation",
    )
    correlation: Share = Field(0.8, description="least correlation of the two pictures' detail")
    groups: bool = Field(True, description="keep near copies inside a training set on one side of its split")


class CropSettings(Strict):
    """From landmarks to crops."""

    faces: Literal["best", "all", "one"] = Field(
        "best", description="what to do with several faces in a picture"
    )
    choose: Literal["score", "size", "central"] = Field("score", description="which face is the best one")
    resample: Literal["exact", "cv2_uint8"] = Field(
        "exact", description="cv2_uint8 reproduces the peers' pixels"
    )
    outside: Share = Field(
        0.25, description="a face is outside when more of its landmark box is not in the picture"
    )


class TargetSettings(Strict):
    """A kind of ground truth with its settings; its id is part of every path."""

    kind: str = Field(
        "posmap", description="registry name: posmap, volume, params, landmarks, depth, pncc or visibility"
    )
    size: int = Field(256, ge=32, description="side S of the map or crop; of a position map a multiple of 32")
    variant: Literal["frontal_backfill", "solid", "shell"] = Field(
        "frontal_backfill", description="volume variant"
    )
    depth_scale: float = Field(1.25, gt=0, description="k of z' = k (z - mean z) + 100; the papers' 2 clips")
    outside: Share = Field(
        0.01, description="a face whose volume would cut off more of its vertices along an axis is reaped"
    )
